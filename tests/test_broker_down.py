"""What someone sees when RabbitMQ itself is stopped, killed, or short of memory."""

import re
import socket
import time

import pytest
from machinery import AGAIN, LOST, SENT, WAITING, blocks, running, wait_for

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
    wait_for(lambda: receiver.err and socket.socket().connect_ex(("127.0.0.1", node.port)))  # it listens no longer
    node.start()
    wait_for(lambda: receiver.out == f"{WAITING} [x] Received 'before'\n{WAITING}")
    assert send("after", url=node.url).returncode == 0
    wait_for(lambda: receiver.out.endswith(f"{WAITING} [x] Received 'after'\n"))
    first, *others = receiver.err.splitlines(keepends=True)
    (on_the_page,) = (block for block in blocks("README.md", "text") if "CONNECTION_FORCED" in block)
    assert first + WAITING == on_the_page if end == "stop" else first == LOST + AGAIN
    assert all(re.search(rf"(nothing listens|no RabbitMQ answers) there.*{AGAIN}", other) for other in others)


def test_send_waits_while_rabbitmq_lacks_memory_for_ten_seconds_or_as_the_url_says(node, start):
    node.ctl("set_vm_memory_high_watermark", "0.00001")
    options, begin = ("?blocked_connection_timeout=1", "", "?blocked_connection_timeout=90"), time.monotonic()
    fast, slow, patient = (start("send.py", url=node.url + option) for option in options)
    assert (fast.status(), fast.out, fast.err) == (1, "", ALARM)
    assert slow.poll() is None
    assert (slow.status(), slow.out, slow.err) == (1, "", ALARM)
    assert time.monotonic() - begin > 10
    assert (patient.poll(), patient.out, patient.err) == (None, "", "")
    node.ctl("set_vm_memory_high_watermark", "0.6")
    assert (patient.status(), patient.out, patient.err) == (0, SENT, "")
