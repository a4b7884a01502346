"""Measure send.py and receive.py, also with the change of docs/no-message-lost.md, in a terminal, beside bare pika programs.

It runs a RabbitMQ of its own for some two minutes, with --quick for some seconds. A missed bar is no error.
"""

import contextlib
import os
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machinery import blocks, broker_kind, changes, publish, running, text

SENDS, ROUNDS, MESSAGES = (1, 1, 1_000) if "--quick" in sys.argv else (20, 4, 50_000)
BARE = {  # what makes a bare pika program of one of ours, as the official tutorial has it
    r"from connection import .*": "import os, pika",
    r"connect\(\)": 'pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))',
    r" *channel.confirm_delivery.*\n|, mandatory=True": "",
    r"\(errors='replace'\)!r": "()",
    r"\b(run|keep_running)\(main\)": "main()",
}


def measure(path, broker, queued):
    """How many of the queued messages a receiver prints in a second, in a terminal; or how many seconds a sender takes."""
    with broker.channel() as channel:
        channel.queue_purge("hello")
        publish(channel, *map(str, range(queued)))
    screen, there = pty.openpty()
    environment = {**os.environ, "RABBITMQ_URL": broker.url, "PYTHONUNBUFFERED": ""}
    begin, first, lines = time.perf_counter(), 0, 0
    program = subprocess.Popen([sys.executable, path], env=environment, stdout=there)
    os.close(there)
    with contextlib.suppress(OSError):  # which means that it has ended
        while lines <= queued or not queued:
            lines += os.read(screen, 1 << 16).count(b"\n")
            if queued and not first:  # what comes before is the start of the program
                begin, first = time.perf_counter(), lines
    taken = time.perf_counter() - begin
    program.kill()
    program.wait()
    os.close(screen)
    return (lines - first) / taken if queued else taken


def row(words, name, times, queued, form, bar):
    """Run a program and its bare twin in turn, in this order and that; print their medians and the median of their ratios."""
    runs = {path: [] for path in (folder / name, folder / f"bare_{name}")}
    for number in range(times + 1):  # once to warm up
        for path in sorted(runs, reverse=number % 2):
            runs[path].append(measure(path, broker, queued))
    ours, bare = (found[1:] for found in runs.values())
    medians = "".join(f"{form.format(statistics.median(found)):>9}" for found in (ours, bare))
    print(f"{words:48}{medians}{statistics.median(a / b for a, b in zip(ours, bare)):7.2f}  {bar}", flush=True)


if __name__ == "__main__":
    kind = broker_kind() or sys.exit("neither rabbitmq-server nor Docker here; run ./setup.sh")
    with tempfile.TemporaryDirectory() as folder, running(kind, "benchmark") as broker:
        folder, programs = Path(folder), {name: text(name) for name in ("connection.py", "send.py", "receive.py")}
        programs["changed.py"] = programs["receive.py"]
        for old, new in changes(blocks("docs/no-message-lost.md", "diff")[0]):
            programs["changed.py"] = programs["changed.py"].replace(old, new)
        for name, ours in programs.items():
            (folder / name).write_text(ours)
            for pattern, bare in BARE.items():
                ours = re.sub(pattern, bare, ours)
            (folder / f"bare_{name}").write_text(ours)
        print(f"{'':48}{'ours':>9}{'bare':>9}{'ratio':>7}  what we ask")
        row("send.py : unconfirmed, seconds", "send.py", SENDS, 0, "{:.3f}", "at most 1.20")
        row("receive.py : messages/s", "receive.py", ROUNDS, MESSAGES, "{:,.0f}", "at least 0.90")
        row("with acknowledgements : messages/s", "changed.py", ROUNDS, MESSAGES, "{:,.0f}", "at least 0.90")
