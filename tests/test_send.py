"""What someone sees who runs send.py."""

import pytest


def body(channel):
    """The body of the next message in the queue."""
    return channel.basic_get("hello", auto_ack=True)[2]


def test_it_says_sent_and_the_message_is_in_the_queue(send, hello):
    sent = send()
    assert (sent.out, sent.err, sent.returncode) == (" [x] Sent 'Hello World!'\n", "", 0)
    assert body(hello) == b"Hello World!"


def test_it_declares_the_queue_that_the_official_tutorials_declare(send, broker):
    send()
    listed = broker.rabbitmqctl("list_queues", "name", "type", "durable", "--silent")
    assert listed.split() == ["hello", "quorum", "true"]


def test_words_are_joined_by_blanks(send, hello):
    sent = send("Good", "morning")
    assert sent.out == " [x] Sent 'Good morning'\n"
    assert body(hello) == b"Good morning"


@pytest.mark.parametrize("text", ["你好，世界", "🐇 → 📮", "it's", "", "-1", "a\nb\x1b[2J"])
def test_any_text_goes_out_as_utf_8(send, hello, text):
    sent = send(text)
    assert (sent.out, sent.err, sent.returncode) == (f" [x] Sent {text!r}\n", "", 0)
    assert body(hello) == text.encode()


def test_what_looks_like_an_option_is_sent_after_two_dashes(send, hello):
    sent = send("--", "-x", "--ack")
    assert (sent.out, sent.err, sent.returncode) == (" [x] Sent '-x --ack'\n", "", 0)
    assert body(hello) == b"-x --ack"


def test_bytes_that_are_not_utf_8_go_out_as_they_are(send, hello):
    sent = send(b"caf\xe9")
    assert (sent.out, sent.err, sent.returncode) == (" [x] Sent 'caf\\udce9'\n", "", 0)
    assert body(hello) == b"caf\xe9"


def test_a_message_of_one_megabyte_is_sent(send, hello):
    words = ["x" * 100_000] * 10
    assert send(*words).returncode == 0
    assert body(hello) == " ".join(words).encode()


def test_a_terminal_without_the_characters_gets_them_escaped(send):
    sent = send("你好", PYTHONIOENCODING="ascii")
    assert (sent.out, sent.err, sent.returncode) == (" [x] Sent '\\u4f60\\u597d'\n", "", 0)


def test_h_explains_without_rabbitmq(send):
    helped = send("-h", url="amqp://localhost:1")
    assert "send.py -- -x" in helped.out
    assert (helped.err, helped.returncode) == ("", 0)


@pytest.mark.parametrize("empty", ["", " ", ","])
def test_without_a_rabbitmq_url_it_goes_to_this_machine(start, broker, empty):
    code = f"""
import runpy, socket
look_up = socket.getaddrinfo
def redirect(host, port, **others):  # from the port of the user's own RabbitMQ to that of the tests
    assert (host, port) == ("localhost", 5672)
    return look_up(host, {broker.port}, **others)
socket.getaddrinfo = redirect
runpy.run_path("send.py")
"""
    sent = start("-c", code, url=empty)
    assert (sent.status(), sent.out) == (0, " [x] Sent 'Hello World!'\n")
