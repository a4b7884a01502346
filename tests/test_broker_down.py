"""What someone sees when RabbitMQ itself is stopped, killed, or short of memory."""

import re
import time

import pytest
from machinery import WAITING, wait_for

SENT = " [x] Sent 'Hello World!'\n"
ALARM = " [!] RabbitMQ lacks memory or disk; messages may arrive\n"


@pytest.fixture
def goes_on(send, receive, node):
    """Start receive.py, let RabbitMQ end and start, and assert that it then receives; return what it said."""

    def goes_on(end):
        receiver = receive(url=node.url)
        send("before", url=node.url)
        time.sleep(2)  # RabbitMQ 3.10 to 4.3 may forget a quorum queue that is younger than a second when it is killed
        end()
        wait_for(lambda: receiver.err)
        node.start()
        wait_for(lambda: receiver.out.endswith(WAITING))
        assert send("after", url=node.url).returncode == 0
        wait_for(lambda: receiver.out == f"{WAITING} [x] Received 'before'\n{WAITING} [x] Received 'after'\n")
        return receiver.err.splitlines()

    return goes_on


def test_receive_goes_on_after_rabbitmq_was_stopped_and_started(node, goes_on):
    first, *others = goes_on(node.stop)
    assert re.fullmatch(r" \[!\] (CONNECTION_FORCED .*|main\(\) has ended .*); connecting again in 5 seconds", first)
    assert all("nothing listens there" in other or "no RabbitMQ" in other for other in others)


def test_receive_goes_on_after_rabbitmq_was_killed_and_started(node, goes_on):
    first, *others = goes_on(node.kill)
    assert first == " [!] the connection was lost, perhaps with messages on the way; connecting again in 5 seconds"
    assert all("nothing listens there" in other or "no RabbitMQ" in other for other in others)


@pytest.fixture
def alarm(node):
    """Set off the memory alarm; it ends with the test, or by calling this."""
    node.ctl("set_vm_memory_high_watermark", "0.00001")
    yield lambda: node.ctl("set_vm_memory_high_watermark", "0.6")
    node.ctl("set_vm_memory_high_watermark", "0.6")


def test_rabbitmq_lacks_memory_for_a_while(start, node, alarm):
    sender = start("send.py", url=node.url + "?blocked_connection_timeout=90")
    wait_for(lambda: "blocked" in [connection.get("state") for connection in node.api("GET", "connections")])
    assert (sender.out, sender.err, sender.poll()) == ("", "", None)
    alarm()
    assert (sender.status(), sender.out, sender.err) == (0, SENT, "")


def test_rabbitmq_lacks_memory_for_longer_than_ten_seconds_or_as_the_url_says(start, node, alarm):
    begin = time.monotonic()
    slow, fast = start("send.py", url=node.url), start("send.py", url=node.url + "?blocked_connection_timeout=1")
    assert (fast.status(), fast.out, fast.err) == (1, "", ALARM)
    assert slow.poll() is None
    assert (slow.status(), slow.out, slow.err) == (1, "", ALARM)
    assert time.monotonic() - begin > 10
