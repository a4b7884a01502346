"""Receive the messages of the queue "hello" and print them, one line each, until CTRL+C."""

import argparse

from connection import announce, connect, run

EPILOG = """Without --ack RabbitMQ forgets each message as it hands it over: what is not printed when the program stops
is lost. With --ack nothing is lost; after a crash (kill -9) some messages may come twice.
RABBITMQ_URL=amqp://user:password@host:port/vhost says where RabbitMQ is, if not here."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG)
    parser.add_argument("--ack", action="store_true", help="acknowledge messages after they are printed")
    args = parser.parse_args()

    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    printed = []  # delivery tags of the messages to acknowledge

    def callback(ch, method, properties, body):
        print(f" [x] Received {body.decode(errors='backslashreplace')!r}")
        if args.ack:
            printed.append(method.delivery_tag)

    if args.ack:
        channel.basic_qos(prefetch_count=1000)  # at most so many messages that are not acknowledged
        channel.basic_consume(queue="hello", on_message_callback=callback)
    else:
        channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)

    announce(" [*] Waiting for messages. To exit press CTRL+C")
    if args.ack:
        while channel.consumer_tags:
            connection.process_data_events(time_limit=None)  # calls callback() for all messages that have come
            if printed:
                channel.basic_ack(delivery_tag=printed[-1], multiple=True)  # all of them at once: five times faster
                printed.clear()
    else:
        channel.start_consuming()


if __name__ == "__main__":
    run(main, keep_going=True)
