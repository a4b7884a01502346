"""Measure send.py and receive.py in a terminal, each beside a bare pika program (tests/bare).

It starts a RabbitMQ of its own. The exit status is 1 if a ratio is over its bar.
"""

import argparse
import contextlib
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from port_for import get_port
from support.broker import Node, find_command, kill_port_mapper
from support.pages import change_as_shown
from support.programs import copy_programs, environment
from support.project import PROJECT
from support.queue import HelloQueue

BARE = PROJECT / "tests" / "bare"
ROW = "{:32}{:>9}{:>9}{:>8}{:>11}"


@contextlib.contextmanager
def running_node():
    """A RabbitMQ node that runs inside the with block."""
    epmd_port = get_port(None)
    with tempfile.TemporaryDirectory() as folder:
        node = Node("benchmark", Path(folder), epmd_port)
        node.start()
        try:
            yield node
        finally:
            node.kill()
            kill_port_mapper(epmd_port)


@contextlib.contextmanager
def programs():
    """Copies of the three files, and an acknowledging.py with the change of the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_programs(Path(temporary))
        changed = copy_programs(Path(temporary))
        change_as_shown(changed, "docs/no-message-lost.md", "acknowledgements")
        (changed / "receive.py").rename(folder / "acknowledging.py")
        yield folder


def seconds_until_printed(path, url, lines):
    """Run a program in a terminal until it has printed so many lines, and return the seconds."""
    terminal, programs_end = pty.openpty()
    start = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, str(path)], env=environment(url), stdout=programs_end
    )
    os.close(programs_end)
    printed = 0
    with contextlib.suppress(OSError):  # it has ended, and closed the terminal
        while printed < lines:
            printed += os.read(terminal, 65536).count(b"\n")
    seconds = time.perf_counter() - start
    program.kill()
    program.wait()
    os.close(terminal)
    return seconds


def measure_sender(path, url):
    """Return the seconds until a sender has ended."""
    return seconds_until_printed(path, url, lines=sys.maxsize)


def measure_receiver(path, url, messages):
    """Return the seconds until a receiver has printed so many messages that were in the queue."""
    queue = HelloQueue(url)
    queue.channel.queue_purge("hello")
    queue.fill(*[str(number) for number in range(messages)])
    queue.connection.close()
    return seconds_until_printed(path, url, lines=1 + messages)


def compare(title, measure, ours, bare, rounds, bar):
    """Measure two programs in turn, print a row, and return whether the ratio is within the bar."""
    measure(ours)  # to warm up
    measure(bare)
    our_times, bare_times = [], []
    for number in range(rounds):
        if number % 2 == 0:
            our_times.append(measure(ours))
            bare_times.append(measure(bare))
        else:
            bare_times.append(measure(bare))
            our_times.append(measure(ours))
    ratio = statistics.median(our / bare for our, bare in zip(our_times, bare_times))
    our_median = statistics.median(our_times)
    bare_median = statistics.median(bare_times)
    row = ROW.format(title, f"{our_median:.3f}", f"{bare_median:.3f}", f"{ratio:.2f}", f"{bar:.2f}")
    print(row, flush=True)
    return ratio <= bar


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="measure once and judge nothing: only see that it runs"
    )
    quick = parser.parse_args().quick
    if not find_command("rabbitmq-server"):
        sys.exit("rabbitmq-server is not installed: see docs/start-rabbitmq.md")

    send_rounds, receive_rounds, messages = (1, 1, 1_000) if quick else (20, 6, 50_000)
    with running_node() as node, programs() as folder:
        url = node.url()

        def drain(path):
            return measure_receiver(path, url, messages)

        def send(path):
            return measure_sender(path, url)

        print(ROW.format("", "ours, s", "bare, s", "ratio", "at most"))
        within = [
            compare("send.py", send, folder / "send.py", BARE / "send.py", send_rounds, 1.05),
            compare(
                f"receive.py, {messages} messages",
                drain,
                folder / "receive.py",
                BARE / "receive.py",
                receive_rounds,
                1.05,
            ),
            compare(
                "the same with acknowledgements",
                drain,
                folder / "acknowledging.py",
                BARE / "receive_with_acknowledgements.py",
                receive_rounds,
                1.10,
            ),
        ]
    if not quick and not all(within):
        sys.exit("a ratio is over its bar")


if __name__ == "__main__":
    main()
