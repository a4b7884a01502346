"""What receive.py promises with the three lines of docs/no-message-lost.md: no message is lost, and all stay in order."""

import re
import shlex
import shutil
import signal
import subprocess

import pytest
from machinery import PROJECT, WAITING, blocks, changes, publish, state, take, wait_for

PAGE = "docs/no-message-lost.md"
(DIFF,) = blocks(PAGE, "diff")


@pytest.fixture
def changed(copy):
    """The path of receive.py with the change of the page."""
    return copy("receive.py", *changes(DIFF))


def printed(receiver):
    """The numbers that it has printed."""
    return [int(number) for number in re.findall(r"Received '(\d+)'", receiver.out)]


@pytest.mark.skipif(not shutil.which("patch"), reason="there is no patch here")
def test_patch_applies_the_change_as_it_stands_on_the_page(copy, changed):
    path = copy("receive.py")
    subprocess.run(["patch", path], input=DIFF, text=True, check=True)
    assert path.read_text() == changed.read_text()
    assert len(set(path.read_text().splitlines()) - set((PROJECT / "receive.py").read_text().splitlines())) == 3


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["CTRL+C", "SIGTERM", "a crash"])
def test_stopped_amid_5000_messages_it_loses_none_and_at_most_100_come_twice(changed, receive, hello, stop):
    publish(hello, *map(str, range(5000)))
    receiver = receive(changed)
    wait_for(lambda: printed(receiver))
    receiver.send_signal(stop)
    assert receiver.status() == (130 if stop == signal.SIGINT else -stop)
    done = printed(receiver)
    wait_for(lambda: state(hello).consumer_count == 0 and state(hello).message_count >= 5000 - len(done))
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
    assert receiver.out.count(WAITING) == 2
    assert set(printed(receiver)) == set(range(5000)) and len(printed(receiver)) <= 5100


def test_it_never_holds_more_than_100_messages(changed, receive, hello):
    receiver = receive(changed)
    with receiver.frozen():
        for number in range(300):
            hello.basic_publish(exchange="", routing_key="hello", body=str(number))
        wait_for(lambda: state(hello).message_count == 200)
    wait_for(lambda: printed(receiver) == list(range(300)))


def test_a_message_that_each_receiver_fails_on_comes_back_and_is_kept_as_the_page_says(changed, broker, start, hello):
    declare, policy = (block for block in blocks(PAGE, "bash") if "hello.kept" in block)
    assert start("-c", declare, program="bash").status() == 0
    words = shlex.split(policy)[1:]
    limit = words[-1].replace("{", '{"delivery-limit": 1, ', 1)  # RabbitMQ 4's own is 20, RabbitMQ 3 has none
    broker.ctl(*words[:-1], limit, "-p", broker.vhost)
    changed.write_text(changed.read_text().replace("        ch.basic_ack", "        mistake\n        ch.basic_ack"))
    publish(hello, "poison")

    def kept():
        assert start(changed).status() == 1
        return hello.basic_get("hello.kept", auto_ack=True)[2]

    assert start(changed).status() == 1
    wait_for(lambda: state(hello).message_count == 1)
    assert wait_for(kept) == b"poison"
