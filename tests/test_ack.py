"""What receive.py --ack promises: whatever ends it, each message is printed or still in the queue, in order."""

import os
import re
import shlex
import signal

import brokers
import pytest
from conftest import WAITING, wait_for


def numbers(text):
    """The messages that are printed in text."""
    return [int(number) for number in re.findall(r"Received '(\d+) *'", text)]


@pytest.fixture
def nothing_lost(hello, consumers):
    """Assert that the first of so many messages were printed, and the others are in the queue, in order."""

    def nothing_lost(total, printed):
        consumers(0)
        wait_for(lambda: hello.queue_declare("hello", passive=True).method.message_count >= total - len(printed))
        count, kept = hello.queue_declare("hello", passive=True).method.message_count, []
        for _, _, body in hello.consume("hello", auto_ack=True, inactivity_timeout=90):
            kept.append(int(body))
            if len(kept) == count:
                break
        assert printed == list(range(len(printed))) and 0 < len(printed) < total
        assert kept == list(range(kept[0], total))
        assert len(printed) - 100 <= kept[0] <= len(printed)  # at most 100 come twice

    return nothing_lost


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["CTRL+C", "SIGTERM", "crash"])
def test_ended_amid_20_000_messages_it_loses_none_and_the_others_stay_in_order(fill, receive, stop, nothing_lost):
    fill(20_000)
    receiver = receive("--ack")
    wait_for(lambda: "Received" in receiver.out)
    receiver.send_signal(stop)
    assert receiver.status() == -stop
    nothing_lost(20_000, numbers(receiver.out))


def test_ended_while_nobody_reads_its_output_it_loses_none_and_the_others_stay_in_order(fill, stuck, nothing_lost):
    fill(4000, 100)
    receiver = stuck("--ack")
    receiver.send_signal(signal.SIGINT)
    nothing_lost(4000, numbers(receiver.stdout.read().decode()))


def test_where_its_output_takes_no_more_it_fails_and_loses_none(fill, start, nothing_lost):
    fill(300, 1000)
    read, write = os.pipe()
    os.set_blocking(write, False)  # as some parents do, and then a full pipe is an error
    receiver = start("receive.py", "--ack", stdout=write, PYTHONUNBUFFERED="1")
    os.close(write)
    assert (receiver.status(), receiver.err.count(" [!] standard output: ")) == (1, 1)
    with open(read) as output:
        nothing_lost(300, numbers(output.read()))


def test_cut_off_amid_20_000_messages_it_prints_them_all_and_at_most_100_twice(fill, receive, proxy):
    fill(20_000)
    cable = proxy()
    receiver = receive("--ack", url=cable.url)
    wait_for(lambda: "Received" in receiver.out)
    cable.cut_all()
    wait_for(lambda: receiver.out.endswith(" [x] Received '19999'\n"))
    printed = numbers(receiver.out)
    assert receiver.out.count(WAITING) == 2
    assert sorted(set(printed)) == list(range(20_000))
    assert len(printed) <= 20_100


def test_it_never_holds_more_than_100_messages(stuck, broker, fill):
    fill(300, 1000)
    receiver = stuck("--ack")
    unacknowledged = "list_queues", "messages_unacknowledged", "--silent"
    wait_for(lambda: broker.rabbitmqctl(*unacknowledged).strip() == "100")
    printed = [receiver.stdout.readline() for _ in range(301)]
    assert numbers(b"".join(printed).decode()) == list(range(300))


@pytest.fixture
def keep(broker, channel, shell):
    """Keep what RabbitMQ drops from the queue hello in the queue hello.kept, with the commands of the page."""
    page = (brokers.DOCS / "no-message-lost.md").read_text(encoding="utf-8")
    declare, policy = re.findall(r"```bash\n([^`]*hello\.kept[^`]*)```", page)
    assert shell(declare.replace(".venv/bin/python", "$python")).returncode == 0
    broker.rabbitmqctl(*shlex.split(policy)[3:])
    yield
    broker.rabbitmqctl("clear_policy", "keep")
    channel.queue_delete("hello.kept")


def test_a_message_that_came_back_too_often_is_kept_as_the_page_says(broker, keep, fill, stuck, hello, consumers):
    if broker.rabbitmqctl("version").startswith("3."):
        pytest.skip("RabbitMQ 3 has no delivery limit")
    fill(50, 100_000)  # more than a pipe holds: none is acknowledged
    for _ in range(21):
        stuck("--ack").kill()
        consumers(0)
    kept = hello.consume("hello.kept", auto_ack=True, inactivity_timeout=90)
    assert sorted(int(next(kept)[2]) for _ in range(50)) == list(range(50))
