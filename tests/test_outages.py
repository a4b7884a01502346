"""What someone sees whose connection is lost while receive.py runs: why, in one line, and messages again later."""

import re
import time

import pytest
from machinery import WAITING, consumers, frozen, wait_for

AGAIN = "; connecting again in 5 seconds\n"
LOST = " [!] the connection was lost, perhaps with messages on the way" + AGAIN
DELETED = " [!] main() has ended (was the queue deleted?)" + AGAIN


@pytest.fixture
def goes_on(send):
    """Assert that the receiver has said just this, waits for messages again, and receives."""

    def goes_on(receiver, said):
        wait_for(lambda: receiver.out == WAITING * 2)
        assert receiver.err == said
        assert send().returncode == 0
        wait_for(lambda: receiver.out == WAITING * 2 + " [x] Received 'Hello World!'\n")
        assert receiver.poll() is None

    return goes_on


def close_connections(broker, vhost):
    """Close all connections to a virtual host, as an operator does on the management page."""
    here = wait_for(lambda: [each for each in broker.api("GET", "connections") if each.get("vhost") == vhost])
    for connection in here:
        broker.api("DELETE", "connections", connection["name"])


def test_it_goes_on_five_seconds_after_an_operator_has_closed_its_connection(broker, receive, goes_on):
    receiver = receive()
    close_connections(broker, broker.vhost)
    wait_for(lambda: receiver.err)
    begin = time.monotonic()
    goes_on(receiver, " [!] CONNECTION_FORCED - over now" + AGAIN)
    assert time.monotonic() - begin > 4.5  # the line may be seen a little later than it was printed


def test_it_goes_on_with_a_new_queue_after_the_queue_was_deleted(receive, hello, goes_on):
    receiver = receive()
    hello.queue_delete("hello")
    goes_on(receiver, DELETED)


def test_a_queue_that_is_deleted_again_and_again_leaves_one_connection(broker, receive, hello):
    receiver = receive()
    for number in (2, 3):
        hello.queue_delete("hello")
        wait_for(lambda number=number: receiver.out == WAITING * number)
    open_now = broker.ctl("-q", "list_connections", "vhost").splitlines()
    assert open_now.count(broker.vhost) == 2  # that of the test, and one of receive.py


def test_it_goes_on_after_it_was_frozen_past_its_heartbeat(broker, receive, hello, goes_on):
    receiver = receive(url=broker.url + "?heartbeat=2")
    with frozen(receiver):
        wait_for(lambda: consumers(hello) == 0)
    goes_on(receiver, LOST)


def test_it_tells_of_each_outage_and_each_try(receive, proxy):
    cable = proxy()
    receiver = receive(url=cable.url)
    cable.hear = lambda data: data.startswith(b"AMQP")  # nobody gets in any more
    cable.cut()
    refused = rf" \[!\] 127.0.0.1:{cable.port}, vhost test .*: no RabbitMQ answers there .*{AGAIN}"
    wait_for(lambda: re.fullmatch(re.escape(LOST) + refused, receiver.err))
    cable.hear = None
    wait_for(lambda: receiver.out == WAITING * 2)
    cable.cut()
    wait_for(lambda: receiver.out == WAITING * 3)
    assert re.fullmatch(re.escape(LOST) + f"({refused})+" + re.escape(LOST), receiver.err)


def test_it_waits_for_its_login_to_be_right_again(broker, receive, goes_on):
    name = f"user of {broker.vhost}"
    broker.api("PUT", "users", name, password="secret", tags="")
    broker.api("PUT", "permissions", broker.vhost, name, configure=".*", write=".*", read=".*")
    receiver = receive(url=broker.url.replace("guest:guest", f"{name}:secret".replace(" ", "%20")))
    broker.api("PUT", "users", name, password="another", tags="")
    close_connections(broker, broker.vhost)
    wait_for(lambda: "ACCESS_REFUSED - Login was refused" in receiver.err)
    assert receiver.poll() is None
    broker.api("PUT", "users", name, password="secret", tags="")
    wait_for(lambda: receiver.out == WAITING * 2)
    broker.api("DELETE", "users", name)


def ends(receiver, reason):
    """Assert that the receiver ends: a line that it was cut off, a line why it does not come back, status 1."""
    assert (receiver.status(), receiver.out) == (1, WAITING)
    assert re.fullmatch(re.escape(DELETED) + rf" \[!\] {reason} .*\n", receiver.err)


def test_it_ends_when_it_may_not_declare_its_queue_again(broker, receive, hello):
    receiver = receive()
    with frozen(receiver):
        hello.queue_delete("hello")
        broker.api("PUT", "permissions", broker.vhost, "guest", configure="^$", write=".*", read=".*")
    ends(receiver, "ACCESS_REFUSED")


@pytest.mark.parametrize(
    "settings, reason", [({"durable": True}, "PRECONDITION_FAILED"), ({"exclusive": True}, "RESOURCE_LOCKED")]
)
def test_it_ends_when_another_program_has_such_a_queue_now(receive, hello, settings, reason):
    receiver = receive()
    with frozen(receiver):
        hello.queue_delete("hello")
        hello.queue_declare("hello", **settings)
    ends(receiver, reason)
