"""Print the messages of the queue hello as they arrive, until CTRL+C."""

from connection import connect, keep_running


def main():
    connection = connect()
    channel = connection.channel()

    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    def callback(ch, method, properties, body):
        print(f" [x] Received {body.decode(errors='replace')!r}")

    # auto_ack: for RabbitMQ, a message is done when it is sent to us, even if we then fail
    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)

    print(" [*] Waiting for messages. To exit press CTRL+C")
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    keep_running(main)
