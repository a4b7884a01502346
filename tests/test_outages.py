"""What someone sees whose receive.py is cut off from RabbitMQ: why, once, and messages again when RabbitMQ is back."""

import contextlib
import re
import signal
import time

import pytest
from conftest import WAITING, wait_for
from pika import spec

LOST = " [!] the connection was lost; connecting again\n"
OPTIONS = pytest.mark.parametrize("option", [[], ["--ack"]], ids=["default", "--ack"])


@pytest.fixture
def both(receive):
    """Start receive.py and receive.py --ack, and wait until both consume."""
    return lambda **keywords: [receive(**keywords), receive("--ack", **keywords)]


@pytest.fixture
def go_on(send):
    """Assert that the receivers wait for messages again, and receive them; and told of one outage, and why."""

    def go_on(receivers, reason):
        wait_for(lambda: all(receiver.out == WAITING * 2 for receiver in receivers))
        for number in range(4):
            wait_for(lambda number=number: send(str(number)).returncode == 0)
        sent = [f" [x] Received '{number}'" for number in range(4)]
        wait_for(lambda: sum(receiver.out.count("Received") for receiver in receivers) >= len(sent))
        received = "".join(receiver.out.replace(WAITING, "") for receiver in receivers)
        assert sorted(received.splitlines()) == sent
        for receiver in receivers:
            first, *others = receiver.err.splitlines()
            assert re.fullmatch(rf" \[!\] ({reason}); connecting again", first)
            assert len({first, *others}) == 1 + len(others)  # no reason twice
            assert all(re.fullmatch(r" \[!\] localhost:\d+: .*; connecting again", other) for other in others)
            assert receiver.poll() is None

    return go_on


def restart(broker, end, receivers):
    """End a broker, and start it once receivers were refused: a killed node may cut them while it still listens."""
    end()
    try:
        wait_for(lambda: all("nothing listens there" in receiver.err for receiver in receivers))
    finally:
        broker.start()


@contextlib.contextmanager
def frozen(*programs):
    """The time in which programs stand still, as after CTRL+Z."""
    for program in programs:
        program.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for program in programs:
            program.send_signal(signal.SIGCONT)


def test_it_goes_on_after_an_operator_has_closed_its_connection(broker, both, go_on):
    receivers = both()
    broker.rabbitmqctl("close_all_connections", 'it\'s\n"over" now')
    go_on(receivers, 'CONNECTION_FORCED - it\'s "over" now')


def test_it_goes_on_after_rabbitmq_was_stopped_and_started(broker, both, go_on):
    receivers = both()
    restart(broker, broker.stop, receivers)
    go_on(receivers, "CONNECTION_FORCED.*|RabbitMQ cancelled the consumer.*")


def test_it_goes_on_after_rabbitmq_was_killed_and_restarted(broker, both, go_on):
    receivers = both()
    # Without this, RabbitMQ 3.10 forgets a quorum queue that is younger than about a second.
    broker.rabbitmqctl("eval", "mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()].")
    restart(broker, broker.kill, receivers)
    go_on(receivers, "the connection was lost")


@OPTIONS
def test_it_goes_on_with_a_new_queue_after_the_queue_was_deleted(receive, go_on, hello, option):
    receiver = receive(*option)  # one alone: RabbitMQ 3.10 may refuse two that make a queue at the same moment
    hello.queue_delete("hello")
    go_on([receiver], r"RabbitMQ cancelled the consumer \(was the queue deleted\?\)")


def test_it_goes_on_after_it_was_frozen_past_its_heartbeat(broker, both, consumers, go_on):
    receivers = both(url=broker.url + "?heartbeat=2")
    with frozen(*receivers):
        consumers(0)
    go_on(receivers, "the connection was lost")


@OPTIONS
def test_it_tells_of_every_outage_once(receive, proxy, option):
    cable = proxy()
    receiver = receive(*option, url=cable.url)
    for number in (1, 2, 3):
        cable.cut_all()
        wait_for(lambda number=number: receiver.out == WAITING * (number + 1))
    assert receiver.err == LOST * 3


def test_it_tells_a_reason_once_that_comes_again_each_second(start, proxy):
    cable, declares = proxy(), []

    def refuse(data):
        if b"x-queue-type" in data:
            declares.append(time.monotonic())
            return 1 < len(declares) < 5

    cable.cut = refuse
    receiver = start("receive.py", url=cable.url)
    wait_for(lambda: receiver.out == WAITING)
    cable.cut_all()
    wait_for(lambda: receiver.out == WAITING * 2)
    assert (len(declares), receiver.err) == (5, LOST)
    assert min(later - earlier for earlier, later in zip(declares[1:], declares[2:])) > 0.9  # seconds


def test_it_tells_each_reason_of_an_outage(broker, receive, user):
    receiver = receive(url=user)
    broker.rabbitmqctl("change_password", "rabbit", "another")
    broker.rabbitmqctl("close_all_connections", "new password")
    wait_for(lambda: "ACCESS_REFUSED" in receiver.err)
    broker.rabbitmqctl("change_password", "rabbit", "secret")
    wait_for(lambda: receiver.out == WAITING * 2)
    first, second = receiver.err.splitlines()
    assert first == " [!] CONNECTION_FORCED - new password; connecting again"
    assert re.fullmatch(r" \[!\] localhost:\d+: ACCESS_REFUSED - Login was refused .*; connecting again", second)


@pytest.fixture
def short_timeout(broker):
    """RabbitMQ waits 3 s for an acknowledgement, instead of 30 minutes, and looks each second."""
    usual = {}
    for setting, short in {"consumer_timeout": 3000, "channel_tick_interval": 1000}.items():  # milliseconds
        usual[setting] = broker.rabbitmqctl("eval", f"{{ok, Usual}} = application:get_env(rabbit, {setting}), Usual.")
        broker.rabbitmqctl("eval", f"application:set_env(rabbit, {setting}, {short}).")
    yield
    for setting, value in usual.items():
        broker.rabbitmqctl("eval", f"application:set_env(rabbit, {setting}, {value.strip()}).")


def test_frozen_past_the_acknowledgement_timeout_it_goes_on_or_with_older_rabbitmq_is_refused(
    short_timeout, receive, proxy, hello
):
    between = proxy()
    receiver = receive("--ack", url=between.url)
    with frozen(receiver):
        hello.basic_publish(exchange="", routing_key="hello", body=b"in time?")
        cancelled = spec.Basic.Cancel.INDEX.to_bytes(4, "big")
        wait_for(lambda: {said for said in (b"timed out", cancelled) if said in between.passed[1]})
    if b"timed out" in between.passed[1]:
        assert (receiver.status(), receiver.out) == (1, WAITING)
        assert re.fullmatch(r" \[!\] PRECONDITION_FAILED - delivery ack.* timed out.*\n", receiver.err)
    else:
        wait_for(lambda: receiver.out == (WAITING + " [x] Received 'in time?'\n") * 2)
        assert receiver.err == " [!] RabbitMQ cancelled the consumer (was the queue deleted?); connecting again\n"


@pytest.fixture
def user(broker):
    """The URL of another user, rabbit, who may do all."""
    broker.rabbitmqctl("add_user", "rabbit", "secret")
    broker.rabbitmqctl("set_permissions", "rabbit", ".*", ".*", ".*")
    yield f"amqp://rabbit:secret@localhost:{broker.port}"
    broker.rabbitmqctl("delete_user", "rabbit")


def give_up(receivers, outage, reason):
    """Assert that the receivers end: a line that they were cut off, a line why they do not come back, status 1."""
    assert [receiver.status() for receiver in receivers] == [1] * len(receivers)
    for receiver in receivers:
        assert re.fullmatch(rf" \[!\] {outage}; connecting again\n \[!\] {reason}.*\n", receiver.err)


def test_it_ends_when_the_queue_was_deleted_and_it_may_not_declare_it(broker, both, user, hello):
    receivers = both(url=user)
    broker.rabbitmqctl("set_permissions", "rabbit", "^$", ".*", ".*")
    hello.queue_delete("hello")
    give_up(receivers, "RabbitMQ cancelled .*", "ACCESS_REFUSED - .*'hello'")


@pytest.mark.parametrize(
    "settings, reason",
    [({"durable": True}, "PRECONDITION_FAILED - inequivalent arg"), ({"exclusive": True}, "RESOURCE_LOCKED - ")],
)
def test_it_ends_when_another_program_has_such_a_queue_now(both, hello, settings, reason):
    receivers = both()
    with frozen(*receivers):  # so that they do not declare it first
        hello.queue_delete("hello")
        hello.queue_declare("hello", **settings)
    give_up(receivers, "RabbitMQ cancelled .*", reason)
