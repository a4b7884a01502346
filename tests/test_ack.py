"""What receive.py --ack promises: whatever ends it, each message is printed or still in the queue."""

import io
import re
import shlex
import signal
import termios
import time
from collections import Counter

import brokers
import pytest
from conftest import BACKLOG, STOP, wait_for


def numbers(text):
    """The messages that are printed in text."""
    return [int(number) for number in re.findall(r"Received '(\d+) *'", text)]


@pytest.fixture
def left(hello, consumers):
    """Take what is in the queue, once nobody else consumes from it, until each message was printed or is taken."""

    def left(printed, total=BACKLOG):
        consumers(0)
        taken = []
        hello.basic_consume("hello", lambda *message: taken.append(int(message[3])), auto_ack=True)
        wait_for(lambda: hello.connection.sleep(0.2) or len({*printed, *taken}) == total)
        hello.connection.sleep(0.2)  # more would be there twice
        return taken

    return left


def test_stopped_amid_100_000_messages_it_loses_none_and_none_comes_twice(backlog, receive, left):
    printed = []
    for stop in (signal.SIGINT, signal.SIGTERM):
        receiver = receive("--ack")
        wait_for(lambda: "Received" in receiver.out)  # noqa: B023
        receiver.send_signal(stop)
        assert (receiver.status(STOP), receiver.err) == (0, "")
        printed += numbers(receiver.out)
    assert 0 < len(printed) < BACKLOG
    assert sorted(printed + left(printed)) == list(range(BACKLOG))


def test_ctrl_c_in_a_terminal_amid_100_000_messages_loses_none_and_none_comes_twice(backlog, terminal, left):
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


def test_ctrl_c_while_its_output_is_read_slowly_loses_none_and_none_comes_twice(hello, stuck, left):
    for number in range(10_000):
        hello.basic_publish(exchange="", routing_key="hello", body=b"%-1000d" % number)
    receiver = stuck("--ack")
    receiver.send_signal(signal.SIGINT)
    output = b""
    while chunk := receiver.stdout.read1(4096):
        output += chunk
        time.sleep(0.002)  # slower than RabbitMQ, so that messages never stop coming
    assert (receiver.status(), receiver.err) == (0, "")
    printed = numbers(output.decode())
    assert 0 < len(printed) < 10_000
    assert sorted(printed + left(printed, 10_000)) == list(range(10_000))


def test_killed_amid_100_000_messages_it_loses_none_and_at_most_1000_come_twice(backlog, receive, left):
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


def test_it_never_holds_more_than_1000_messages(receive, consumers, broker, hello):
    receiver = receive("--ack")
    consumers(1)
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


def test_25_crashes_lose_none_of_200_messages(no_delivery_limit, hello, stuck, left):
    for number in range(200):
        hello.basic_publish(exchange="", routing_key="hello", body=b"%-10000d" % number)
    printed = set()
    for _ in range(25):
        receiver = stuck("--ack")
        receiver.kill()
        printed.update(numbers(receiver.stdout.read().decode()))
    taken = left(printed, 200)
    assert printed | set(taken) == set(range(200))
    assert len(taken) > 100
