"""The queue hello, as a test fills it and looks into it."""

import pika

from support.waiting import TIMEOUT, wait_until


class HelloQueue:
    """The queue hello of a virtual host, declared, on a connection of the test's own."""

    def __init__(self, url):
        self.connection = pika.BlockingConnection(pika.URLParameters(f"{url}?heartbeat=0"))
        self.channel = self.connection.channel()
        self.declare(durable=True, arguments={"x-queue-type": "quorum"})

    def declare(self, **settings):
        self.channel.queue_declare("hello", **settings)

    def delete(self):
        self.channel.queue_delete("hello")

    def message_count(self):
        """Return how many messages wait, without those that a consumer holds."""
        return self.channel.queue_declare("hello", passive=True).method.message_count

    def consumer_count(self):
        return self.channel.queue_declare("hello", passive=True).method.consumer_count

    def publish(self, *bodies):
        """Publish messages, and do not wait for them."""
        for body in bodies:
            self.channel.basic_publish(exchange="", routing_key="hello", body=body)

    def fill(self, *bodies):
        """Publish messages to the empty queue, and wait until all are in it."""
        self.publish(*bodies)
        self.wait_for_messages(len(bodies))

    def wait_for_messages(self, count):
        wait_until(
            self.message_count, lambda seen: seen >= count, f"{count} messages in the queue hello"
        )

    def wait_for_consumers(self, count):
        wait_until(
            self.consumer_count,
            lambda seen: seen == count,
            f"{count} consumers of the queue hello",
        )

    def take_all(self):
        """Take all messages that wait out of the queue, and return their texts."""
        texts = []
        count = self.message_count()
        messages = self.channel.consume("hello", auto_ack=True, inactivity_timeout=TIMEOUT)
        while len(texts) < count:
            _, _, body = next(messages)
            texts.append(body.decode())
        self.channel.cancel()
        return texts
