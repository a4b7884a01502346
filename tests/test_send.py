"""What someone sees who runs send.py."""

import pytest
from machinery import take


@pytest.mark.parametrize("words", [[], ["Good", "morning"], ["你好，世界 🐇"], ["it's"], ["--help"]])
def test_it_says_sent_and_the_message_is_in_the_queue(send, hello, words):
    sent, message = send(*words), " ".join(words) or "Hello World!"
    assert (sent.out, sent.err, sent.returncode) == (f" [x] Sent {message!r}\n", "", 0)
    assert take(hello) == [message]


def test_the_queue_is_that_of_the_official_tutorials(send, broker):
    send()
    queue = broker.api("GET", "queues", broker.vhost, "hello")
    assert (queue["type"], queue["durable"], queue["arguments"]) == ("quorum", True, {"x-queue-type": "quorum"})


def test_a_terminal_without_the_characters_gets_them_escaped(send):
    sent = send("你好", PYTHONIOENCODING="ascii")
    assert (sent.out, sent.err) == (" [x] Sent '\\u4f60\\u597d'\n", "")


@pytest.mark.parametrize("empty", ["", " "])
def test_without_a_rabbitmq_url_it_goes_to_this_machine_as_guest(start, broker, empty):
    code = f"""
import runpy, socket, pika
look_up, node = socket.getaddrinfo, pika.URLParameters
def redirect(host, port, **others):  # from the port of the user's own RabbitMQ to that of the tests
    assert (host, port) == ("localhost", 5672)
    return look_up(host, {broker.port}, **others)
def here(url):
    assert (node(url).credentials.username, node(url).virtual_host) == ("guest", "/")
    return node(url + "/" + {broker.url.rpartition("/")[2]!r})
socket.getaddrinfo, pika.URLParameters = redirect, here
runpy.run_path("send.py", run_name="__main__")
"""
    sent = start("-c", code, url=empty)
    assert (sent.status(), sent.out) == (0, " [x] Sent 'Hello World!'\n")
