"""What docs/no-message-lost.md promises of receive.py with its three lines: no message is lost, and all stay in order."""

import re
import shlex
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import ENDLESS, LOST, SENT, WAITING, blocks, changes, publish, state, take, wait_for

PAGE = "docs/no-message-lost.md"
(DIFF,) = blocks(PAGE, "diff")
CUT, NOT_IN = re.escape(LOST), r" \[!\] 127\.0\.0\.1:\d+, vhost .*: .*(no RabbitMQ answers there|StreamLostError).*"


@pytest.fixture
def changed(copy):
    """The path of receive.py with the change of the page, which is of three lines."""
    assert len(re.findall(r"^\+", DIFF, re.MULTILINE)) == 3
    if not shutil.which("patch"):
        return copy("receive.py", *changes(DIFF))
    path = copy("receive.py")
    said = subprocess.check_output(["patch", "receive.py"], cwd=path.parent, input=DIFF, text=True)
    assert said == "patching file receive.py\n"
    return path


def printed(receiver):
    """The numbers that it has printed."""
    return [int(number) for number in re.findall(r"Received '(\d+)'", receiver.out)]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["CTRL+C", "a crash"])
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
    wait_for(lambda: receiver.err)  # it is cut off, for 5 seconds
    done = printed(receiver)
    wait_for(lambda: receiver.out.endswith(" [x] Received '4999'\n"))
    again = printed(receiver)[len(done) :]
    assert done == list(range(len(done))) and again == list(range(again[0], 5000))
    assert len(done) - 100 <= again[0] <= len(done) < 5000 and receiver.out.count(WAITING) == 2


def test_a_message_that_each_receiver_fails_on_comes_back_and_is_kept_as_the_page_says(changed, broker, start, hello):
    declare, policy = (block for block in blocks(PAGE, "bash") if "hello.kept" in block)
    assert start("-c", declare, program="bash").status() == 0
    *words, limit = shlex.split(policy)[1:]
    limit = limit.replace("{", '{"delivery-limit": 1, ', 1)  # RabbitMQ 4's own is 20, RabbitMQ 3 has none
    broker.ctl(*words, limit, "-p", broker.vhost)
    changed.write_text(changed.read_text().replace("        ch.basic_ack", "        mistake\n        ch.basic_ack"))
    publish(hello, "poison")
    receivers = [start(changed)]

    def kept():
        if receivers[-1].poll() is not None:
            receivers.append(start(changed))
        return hello.basic_get("hello.kept", auto_ack=True)[2]

    assert wait_for(kept) == b"poison"
    assert [receiver.status() for receiver in receivers[:2]] == [1, 1]


def test_wherever_it_is_cut_what_send_calls_sent_is_in_the_queue_and_else_it_says_what_it_knows(desk):
    def run(*limits):  # so many bytes there and back, in a virtual host of its own
        node = desk.broker.virtual_host(f"{desk.broker.vhost} {limits}")
        between = desk.proxy(limits, to=node)
        with node.channel() as channel:
            sender = desk.send(url=between.url)
            there = take(channel)
        if sender.out:
            assert (sender.out, there) == (SENT, ["Hello World!"])
            assert sender.returncode == 0 or re.fullmatch(f"{CUT}\n", sender.err)
        else:
            known = CUT if there else f"{CUT}|{NOT_IN}"
            assert re.fullmatch(f"({known})\n", sender.err) and sender.returncode == 1
        return between.passed

    (there, back), (endless, _) = run(*ENDLESS), ENDLESS
    cuts = [(number, endless) for number in range(1, there, 53)] + [(endless, number) for number in range(1, back, 53)]
    assert len(cuts) > 20
    with ThreadPoolExecutor(12) as pool:
        for cut, done in [(cut, pool.submit(run, *cut)) for cut in cuts]:
            assert done.exception() is None, f"cut after {cut} bytes to RabbitMQ, from RabbitMQ: {done.exception()}"
