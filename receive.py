"""Print the messages of the queue hello as they arrive, until CTRL+C."""

from connection import connect, run


def main():
    connection = connect()
    channel = connection.channel()

    # as in send.py: either program may run first
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})

    # pika calls this for each message; we use only its body, and print it at once (flush)
    def callback(ch, method, properties, body):
        text = body.decode(errors="replace")  # bytes to text
        print(f" [x] Received {text!r}", flush=True)

    # auto_ack: RabbitMQ deletes a message once it is sent to us, even if we fail to print it
    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)

    print(" [*] Waiting for messages. To exit press CTRL+C", flush=True)
    channel.start_consuming()

    # we get here only if the callback stops consuming, or if somebody has deleted the queue
    print(" [*] No longer waiting for messages")
    connection.close()


if __name__ == "__main__":
    run(main, reconnect=True)  # after an outage, main() is called again
