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
    """How many seconds a sender takes, or a receiver until it has printed the queued messages, in a terminal."""
    with broker.channel() as channel:
        channel.queue_purge("hello")
        publish(channel, *map(str, range(queued)))
    screen, there = pty.openpty()
    environment = {**os.environ, "RABBITMQ_URL": broker.url, "PYTHONUNBUFFERED": ""}
    begin, lines = time.perf_counter(), 0
    program = subprocess.Popen([sys.executable, path], env=environment, stdout=there)
    os.close(there)
    with contextlib.suppress(OSError):  # which means that it has ended
        while lines <= queued or not queued:
            lines += os.read(screen, 1 << 16).count(b"\n")
    taken = time.perf_counter() - begin
    program.kill()
    program.wait()
    os.close(screen)
    return taken


def row(words, path, broker, times, queued, bar):
    """Run a program and its bare twin in turn, in this order and that; print their medians and the median of their ratios."""
    runs = {path: [], path.with_name(f"bare_{path.name}"): []}
    for number in range(times + 1):  # once to warm up
        for each in sorted(runs, reverse=number % 2):
            runs[each].append(measure(each, broker, queued))
    ours, bare = (found[1:] for found in runs.values())
    ratio = statistics.median(a / b for a, b in zip(ours, bare))
    print(f"{words:32}{statistics.median(ours):9.3f}{statistics.median(bare):9.3f}{ratio:8.2f}  at most {bar}", flush=True)


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
        print(f"{'seconds':32}{'ours':>9}{'bare':>9}{'ratio':>8}  what we ask")
        row("send.py : unconfirmed", folder / "send.py", broker, SENDS, 0, 1.2)
        row("receive.py", folder / "receive.py", broker, ROUNDS, MESSAGES, 1.1)
        row("with acknowledgements", folder / "changed.py", broker, ROUNDS, MESSAGES, 1.1)
