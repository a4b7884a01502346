"""What someone sees whose receive.py is cut off from RabbitMQ, or stopped."""

import contextlib
import os
import random
import re
import signal
import socket
import threading
import time

import pika
import pytest
from conftest import QUEUE, STOP, WAITING, wait_for

OPTIONS = pytest.mark.parametrize("option", [[], ["--ack"]], ids=["default", "--ack"])
SIGNALS = pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@pytest.fixture
def both(receive, consumers):
    """Start receive.py and receive.py --ack, and wait until both consume."""

    def both(**keywords):
        receivers = [receive(**keywords), receive("--ack", **keywords)]
        consumers(2)
        return receivers

    return both


@pytest.fixture
def go_on(send):
    """Assert that the receivers said once that and why they were cut off, wait for messages again, and receive them."""

    def go_on(receivers, reason):
        wait_for(lambda: all(receiver.out == WAITING * 2 for receiver in receivers))
        sent = [f" [x] Received '{number}'" for number in range(4) if send(str(number)).returncode == 0]
        wait_for(lambda: sum(receiver.out.count("Received") for receiver in receivers) >= len(sent))
        received = "".join(receiver.out.replace(WAITING, "") for receiver in receivers)
        assert sorted(received.splitlines()) == sent
        for receiver in receivers:
            assert re.fullmatch(rf" \[!\] localhost:\d+.*: {reason}; connecting again\n", receiver.err)
            assert receiver.poll() is None

    return go_on


@contextlib.contextmanager
def down(broker, end):
    """The time between the end of a broker and its next start."""
    end()
    try:
        yield
    finally:
        broker.start()


def freeze(programs):
    """Stop programs as CTRL+Z does."""
    for program in programs:
        program.send_signal(signal.SIGSTOP)


def wake(programs):
    """Let frozen programs go on."""
    for program in programs:
        program.send_signal(signal.SIGCONT)


def test_it_goes_on_after_an_operator_has_closed_its_connection(broker, both, go_on):
    receivers = both()
    broker.rabbitmqctl("close_all_connections", "coffee break")
    go_on(receivers, "CONNECTION_FORCED - coffee break")


def test_it_goes_on_after_rabbitmq_was_stopped_and_started(broker, both, go_on):
    receivers = both()
    with down(broker, broker.stop):
        wait_for(lambda: all("connecting again" in receiver.err for receiver in receivers))
    go_on(receivers, "CONNECTION_FORCED.*")


def test_it_goes_on_after_rabbitmq_was_killed_and_restarted(broker, both, go_on):
    receivers = both()
    # Without this, RabbitMQ 3.10 forgets a quorum queue that is younger than about a second.
    broker.rabbitmqctl("eval", "mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()].")
    with down(broker, broker.kill):
        wait_for(lambda: all("connecting again" in receiver.err for receiver in receivers))
    go_on(receivers, "the connection was lost")


@OPTIONS
def test_it_goes_on_with_a_new_queue_after_the_queue_was_deleted(receive, consumers, go_on, hello, option):
    receiver = receive(*option)  # one alone: RabbitMQ 3.10 may refuse two that make a queue at the same moment
    consumers(1)
    hello.queue_delete("hello")
    go_on([receiver], r"RabbitMQ cancelled the consumer \(was the queue deleted\?\)")


def test_it_goes_on_after_it_was_frozen_past_its_heartbeat(broker, both, consumers, go_on):
    receivers = both(url=broker.url + "?heartbeat=2")
    freeze(receivers)
    consumers(0)
    wake(receivers)
    go_on(receivers, "the connection was lost")


def test_it_goes_on_after_its_tcp_connection_was_cut(both, proxy, go_on):
    cable = proxy()
    receivers = both(url=f"amqp://guest:guest@localhost:{cable.port}")
    cable.cut_all()
    go_on(receivers, "the connection was lost")


@OPTIONS
def test_it_tells_of_every_outage_once(receive, proxy, option):
    cable = proxy()
    receiver = receive(*option, url=f"amqp://guest:guest@localhost:{cable.port}")
    for number in (1, 2, 3):
        cable.cut_all()
        wait_for(lambda number=number: receiver.out == WAITING * (number + 1))
    assert receiver.err == f" [!] localhost:{cable.port}: the connection was lost; connecting again\n" * 3


@pytest.fixture
def short_timeout(broker):
    """RabbitMQ waits 3 s for an acknowledgement, instead of 30 minutes, and looks each second."""
    settings = {"consumer_timeout": (3000, "undefined"), "channel_tick_interval": (1000, 60_000)}  # ms: here, otherwise
    for setting, (short, _) in settings.items():
        broker.rabbitmqctl("eval", f"application:set_env(rabbit, {setting}, {short}).")
    yield
    for setting, (_, usual) in settings.items():
        broker.rabbitmqctl("eval", f"application:set_env(rabbit, {setting}, {usual}).")


def test_it_goes_on_after_it_was_frozen_past_the_acknowledgement_timeout(short_timeout, receive, consumers, hello):
    receiver = receive("--ack")
    consumers(1)
    freeze([receiver])
    hello.basic_publish(exchange="", routing_key="hello", body=b"x")
    time.sleep(10)  # on RabbitMQ 3.x nothing shows from outside that the 3 s are over
    wake([receiver])
    wait_for(lambda: receiver.out.endswith(WAITING + " [x] Received 'x'\n"))
    reason = "PRECONDITION_FAILED - delivery ack.* timed out.*|RabbitMQ cancelled the consumer.*"  # RabbitMQ 3, 4
    assert re.fullmatch(rf" \[!\] localhost:.*: ({reason}); connecting again\n", receiver.err)


@pytest.fixture
def user(broker):
    """The URL of another user, rabbit, who may do all."""
    broker.rabbitmqctl("add_user", "rabbit", "secret")
    broker.rabbitmqctl("set_permissions", "rabbit", ".*", ".*", ".*")
    yield f"amqp://rabbit:secret@localhost:{broker.port}"
    broker.rabbitmqctl("delete_user", "rabbit")


def give_up(receivers, reason):
    """Assert that the receivers end: a line that they were cut off, a line why they do not come back, status 1."""
    assert [receiver.status() for receiver in receivers] == [1] * len(receivers)
    for receiver in receivers:
        assert re.fullmatch(rf" \[!\] .*; connecting again\n \[!\] .*{reason}.*\n", receiver.err)
        assert "secret" not in receiver.err


def test_it_ends_when_it_may_not_come_back(broker, both, user):
    receivers = both(url=user)
    broker.rabbitmqctl("clear_permissions", "rabbit")
    broker.rabbitmqctl("close_all_connections", "fired")
    give_up(receivers, "user 'rabbit', virtual host '/': NOT_ALLOWED")


def test_it_ends_when_the_queue_was_deleted_and_it_may_not_declare_it(broker, both, user, hello):
    receivers = both(url=user)
    broker.rabbitmqctl("set_permissions", "rabbit", "^$", ".*", ".*")
    hello.queue_delete("hello")
    give_up(receivers, "user 'rabbit', virtual host '/': ACCESS_REFUSED - .*'hello'")


def test_it_ends_when_the_queue_has_other_settings_now(both, hello):
    receivers = both()
    freeze(receivers)  # so that they do not declare it first
    hello.queue_delete("hello")
    hello.queue_declare("hello", durable=True)
    wake(receivers)
    give_up(receivers, "rabbitmqctl delete_queue hello -p '/': PRECONDITION_FAILED - inequivalent arg 'x-queue-type'")


@SIGNALS
@OPTIONS
def test_it_can_be_stopped_while_nothing_listens(receive, proxy, option, stop):
    cable = proxy()
    receiver = receive(*option, url=f"amqp://guest:guest@localhost:{cable.port}")
    cable.close(cable.server)
    cable.cut_all()
    wait_for(lambda: "connecting again" in receiver.err)
    receiver.send_signal(stop)
    assert (receiver.status(STOP), receiver.err.count("\n")) == (0, 1)


@SIGNALS
@OPTIONS
def test_it_can_be_stopped_while_it_connects_and_nothing_answers(receive, proxy, option, stop):
    cable = proxy()
    receiver = receive(*option, url=f"amqp://guest:guest@127.0.0.1:{cable.port}")
    cable.close(cable.server)
    with socket.create_server(("127.0.0.1", cable.port)) as silent:
        cable.cut_all()
        silent.settimeout(90)
        with silent.accept()[0] as connection:
            connection.settimeout(90)
            assert connection.recv(4) == b"AMQP"
            receiver.send_signal(stop)
            assert (receiver.status(STOP), receiver.err.count("\n")) == (0, 1)


@SIGNALS
@OPTIONS
def test_it_can_be_stopped_while_it_declares_the_queue(start, proxy, option, stop):
    cable = proxy()
    receiver = start("receive.py", *option, url=f"amqp://guest:guest@localhost:{cable.port}")
    cable.cut = lambda data: b"x-queue-type" in data and receiver.send_signal(stop)  # None: nothing is cut
    assert (receiver.status(), receiver.err) == (0, "")


@SIGNALS
def test_it_can_be_stopped_amid_100_000_messages(receive, backlog, stop):
    receiver = receive()
    wait_for(lambda: "Received" in receiver.out)
    receiver.send_signal(stop)
    assert (receiver.status(STOP), receiver.err) == (0, "")
    assert receiver.out.endswith("'\n")


@pytest.fixture
def load(broker):
    """Keep some 20,000 messages in the queue."""
    end = threading.Event()

    def fill():
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            channel.queue_declare(**QUEUE)
            while not end.wait(0.02):
                for _ in range(20_000 - channel.queue_declare("hello", passive=True).method.message_count):
                    channel.basic_publish(exchange="", routing_key="hello", body=b"load")

    thread = threading.Thread(target=fill)
    thread.start()
    yield
    end.set()
    thread.join()


def test_it_can_be_stopped_at_any_moment(receive, load):
    for number in range(int(os.environ.get("STOPS", "20"))):
        receiver = receive(*[["--ack"], []][number % 2])
        time.sleep(random.random() / 2)
        receiver.send_signal(random.choice([signal.SIGINT, signal.SIGTERM]))
        assert (receiver.status(STOP), receiver.err) == (0, ""), f"try {number}"


@pytest.fixture
def large_message(hello):
    """A message in the queue that fills any pipe."""
    hello.basic_publish(exchange="", routing_key="hello", body=b"x" * 1_000_000)


@SIGNALS
@OPTIONS
def test_it_can_be_stopped_while_nobody_reads_its_output(large_message, stuck, option, stop):
    receiver = stuck(*option)
    receiver.send_signal(stop)
    assert receiver.status(STOP) == 0


@OPTIONS
def test_a_second_ctrl_c_ends_it_at_once(large_message, stuck, option):
    receiver = stuck(*option)
    # Signals that come together count as one; so again and again until the second is seen.
    wait_for(lambda: receiver.poll() is not None or receiver.send_signal(signal.SIGINT))
    assert receiver.returncode == -signal.SIGINT
