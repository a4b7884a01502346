"""What someone sees whose connection is cut after any number of bytes: the truth, and no message is lost."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import AGAIN, LOST, WAITING, blocks, changes, publish, take, wait_for

CUT, NOT_IN = re.escape(LOST), r" \[!\] 127\.0\.0\.1:\d+, vhost .*: .*(no RabbitMQ answers there|StreamLostError).*"
MESSAGES = ["one", "two", "three"]


@pytest.fixture
def cut_everywhere(pytestconfig, broker, proxy):
    """Call check(channel, url) with a whole connection, then with ones that are cut after so many bytes.

    Each has a virtual host of its own, with a queue hello on a channel of the test.
    """
    step = 1 if pytestconfig.getoption("every_byte") else 53

    def run(check, limits):
        with broker.virtual_host(f"{broker.vhost} {limits}") as there, there.channel() as channel:
            between = proxy(None, limits, to=there)
            check(channel, between.url)
            return between.passed

    def cut_everywhere(check):
        to_broker, from_broker = run(check, (sys.maxsize, sys.maxsize))
        cuts = [(number, sys.maxsize) for number in range(1, to_broker, step)]
        cuts += [(sys.maxsize, number) for number in range(1, from_broker, step)]
        with ThreadPoolExecutor(12) as pool:
            for cut, done in [(cut, pool.submit(run, check, cut)) for cut in cuts]:
                assert done.exception() is None, f"cut after {cut} bytes to RabbitMQ, from RabbitMQ: {done.exception()}"
        assert len(cuts) > 20

    return cut_everywhere


def test_what_is_called_sent_is_in_the_queue_and_else_it_says_what_it_knows(cut_everywhere, send):
    def check(channel, url):
        sender, there = send(url=url), take(channel)
        if sender.out:
            assert (sender.out, there) == (" [x] Sent 'Hello World!'\n", ["Hello World!"])
            assert sender.returncode == 0 or re.fullmatch(f"{CUT}\n", sender.err)
        else:
            assert re.fullmatch(f"({CUT if there else f'{CUT}|{NOT_IN}'})\n", sender.err) and sender.returncode == 1

    cut_everywhere(check)


def test_all_messages_are_printed_and_receive_goes_on(cut_everywhere, start, copy):
    path = copy("receive.py", *changes(blocks("docs/no-message-lost.md", "diff")[0]))
    received = {f" [x] Received {message!r}\n" for message in MESSAGES}

    def check(channel, url):
        publish(channel, *MESSAGES)
        receiver = start(path, url=url)
        wait_for(lambda: receiver.poll() is not None or received < set(receiver.out.splitlines(keepends=True)))
        receiver.end()
        if receiver.returncode == 1:  # it was cut before it had connected
            assert receiver.out == "" and re.fullmatch(f"{NOT_IN}\n", receiver.err) and take(channel) == MESSAGES
        else:
            assert set(receiver.out.splitlines(keepends=True)) == {WAITING, *received}
            assert receiver.err in ("", LOST + AGAIN)

    cut_everywhere(check)
