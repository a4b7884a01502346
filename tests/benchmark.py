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

from support.broker import find_command, running_node
from support.pages import change_as_shown
from support.programs import copy_programs, environment
from support.project import PROJECT
from support.queue import HelloQueue

BARE = PROJECT / "tests" / "bare"
ROW = "{:32}{:>9}{:>9}{:>8}{:>11}"


@contextlib.contextmanager
def programs():
    """Copies of the three files, and an acknowledging.py with the change of the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_programs(Path(temporary))
        changed = copy_programs(Path(temporary))
        change_as_shown(changed, "docs/no-message-lost.md", "acknowledgements")
        (changed / "receive.py").rename(folder / "acknowledging.py")
        yield folder


def start_in_terminal(path, url):
    """Start a program in a terminal. Return the program, and the terminal's end of ours."""
    terminal, programs_end = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, str(path)], env=environment(url), stdout=programs_end
    )
    os.close(programs_end)
    return program, terminal


def read_lines(terminal, lines):
    """Read until so many lines have been printed, or the program has ended. Return their number."""
    printed = 0
    while printed < lines:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the program has ended
            break
        if not data:
            break
        printed += data.count(b"\n")
    return printed


def measure_sender(path, url):
    """Return the seconds until a sender has ended."""
    start = time.perf_counter()
    program, terminal = start_in_terminal(path, url)
    read_lines(terminal, lines=sys.maxsize)
    status = program.wait()
    seconds = time.perf_counter() - start
    os.close(terminal)
    if status != 0:
        sys.exit(f"{path} has failed")
    return seconds


def measure_receiver(path, url, messages):
    """Return the seconds until a receiver has printed so many messages that were in the queue."""
    queue = HelloQueue(url)
    queue.channel.queue_purge("hello")
    queue.fill(*[str(number) for number in range(messages)])
    queue.connection.close()

    start = time.perf_counter()
    program, terminal = start_in_terminal(path, url)
    printed = read_lines(terminal, lines=1 + messages)
    seconds = time.perf_counter() - start
    program.kill()
    program.wait()
    os.close(terminal)
    if printed < messages:
        sys.exit(f"{path} has ended after {printed} lines")
    return seconds


def compare(measure, ours, bare, rounds):
    """Measure our program and a bare one in turn. Return their median seconds, and their ratio."""
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
    return statistics.median(our_times), statistics.median(bare_times), ratio


def print_row(title, our_seconds, bare_seconds, ratio, bar):
    numbers = f"{our_seconds:.3f}", f"{bare_seconds:.3f}", f"{ratio:.2f}", f"{bar:.2f}"
    print(ROW.format(title, *numbers), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="measure once and judge nothing: only see that it runs"
    )
    quick = parser.parse_args().quick
    if not find_command("rabbitmq-server"):
        sys.exit("rabbitmq-server is not installed: see docs/start-rabbitmq.md")

    send_rounds = 1 if quick else 20
    receive_rounds = 1 if quick else 6
    messages = 1_000 if quick else 50_000

    with running_node("benchmark") as node, programs() as folder:
        url = node.url()

        def send(path):
            return measure_sender(path, url)

        def receive(path):
            return measure_receiver(path, url, messages)

        with_acknowledgements = BARE / "receive_with_acknowledgements.py"
        rows = [  # title, how to measure, our program, the bare one, rounds, at most
            ("send.py", send, folder / "send.py", BARE / "send.py", send_rounds, 1.05),
            (
                "receive.py",
                receive,
                folder / "receive.py",
                BARE / "receive.py",
                receive_rounds,
                1.05,
            ),
            (
                "with acknowledgements",
                receive,
                folder / "acknowledging.py",
                with_acknowledgements,
                receive_rounds,
                1.10,
            ),
        ]
        print(ROW.format("", "ours, s", "bare, s", "ratio", "at most"))
        missed = []
        for title, measure, ours, bare, rounds, bar in rows:
            our_seconds, bare_seconds, ratio = compare(measure, ours, bare, rounds)
            print_row(title, our_seconds, bare_seconds, ratio, bar)
            if ratio > bar:
                missed.append(title)
    if missed and not quick:
        sys.exit(f"a ratio is over its bar: {', '.join(missed)}")


if __name__ == "__main__":
    main()
