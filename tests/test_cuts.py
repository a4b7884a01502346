"""What someone sees whose connection is cut after any number of bytes: the truth, and no message is lost."""

import re
import signal

import pytest
from conftest import STOP, WAITING, wait_for

LOST = "the connection was lost"
MAYBE = f"{LOST}; the message may or may not have arrived"
NO_ANSWER = r"127\.0\.0\.1:\d+: no RabbitMQ answers there"
MESSAGES = ["one", "two", "three", "four", "five"]


@pytest.fixture
def cut_everywhere(request, proxy, hello, consumers):
    """Call check(url) with connections that are cut after so many bytes; first with one that is not cut."""
    step = 1 if request.config.getoption("every_byte") else 53

    def run(check, limits):
        between = proxy(None, limits)
        consumers(0)  # the one before has given back what it had not acknowledged
        hello.queue_purge("hello")
        try:
            check(between.url)
        except AssertionError as error:
            raise AssertionError(f"cut after {limits} bytes to RabbitMQ, from RabbitMQ") from error
        between.close(between.server, *between.sockets)
        return map(len, between.passed)

    def cut_everywhere(check):
        to_broker, from_broker = run(check, (None, None))
        cuts = [(number, None) for number in range(1, to_broker + 1, step)]
        cuts += [(None, number) for number in range(1, from_broker + 1, step)]
        for limits in cuts:
            run(check, limits)
        print(f"{len(cuts)} cuts")

    return cut_everywhere


def test_sent_is_in_the_queue_and_what_may_be_there_is_called_so(cut_everywhere, send, hello):
    def check(url):
        sender = send(url=url)
        body = hello.basic_get("hello", auto_ack=True)[2]
        if sender.returncode == 0:
            assert (sender.out, sender.err, body) == (" [x] Sent 'Hello World!'\n", "", b"Hello World!")
        else:
            assert (sender.returncode, sender.out) == (1, "")
            assert re.fullmatch(rf" \[!\] ({NO_ANSWER}|{MAYBE})\n", sender.err)
            assert body is None or MAYBE in sender.err

    cut_everywhere(check)


def test_all_messages_are_printed_in_whole_lines(cut_everywhere, start, hello):
    received = [f" [x] Received {message!r}\n" for message in MESSAGES]

    def check(url):
        for message in MESSAGES:
            hello.basic_publish(exchange="", routing_key="hello", body=message.encode())
        receiver = start("receive.py", "--ack", url=url)
        wait_for(lambda: receiver.poll() is not None or all(line in receiver.out for line in received))
        if receiver.poll() is not None:  # it was cut before it has ever waited
            assert (receiver.returncode, receiver.out) == (1, "")
            assert re.fullmatch(rf" \[!\] ({NO_ANSWER}|{LOST})\n", receiver.err)
            wait_for(lambda: hello.queue_declare("hello", passive=True).method.message_count == len(MESSAGES))
            return
        receiver.terminate()
        assert receiver.status(STOP) == -signal.SIGTERM
        assert set(receiver.out.splitlines(keepends=True)) == {WAITING, *received}
        assert receiver.err in ("", f" [!] {LOST}; connecting again\n")

    cut_everywhere(check)
