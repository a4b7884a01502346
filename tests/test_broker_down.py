"""What someone sees when RabbitMQ itself is stopped, or short of memory."""

import re
import time

import pytest
from machinery import AGAIN, SENT, WAITING, blocks, running, wait_for

ALARM = " [!] RabbitMQ lacks memory or disk; messages may arrive\n"


@pytest.fixture(scope="module")
def node(pytestconfig):
    """A broker that only these tests use."""
    with running(pytestconfig.kind, "down") as node:
        yield node


def test_receive_goes_on_after_rabbitmq_was_stopped_and_started_and_what_was_sent_before_is_there(node, send, receive):
    receiver, other = receive(url=node.url), node.virtual_host("other")
    send("kept", url=other.url)
    send("before", url=node.url)
    wait_for(lambda: receiver.out == f"{WAITING} [x] Received 'before'\n")
    node.stop()
    node.start()
    wait_for(lambda: receiver.out == f"{WAITING} [x] Received 'before'\n{WAITING}")
    assert send("after", url=node.url).returncode == 0
    wait_for(lambda: receiver.out.endswith(f"{WAITING} [x] Received 'after'\n"))
    first, *others = receiver.err.splitlines(keepends=True)
    (on_the_page,) = (block for block in blocks("README.md", "text") if "CONNECTION_FORCED" in block)
    assert first + WAITING == on_the_page
    assert all(re.search(rf"(nothing listens|no RabbitMQ answers) there.*{AGAIN}", each) for each in others)
    late = receive(url=other.url)
    wait_for(lambda: late.out.endswith("\n [x] Received 'kept'\n"))


def test_send_waits_while_rabbitmq_lacks_memory_for_ten_seconds_or_as_the_url_says(node, start):
    with node.channel():  # so that the queue is there
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
