"""docs/no-message-lost.md: receive.py with its change loses no message, and keeps their order."""

import json
import re
import shlex
import signal

import pytest
from support.pages import named_block, read_blocks
from support.programs import change_file
from support.project import WAITING
from support.queue import HelloQueue
from support.waiting import wait_until

PAGE = "docs/no-message-lost.md"
MESSAGES = 5_000
ACKNOWLEDGES = "        ch.basic_ack("
PREFETCH = 100  # the page's prefetch_count: so many messages may come twice


@pytest.fixture
def acknowledging_receiver(copy_as_shown):
    """The path of a receive.py that has the change of the page."""
    return copy_as_shown(PAGE, "acknowledgements") / "receive.py"


@pytest.fixture
def many_messages(hello_queue):
    """Put numbers into the queue hello: '0', '1', … '4999'."""
    hello_queue.fill(*[str(number) for number in range(MESSAGES)])


def printed_numbers(receiver):
    """Return the numbers that it has printed, in order."""
    return [int(number) for number in re.findall(r"Received '(\d+)'", receiver.out)]


def stop_amid_the_messages(receiver, send_signal):
    receiver.wait_for_out(" [x] Received '0'\n")
    receiver.send_signal(send_signal)
    status = receiver.wait_for_end()
    printed = printed_numbers(receiver)
    assert printed == list(range(len(printed)))
    assert len(printed) < MESSAGES, "it was stopped too late to show anything"
    return status, printed


def assert_the_rest_is_in_the_queue(hello_queue, printed):
    """All that was not printed is there, in order, and at most 100 of those that were."""
    hello_queue.wait_for_consumers(0)
    hello_queue.wait_for_messages(MESSAGES - len(printed))
    left = [int(text) for text in hello_queue.take_all()]
    first = left[0]
    assert left == list(range(first, MESSAGES))
    assert len(printed) - PREFETCH <= first <= len(printed)


def test_the_change_has_three_lines():
    diff = named_block(PAGE, "acknowledgements").text

    assert len(re.findall(r"^\+", diff, re.MULTILINE)) == 3


def test_ctrl_c_loses_no_message(acknowledging_receiver, many_messages, start_receive, hello_queue):
    receiver = start_receive(acknowledging_receiver)

    status, printed = stop_amid_the_messages(receiver, signal.SIGINT)

    assert status == 130
    assert_the_rest_is_in_the_queue(hello_queue, printed)


def test_a_crash_loses_no_message(
    acknowledging_receiver, many_messages, start_receive, hello_queue
):
    receiver = start_receive(acknowledging_receiver)

    status, printed = stop_amid_the_messages(receiver, signal.SIGKILL)

    assert status == -signal.SIGKILL
    assert_the_rest_is_in_the_queue(hello_queue, printed)


def test_a_connection_that_is_cut_loses_no_message(
    acknowledging_receiver, many_messages, start_receive, proxy
):
    proxy.cut_after(bytes_from_broker=20_000)  # amid the messages

    receiver = start_receive(acknowledging_receiver, url=proxy.url)
    receiver.wait_for_err("connecting again")
    before = printed_numbers(receiver)
    receiver.wait_for_out(f" [x] Received '{MESSAGES - 1}'\n")

    after = printed_numbers(receiver)[len(before) :]
    assert receiver.out.count(WAITING) == 2
    assert before == list(range(len(before)))
    assert 0 < len(before) < MESSAGES
    assert after == list(range(after[0], MESSAGES))
    assert len(before) - PREFETCH <= after[0] <= len(before)


@pytest.fixture
def policy_of_the_page(broker):
    """Create the queue hello.kept and set the page's policy, with a limit of one return."""
    kept = HelloQueue(broker.url)
    kept.channel.queue_declare("hello.kept", durable=True, arguments={"x-queue-type": "quorum"})
    command = next(block.text for block in read_blocks(PAGE) if "set_policy" in block.text)
    definition = json.loads(shlex.split(command)[-1])
    broker.set_policy("^hello$", **definition, **{"delivery-limit": 1})  # RabbitMQ 4's own is 20
    yield
    kept.connection.close()


def wait_for_kept_message(hello_queue):
    """Return the next message of the queue hello.kept."""
    _, _, body = wait_until(
        lambda: hello_queue.channel.basic_get("hello.kept", auto_ack=True),
        lambda answer: answer[2] is not None,
        "a message in the queue hello.kept",
    )
    return body


def test_a_message_that_each_receiver_fails_on_is_kept_elsewhere(
    acknowledging_receiver, policy_of_the_page, start_python, hello_queue
):
    change_file(acknowledging_receiver, [(ACKNOWLEDGES, f"        a_mistake\n{ACKNOWLEDGES}")])
    hello_queue.fill("poison")

    first = start_python(acknowledging_receiver)
    assert first.wait_for_end() == 1
    second = start_python(acknowledging_receiver)
    assert second.wait_for_end() == 1

    assert wait_for_kept_message(hello_queue) == b"poison"


def test_a_rejected_message_is_kept_elsewhere(
    copy_as_shown, policy_of_the_page, start_receive, hello_queue
):
    receiver = start_receive(copy_as_shown(PAGE, "reject-a-bad-message") / "receive.py")

    hello_queue.publish("12", "twelve", "13")

    receiver.wait_for_out(" [x] Received 13\n")
    assert receiver.out == f"{WAITING} [x] Received 12\n [x] Rejected b'twelve'\n [x] Received 13\n"
    assert wait_for_kept_message(hello_queue) == b"twelve"
