"""Receive the messages of the queue "hello" and print them, one line each, until CTRL+C."""

import argparse

from connection import connect, run

EPILOG = """Without --ack, messages that RabbitMQ has handed over and that are not printed at the end are lost. With
--ack none is lost (but RabbitMQ 4 drops what came back 20 times, unless the policy in README.md forbids it); after a
crash some may come twice. RABBITMQ_URL=amqp://user:password@host:port/vhost says where RabbitMQ is."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG)
    parser.add_argument("--ack", action="store_true", help="acknowledge messages after they are printed")
    args = parser.parse_args()

    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    def callback(ch, method, properties, body):
        print(f" [x] Received {body.decode(errors='backslashreplace')!r}")

    if args.ack:
        channel.basic_qos(prefetch_count=1000)  # at most so many messages that are not acknowledged
        print(" [*] Waiting for messages. To exit press CTRL+C")
        for method, properties, body in channel.consume("hello"):
            callback(channel, method, properties, body)
            if channel.get_waiting_message_count() == 0:  # acknowledge all at once: five times faster
                channel.basic_ack(method.delivery_tag, multiple=True)
                connection.process_data_events()  # CTRL+C is heard here, even if messages never stop coming
        return

    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)
    print(" [*] Waiting for messages. To exit press CTRL+C")
    channel.start_consuming()


if __name__ == "__main__":
    run(main, keep_going=True)
