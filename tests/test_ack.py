"""What receive.py --ack promises: whatever ends it, each message is printed or still in the queue."""

import array
import fcntl
import io
import os
import re
import shlex
import signal
import termios
from collections import Counter

import brokers
import pytest
from conftest import BACKLOG, STOP, wait_for


def numbers(text):
    """The messages that are printed in text."""
    return [int(number) for number in re.findall(r"Received '(\d+) *'", text)]


@pytest.fixture
def left(backlog):
    """Take what is in the queue, once nobody else consumes from it and what was handed over is back."""

    def left(printed):
        wait_for(lambda: backlog.queue_declare("hello", passive=True).method.consumer_count == 0)
        taken = []
        backlog.basic_consume("hello", lambda *message: taken.append(int(message[3])), auto_ack=True)
        missing = BACKLOG - len(set(printed))
        wait_for(lambda: backlog.connection.process_data_events(0.2) or len(taken) >= missing)
        backlog.connection.process_data_events(0.2)
        return taken

    return left


def test_stopped_amid_100_000_messages_it_loses_none_and_none_comes_twice(receive, left):
    printed = []
    for stop in (signal.SIGINT, signal.SIGTERM):
        receiver = receive("--ack")
        wait_for(lambda: "Received" in receiver.out)  # noqa: B023
        receiver.send_signal(stop)
        assert (receiver.status(STOP), receiver.err) == (0, "")
        printed += numbers(receiver.out)
    assert 0 < len(printed) < BACKLOG
    assert sorted(printed + left(printed)) == list(range(BACKLOG))


def test_ctrl_c_in_a_terminal_amid_100_000_messages_loses_none_and_none_comes_twice(terminal, left):
    receiver = terminal("receive.py", "--ack")
    receiver.logfile_read = io.StringIO()
    settings = termios.tcgetattr(receiver.child_fd)
    settings[3] |= termios.NOFLSH  # otherwise the terminal itself drops at CTRL+C what it has not shown yet
    termios.tcsetattr(receiver.child_fd, termios.TCSANOW, settings)
    receiver.expect_exact("Received")
    receiver.sendintr()
    receiver.read()
    assert receiver.wait() == 0
    printed = numbers(receiver.logfile_read.getvalue().replace("^C", ""))
    assert 0 < len(printed) < BACKLOG
    assert sorted(printed + left(printed)) == list(range(BACKLOG))


def test_killed_amid_100_000_messages_it_loses_none_and_at_most_1000_come_twice(receive, left):
    receiver = receive("--ack")
    wait_for(lambda: "Received" in receiver.out)
    receiver.kill()
    receiver.status()
    printed = numbers(receiver.out)
    assert 0 < len(printed) < BACKLOG
    times = Counter(printed + left(printed))
    assert sorted(times) == list(range(BACKLOG))
    assert max(times.values()) <= 2
    assert sum(times.values()) - BACKLOG <= 1000


def test_it_never_holds_more_than_1000_messages(receive, broker, hello):
    receiver = receive("--ack")
    receiver.send_signal(signal.SIGSTOP)
    for _ in range(3000):
        hello.basic_publish(exchange="", routing_key="hello", body=b"x")
    wait_for(lambda: broker.rabbitmqctl("list_queues", "messages_unacknowledged", "--silent").strip() == "1000")
    receiver.send_signal(signal.SIGCONT)
    wait_for(lambda: receiver.out.count("Received") == 3000)


@pytest.fixture
def no_delivery_limit(broker):
    """From RabbitMQ 4 on, the policy of the README."""
    if broker.rabbitmqctl("version").startswith("3."):
        yield
        return
    command = re.search(r"sudo rabbitmqctl -q (set_policy .*)", brokers.README.read_text(encoding="utf-8"))[1]
    broker.rabbitmqctl(*shlex.split(command))
    yield
    broker.rabbitmqctl("clear_policy", shlex.split(command)[1])


def test_25_crashes_lose_none_of_200_messages(no_delivery_limit, start, hello):
    for number in range(200):
        hello.basic_publish(exchange="", routing_key="hello", body=b"%-10000d" % number)
    printed = set()
    for _ in range(25):
        here, there = os.pipe()
        receiver = start("receive.py", "--ack", stdout=there)
        os.close(there)
        unread = array.array("i", [0])
        wait_for(lambda: fcntl.ioctl(here, termios.FIONREAD, unread) or unread[0] > 50_000)  # noqa: B023
        receiver.kill()
        with open(here) as output:
            printed.update(numbers(output.read()))
    left = set()
    hello.basic_consume("hello", lambda *message: left.add(int(message[3])), auto_ack=True)
    wait_for(lambda: hello.connection.process_data_events(0.2) or printed | left == set(range(200)))
    assert len(left) > 100
