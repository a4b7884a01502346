"""What someone sees when RabbitMQ itself is stopped, killed, or short of memory."""

import re
import time

import pytest
from machinery import AGAIN, LOST, WAITING, blocks, running, wait_for

SENT = " [x] Sent 'Hello World!'\n"
ALARM = " [!] RabbitMQ lacks memory or disk; messages may arrive\n"


@pytest.fixture(scope="module")
def node(pytestconfig):
    """A broker that only these tests use."""
    with running(pytestconfig.shared["kind"], "down") as node:
        yield node


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_receive_goes_on_after_rabbitmq_was_stopped_or_killed_and_started(node, send, receive, end):
    receiver = receive(url=node.url)
    send("before", url=node.url)
    time.sleep(2)  # killed within a second of a quorum queue's birth, RabbitMQ 3.10 to 4.3 may forget the queue
    getattr(node, end)()
    wait_for(lambda: receiver.err)
    node.start()
    wait_for(lambda: receiver.out == f"{WAITING} [x] Received 'before'\n{WAITING}")
    assert send("after", url=node.url).returncode == 0
    wait_for(lambda: receiver.out.endswith(f"{WAITING} [x] Received 'after'\n"))
    first, *others = receiver.err.splitlines(keepends=True)
    (on_the_page,) = (block for block in blocks("README.md", "text") if "CONNECTION_FORCED" in block)
    assert first + WAITING == on_the_page if end == "stop" else first == LOST + AGAIN
    assert all(re.search(rf"(nothing listens|no RabbitMQ answers) there.*{AGAIN}", other) for other in others)


@pytest.fixture
def alarm(node):
    """Set off the memory alarm; it ends with the test, or by calling this."""
    node.ctl("set_vm_memory_high_watermark", "0.00001")
    yield lambda: node.ctl("set_vm_memory_high_watermark", "0.6")
    node.ctl("set_vm_memory_high_watermark", "0.6")


def test_send_waits_while_rabbitmq_lacks_memory_and_sends_when_there_is_some(start, node, alarm):
    sender = start("send.py", url=node.url + "?blocked_connection_timeout=90")
    wait_for(lambda: "blocked" in [connection.get("state") for connection in node.api("GET", "connections")])
    assert (sender.out, sender.err, sender.poll()) == ("", "", None)
    alarm()
    assert (sender.status(), sender.out, sender.err) == (0, SENT, "")


def test_send_gives_up_after_ten_seconds_of_that_or_as_the_url_says(start, node, alarm):
    begin = time.monotonic()
    slow, fast = start("send.py", url=node.url), start("send.py", url=node.url + "?blocked_connection_timeout=1")
    assert (fast.status(), fast.out, fast.err) == (1, "", ALARM)
    assert slow.poll() is None
    assert (slow.status(), slow.out, slow.err) == (1, "", ALARM)
    assert time.monotonic() - begin > 10
