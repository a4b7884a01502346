"""Receive the messages of the queue hello and print them, until CTRL+C."""

from connection import connect, keep_running  # first: it takes care of CTRL+C
import argparse

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--ack", action="store_true", help="lose none; up to 100 may come twice")
args = parser.parse_args()


def main():
    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    def callback(ch, method, properties, body):
        print(f" [x] Received {body.decode(errors='backslashreplace')!r}")
        if args.ack:
            ch.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_qos(prefetch_count=100)  # messages that wait for an acknowledgement, at most
    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=not args.ack)
    print(" [*] Waiting for messages. To exit press CTRL+C")
    channel.start_consuming()
    connection.close()


keep_running(main)
