"""What someone sees of a line: all of it at once, also with PYTHONUNBUFFERED set, as in most containers."""

import socket

import pytest
from conftest import STILL, WAITING


@pytest.fixture
def first_writes(start):
    """Run a program, and return so many things that it writes, each as it was written."""

    def first_writes(count, stream, *words, **keywords):
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # where each write is read on its own
        with here, there:
            here.settimeout(90)
            start(*words, PYTHONUNBUFFERED="1", **{stream: there}, **keywords)
            return [here.recv(1000).decode() for _ in range(count)]

    return first_writes


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_receive_writes_a_line_and_its_end_at_once(first_writes, hello, option):
    hello.basic_publish(exchange="", routing_key="hello", body=b"one")
    hello.basic_publish(exchange="", routing_key="hello", body=b"two")
    written = first_writes(3, "stdout", "receive.py", *option)
    assert written == [WAITING, " [x] Received 'one'\n", " [x] Received 'two'\n"]


def test_send_writes_a_line_and_its_end_at_once(first_writes):
    assert first_writes(1, "stdout", "send.py") == [" [x] Sent 'Hello World!'\n"]


def test_a_notice_and_its_end_are_written_at_once(first_writes, silent):
    address = f"127.0.0.1:{silent.getsockname()[1]}"
    assert first_writes(1, "stderr", "send.py", url=f"amqp://{address}") == [STILL]


@pytest.mark.parametrize("program", ["send.py", "receive.py"])
def test_an_error_and_its_end_are_written_at_once(first_writes, program):
    (line,) = first_writes(1, "stderr", program, url="amqp://localhost:1")
    assert line == " [!] localhost:1: nothing listens there; start RabbitMQ with ./setup.sh\n"
