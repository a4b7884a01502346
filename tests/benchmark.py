"""Measure send.py and receive.py, as it is and with the change of docs/no-message-lost.md, beside bare pika programs.

All print to a terminal. It runs a RabbitMQ of its own for some four minutes, with --quick for some seconds. It only
measures: a missed bar is no error.
"""

import contextlib
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machinery
from machinery import PROJECT, blocks, changes, publish

SENDS, ROUNDS, MESSAGES = (1, 1, 1_000) if "--quick" in sys.argv else (30, 8, 50_000)
CONNECT = """import os, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()
channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
"""
SEND = """channel.basic_publish(exchange="", routing_key="hello", body="Hello World!")
print(" [x] Sent 'Hello World!'")
connection.close()
"""
RECEIVE = """def callback(ch, method, properties, body):
    print(f" [x] Received {body.decode()}")
    ACKNOWLEDGE
channel.basic_qos(prefetch_count=100)
channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=AUTO)
channel.start_consuming()
"""
AUTO = RECEIVE.replace("    ACKNOWLEDGE\n", "").replace("AUTO", "True")
MANUAL = RECEIVE.replace("ACKNOWLEDGE", "ch.basic_ack(delivery_tag=method.delivery_tag)").replace("AUTO", "False")


@contextlib.contextmanager
def terminal(path, broker):
    """Run a program in a terminal; yield an iterator of what it prints."""
    screen, there = pty.openpty()
    environment = {**os.environ, "RABBITMQ_URL": broker.url, "PYTHONUNBUFFERED": ""}
    program = subprocess.Popen([sys.executable, path], env=environment, stdout=there)
    os.close(there)
    with contextlib.suppress(OSError):  # which means that there is no more
        yield iter(lambda: os.read(screen, 1 << 16), b"")
    program.kill()
    program.wait()
    os.close(screen)


def seconds(path, broker):
    """How long a program takes to its end."""
    begin = time.perf_counter()
    with terminal(path, broker) as output:
        list(output)
    return time.perf_counter() - begin


def rate(path, broker):
    """How many messages in a second a receiver prints out of a long queue."""
    count, first = 0, None  # what comes before the first message is the start of the program
    with broker.channel() as channel:
        channel.queue_purge("hello")
        publish(channel, *map(str, range(MESSAGES)))
        with terminal(path, broker) as output:
            while count < MESSAGES:
                count += next(output).count(b"\n")
                first = first or (count and (time.perf_counter(), count))
            return (count - first[1]) / (time.perf_counter() - first[0])


def row(words, ours, bare, times, measure, broker, form, bar):
    """Run two programs in turn, in this order and that, and print their medians and the median of their ratios."""
    runs = {ours: [], bare: []}
    for number in range(times + 1):  # once to warm up
        for path in (ours, bare) if number % 2 else (bare, ours):
            runs[path].append(measure(path, broker))
    one, other = runs[ours][1:], runs[bare][1:]
    ratio = statistics.median(a / b for a, b in zip(one, other))
    medians = "".join(f"{form.format(statistics.median(found)):>9}" for found in (one, other))
    print(f"{words:48}{medians}{ratio:7.2f}  {bar}", flush=True)


if __name__ == "__main__":
    kind = machinery.broker_kind() or sys.exit("neither rabbitmq-server nor Docker here; run ./setup.sh")
    with tempfile.TemporaryDirectory() as name, machinery.running(kind, "benchmark") as broker:
        texts = {each: (PROJECT / each).read_text() for each in ("connection.py", "send.py", "receive.py")}
        texts |= {"changed.py": texts["receive.py"], "s.py": CONNECT + SEND, "r.py": CONNECT + AUTO, "m.py": CONNECT + MANUAL}
        for old, new in changes(blocks("docs/no-message-lost.md", "diff")[0]):
            texts["changed.py"] = texts["changed.py"].replace(old, new)
        for each, text in texts.items():
            Path(name, each).write_text(text)
        send, receive, changed, s, r, m = (Path(name, each) for each in list(texts)[1:])
        print(f"{'':48}{'ours':>9}{'bare':>9}{'ratio':>7}  what we ask")
        row("send.py : unconfirmed, seconds", send, s, SENDS, seconds, broker, "{:.3f}", "at most 1.20")
        row("receive.py : messages/s", receive, r, ROUNDS, rate, broker, "{:,.0f}", "at least 0.90")
        row("with acknowledgements : messages/s", changed, m, ROUNDS, rate, broker, "{:,.0f}", "at least 0.90")
