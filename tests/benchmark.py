"""Measure send.py and receive.py in a terminal beside the shortest pika programs that do the same.

It runs a RabbitMQ of its own for about four minutes, with --quick for one. It only measures: a missed bar is no error.
"""

import contextlib
import os
import pty
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import brokers
import pika

SENDS, ROUNDS, MESSAGES = (6, 2, 20_000) if "--quick" in sys.argv else (30, 8, 50_000)
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
channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)
channel.start_consuming()
"""
RECEIVE_ACK = """def callback(ch, method, properties, body):
    print(f" [x] Received {body.decode()}")
    ch.basic_ack(delivery_tag=method.delivery_tag)
channel.basic_qos(prefetch_count=100)
channel.basic_consume(queue="hello", on_message_callback=callback)
channel.start_consuming()
"""


@contextlib.contextmanager
def terminal(words, port):
    """Run a program in a terminal; yield it, and an iterator of what it prints."""
    screen, there = pty.openpty()
    environment = {**os.environ, "RABBITMQ_URL": f"amqp://guest:guest@127.0.0.1:{port}/%2F"}
    program = subprocess.Popen([sys.executable, *words], cwd=brokers.PROJECT, env=environment, stdout=there)
    os.close(there)

    def output():
        with contextlib.suppress(OSError):  # which means that there is no more
            while chunk := os.read(screen, 1 << 16):
                yield chunk

    yield program, output()
    program.kill()
    program.wait()
    os.close(screen)


def seconds(words, port):
    """How long a program takes to its end."""
    begin = time.perf_counter()
    with terminal(words, port) as (program, _):
        program.wait()
        return time.perf_counter() - begin


def rate(words, port):
    """How many messages in a second a receiver prints out of a long queue."""
    brokers.fill(port, MESSAGES)
    count, first = 0, None  # what comes before the first message is the start of the program
    with terminal(words, port) as (_, output):
        while count < MESSAGES:
            count += next(output).count(b"\n")
            if count and not first:
                first = time.perf_counter(), count
        return (count - first[1]) / (time.perf_counter() - first[0])


def lost(words, port):
    """How many messages are neither printed nor in the queue when a receiver is stopped amid them."""
    brokers.fill(port, MESSAGES)
    text = b""
    with terminal(words, port) as (program, output):
        for chunk in output:
            text += chunk
            if len(text) > MESSAGES * 5:  # bytes: a fifth of all
                program.send_signal(signal.SIGINT)
    seen = set(re.findall(rb"Received '(\d+)'", text))
    with pika.BlockingConnection(pika.ConnectionParameters(port=port)) as connection:
        channel = connection.channel()
        while channel.queue_declare("hello", passive=True).method.consumer_count:
            time.sleep(0.05)
        while (body := channel.basic_get("hello", auto_ack=True)[2]) is not None:
            seen.add(body)
    return MESSAGES - len(seen)


def row(words, ours, theirs, times, measure, port, form, bar):
    """Run two programs in turn, in this order and that, and print their medians and the median of their ratios."""
    runs = {tuple(ours): [], tuple(theirs): []}
    for number in range(times + 1):  # once to warm up
        for program in [ours, theirs][:: -1 if number % 2 else 1]:
            runs[tuple(program)].append(measure(program, port))
    one, other = (found[1:] for found in runs.values())
    ratio = statistics.median(a / b for a, b in zip(one, other))
    one, other = (form.format(statistics.median(found)) for found in (one, other))
    print(f"{words:54}{one:>9}{other:>9}{ratio:7.2f}  {bar}", flush=True)


def benchmark(folder, port):
    """Run all programs, and print the table as it comes."""
    bare = {}
    for name, text in (("send", SEND), ("receive", RECEIVE), ("ack", RECEIVE_ACK)):
        bare[name] = [str(folder / f"{name}.py")]
        Path(*bare[name]).write_text(CONNECT + text)
    receive, ack = ["receive.py"], ["receive.py", "--ack"]
    print(f"{'':54}{'ours':>9}{'other':>9}{'ratio':>7}  what we ask")
    row("send.py : unconfirmed, seconds", ["send.py"], bare["send"], SENDS, seconds, port, "{:.3f}", "at most 1.20")
    row("receive.py : bare pika, messages/s", receive, bare["receive"], ROUNDS, rate, port, "{:,.0f}", "at least 0.90")
    row("receive.py --ack : bare pika, messages/s", ack, bare["ack"], ROUNDS, rate, port, "{:,.0f}", "at least 0.90")
    for words, bar in (receive, "what was not printed"), (ack, "none"):
        name = f"{' '.join(words)}, lost at CTRL+C amid {MESSAGES:,}"
        print(f"{name:54}{lost(words, port):9,}{'':16}  {bar}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kind = brokers.kind() or sys.exit("neither rabbitmq-server nor Docker here; run ./setup.sh")
    brokers.keep_apart()
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        benchmark(folder, stack.enter_context(brokers.running(kind, "benchmark", folder)).port)
    brokers.stop_epmd()
