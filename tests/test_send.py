"""What someone sees who runs send.py."""

import pytest
from machinery import take


@pytest.mark.parametrize("words", [[], ["Good", "morning"], ["你好，世界 🐇"], ["--help"]])
def test_it_says_sent_and_the_message_is_in_the_queue_of_the_official_tutorials(send, broker, hello, words):
    hello.queue_delete("hello")
    sent, message = send(*words), " ".join(words) or "Hello World!"
    assert (sent.out, sent.err, sent.returncode) == (f" [x] Sent {message!r}\n", "", 0)
    assert take(hello) == [message]
    queue = broker.api("GET", "queues", broker.vhost, "hello")
    assert (queue["type"], queue["durable"], queue["arguments"]) == ("quorum", True, {"x-queue-type": "quorum"})


@pytest.mark.parametrize("variable", ["RABBITMQ_URL=", "RABBITMQ_URL= ", "--unset=RABBITMQ_URL"])
def test_without_a_rabbitmq_url_it_goes_to_this_machine_as_guest(start, variable):
    code = """
import pika, send
def here(node):
    raise Exception(node.host, node.port, node.virtual_host, node.credentials.username, node.credentials.password)
pika.BlockingConnection = here
send.run(send.main)
"""
    sender = start(variable, "python", "-c", code, program="env")
    assert sender.status() == 1 and "('localhost', 5672, '/', 'guest', 'guest')" in sender.err
