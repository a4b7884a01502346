"""Send a message to the queue hello."""

from connection import connect, run  # first: it takes care of CTRL+C
import argparse

parser = argparse.ArgumentParser(description=__doc__, epilog="To send -x: send.py -- -x")
parser.add_argument("words", nargs="*", default=["Hello World!"], help="the message")
message = " ".join(parser.parse_args().words)


def main():
    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    channel.confirm_delivery()  # basic_publish() returns when RabbitMQ has the message, or raises
    body = message.encode(errors="surrogateescape")  # UTF-8
    channel.basic_publish(exchange="", routing_key="hello", body=body, mandatory=True)
    print(f" [x] Sent {message!r}")

    connection.close()


run(main)
