"""What someone sees whose connection is cut after any number of bytes: the truth, and no message is lost."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import WAITING, blocks, changes, publish, take, wait_for

LOST = r" \[!\] the connection was lost, perhaps with messages on the way"
AT_THE_START = r" \[!\] 127\.0\.0\.1:\d+, vhost .*: .*(no RabbitMQ answers there|StreamLostError|EOF|reset).*"
MESSAGES = ["one", "two", "three"]


@pytest.fixture
def cut_everywhere(pytestconfig, broker, proxy):
    """Call check(broker, url, name) with a whole connection, then with ones that are cut after so many bytes.

    Each has a virtual host of its own.
    """
    step = 1 if pytestconfig.getoption("every_byte") else 53

    def run(check, limits):
        with broker.virtual_host(f"{broker.vhost} {limits}") as there:
            between = proxy(None, limits, to=there)
            check(there, between.url, str(limits))
            return between.passed

    def cut_everywhere(check):
        to_broker, from_broker = run(check, (None, None))
        cuts = [(number, None) for number in range(1, to_broker, step)]
        cuts += [(None, number) for number in range(1, from_broker, step)]
        with ThreadPoolExecutor(12) as pool:
            for cut, done in [(cut, pool.submit(run, check, cut)) for cut in cuts]:
                assert done.exception() is None, f"cut after {cut} bytes to RabbitMQ, from RabbitMQ: {done.exception()}"
        assert len(cuts) > 20

    return cut_everywhere


def test_what_is_called_sent_is_in_the_queue_and_else_it_says_what_it_knows(cut_everywhere, send):
    def check(broker, url, name):
        sender = send(name, url=url)
        with broker.connect() as connection:
            channel = connection.channel()
            channel.queue_declare("hello", durable=True, arguments={"x-queue-type": "quorum"})
            there = take(channel)
        if sender.out:
            assert (sender.out, there) == (f" [x] Sent {name!r}\n", [name])
            assert sender.returncode == 0 or re.fullmatch(f"{LOST}\n", sender.err)
        else:
            assert re.fullmatch(f"({LOST if there else f'{LOST}|{AT_THE_START}'})\n", sender.err)
            assert sender.returncode == 1 and there in ([], [name])

    cut_everywhere(check)


def test_all_messages_are_printed_and_receive_goes_on(cut_everywhere, start, copy):
    path = copy("receive.py", *changes(blocks("/tmp/w/nml.md", "diff")[0]))
    received = {f" [x] Received {message!r}\n" for message in MESSAGES}

    def check(broker, url, name):
        with broker.connect() as connection:
            channel = connection.channel()
            channel.queue_declare("hello", durable=True, arguments={"x-queue-type": "quorum"})
            publish(channel, *MESSAGES)
            receiver = start(path, url=url)
            wait_for(lambda: receiver.poll() is not None or received < set(receiver.out.splitlines(keepends=True)))
            receiver.end()
            if receiver.returncode == 1:  # it was cut before it had connected
                assert receiver.out == "" and re.fullmatch(f"{AT_THE_START}\n", receiver.err)
                assert take(channel) == MESSAGES
            else:
                assert set(receiver.out.splitlines(keepends=True)) == {WAITING, *received}
                assert re.fullmatch(f"({LOST}; connecting again in 5 seconds\n)?", receiver.err)

    cut_everywhere(check)
