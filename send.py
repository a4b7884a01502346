"""Send a message to the queue "hello".

python send.py Good morning    sends Good morning instead of Hello World!
RABBITMQ_URL=amqp://user:password@host:port/vhost says where RabbitMQ is, if not here.
"""

import sys

from connection import connect, run


def main():
    if sys.argv[1:] in (["-h"], ["--help"]):
        return print(__doc__)
    message = " ".join(sys.argv[1:] or ["Hello World!"])

    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    channel.confirm_delivery()  # basic_publish() returns when RabbitMQ has the message, or raises
    body = message.encode(errors="surrogateescape")  # UTF-8
    channel.basic_publish(exchange="", routing_key="hello", body=body, mandatory=True)
    print(f" [x] Sent {message!r}")

    connection.close()


if __name__ == "__main__":
    run(main)
