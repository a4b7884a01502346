"""What someone sees whose connection is lost while receive.py runs: why, in one line, and messages again later."""

import re
import time

import pytest
from machinery import AGAIN, LOST, WAITING, state, wait_for

DELETED = " [!] main() has ended (was the queue deleted?)" + AGAIN


@pytest.fixture
def goes_on(send):
    """Assert that the receiver has said just this, waits for messages again, and receives."""

    def goes_on(receiver, said):
        wait_for(lambda: receiver.out == WAITING * 2)
        assert receiver.err == said
        assert send().returncode == 0
        wait_for(lambda: receiver.out == WAITING * 2 + " [x] Received 'Hello World!'\n")

    return goes_on


def test_it_goes_on_five_seconds_after_an_operator_has_closed_its_connection(broker, receive, goes_on):
    receiver = receive()
    here = wait_for(lambda: [each for each in broker.api("GET", "connections") if each.get("vhost") == broker.vhost])
    broker.api("DELETE", "connections", here[0]["name"])
    wait_for(lambda: receiver.err)
    begin = time.monotonic()
    goes_on(receiver, " [!] CONNECTION_FORCED - over now" + AGAIN)
    assert time.monotonic() - begin > 4.5  # the line may be seen a little later than it was printed


def test_it_goes_on_after_it_was_frozen_past_its_heartbeat(broker, receive, hello, goes_on):
    receiver = receive(url=broker.url + "?heartbeat=2")
    with receiver.frozen():
        wait_for(lambda: state(hello).consumer_count == 0)
    goes_on(receiver, LOST + AGAIN)


def test_a_queue_that_is_deleted_again_and_again_is_there_again_and_leaves_one_connection(broker, receive, hello):
    receiver = receive()
    for number in (2, 3):
        hello.queue_delete("hello")
        wait_for(lambda number=number: receiver.out == WAITING * number)
    assert receiver.err == DELETED * 2
    connections = broker.ctl("-q", "list_connections", "vhost").splitlines()
    assert connections.count(broker.vhost) == 2  # that of the test, and one of receive.py


def test_it_tells_of_each_outage_and_each_try(receive, proxy):
    cable = proxy()
    receiver = receive(url=cable.url)
    cable.hear = lambda data: data.startswith(b"AMQP")  # nobody gets in any more
    cable.cut()
    refused = rf" \[!\] 127.0.0.1:{cable.port}, vhost test .*: no RabbitMQ answers there .*{AGAIN}"
    wait_for(lambda: re.fullmatch(re.escape(LOST) + AGAIN + refused, receiver.err))
    cable.hear = lambda data: False
    wait_for(lambda: receiver.out == WAITING * 2)
    cable.cut()
    wait_for(lambda: receiver.out == WAITING * 3)
    assert re.fullmatch(re.escape(LOST) + AGAIN + f"({refused})+" + re.escape(LOST) + AGAIN, receiver.err)


@pytest.mark.parametrize("reason", ["ACCESS_REFUSED", "PRECONDITION_FAILED", "RESOURCE_LOCKED"])
def test_it_ends_when_it_may_not_have_its_queue_again(broker, receive, hello, reason):
    receiver = receive()
    with receiver.frozen():
        hello.queue_delete("hello")
        if reason == "ACCESS_REFUSED":
            broker.api("PUT", "permissions", broker.vhost, "guest", configure="^$", write=".*", read=".*")
        else:
            hello.queue_declare("hello", durable=reason != "RESOURCE_LOCKED", exclusive=reason == "RESOURCE_LOCKED")
    assert (receiver.status(), receiver.out) == (1, WAITING)
    assert re.fullmatch(re.escape(DELETED) + rf" \[!\] {reason} .*\n", receiver.err)
