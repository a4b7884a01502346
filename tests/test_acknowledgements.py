"""What receive.py promises once it has the three lines of docs/no-message-lost.md: no message is lost, all stay in order."""

import json
import re
import shlex
import shutil
import signal
import subprocess

import pytest
from machinery import PROJECT, WAITING, blocks, changes, consumers, count, frozen, publish, take, wait_for

PAGE = "/tmp/w/nml.md"
(DIFF,) = blocks(PAGE, "diff")


@pytest.fixture
def changed(copy):
    """The path of receive.py with the change of the page."""
    return copy("receive.py", *changes(DIFF))


def printed(receiver):
    """The numbers that it has printed."""
    return [int(number) for number in re.findall(r"Received '(\d+)'", receiver.out)]


def test_the_change_is_three_lines(changed):
    before, after = ((path / "receive.py").read_text().splitlines() for path in (PROJECT, changed.parent))
    assert len([line for line in after if line not in before]) == 3


@pytest.mark.skipif(not shutil.which("patch"), reason="there is no patch here")
def test_patch_applies_the_change_as_it_stands_on_the_page(copy, changed):
    path = copy("receive.py")
    subprocess.run(["patch", path], input=DIFF, text=True, check=True)
    assert path.read_text() == changed.read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["CTRL+C", "SIGTERM", "a crash"])
def test_stopped_amid_5000_messages_it_loses_none_and_at_most_100_come_twice(changed, receive, hello, stop):
    publish(hello, *map(str, range(5000)))
    receiver = receive(changed)
    wait_for(lambda: printed(receiver))
    receiver.send_signal(stop)
    assert receiver.status() == (130 if stop == signal.SIGINT else -stop)
    done = printed(receiver)
    wait_for(lambda: consumers(hello) == 0 and count(hello) >= 5000 - len(done))
    kept = [int(body) for body in take(hello)]
    assert done == list(range(len(done))) and kept == list(range(kept[0], 5000))
    assert len(done) - 100 <= kept[0] <= len(done) < 5000


def test_cut_off_amid_5000_messages_it_prints_them_all_and_at_most_100_twice(changed, receive, proxy, hello):
    publish(hello, *map(str, range(5000)))
    cable = proxy()
    receiver = receive(changed, url=cable.url)
    wait_for(lambda: printed(receiver))
    cable.cut()
    wait_for(lambda: receiver.out.endswith(" [x] Received '4999'\n"))
    numbers = printed(receiver)
    assert receiver.out.count(WAITING) == 2
    assert sorted(set(numbers)) == list(range(5000)) and len(numbers) <= 5100


def test_it_never_holds_more_than_100_messages(changed, receive, hello):
    receiver = receive(changed)
    with frozen(receiver):
        publish_all = [str(number) for number in range(300)]
        for body in publish_all:
            hello.basic_publish(exchange="", routing_key="hello", body=body)
        wait_for(lambda: count(hello) == 200)
    wait_for(lambda: printed(receiver) == list(range(300)))
    assert receiver.out.count(WAITING) == 1


def test_a_mistake_in_the_callback_leaves_the_message_in_the_queue(changed, receive, send, hello):
    text = changed.read_text()
    changed.write_text(text.replace("        ch.basic_ack", "        mistake\n        ch.basic_ack"))
    receiver = receive(changed)
    send("kept")
    assert receiver.status() == 1 and "NameError" in receiver.err
    wait_for(lambda: count(hello) == 1)
    assert take(hello) == ["kept"]
