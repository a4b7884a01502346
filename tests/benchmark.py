"""Measure send.py and receive.py beside the fewest pika calls that do the same, on a RabbitMQ of its own.

It takes two to five minutes, with --quick less than one, and only measures: a missed bar is not an error.
"""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent
QUICK = "--quick" in sys.argv
SENDS, ROUNDS, BACKLOG, LARGE = (6, 2, 20_000, 100_000) if QUICK else (20, 6, 50_000, 500_000)
STOPPED = 100_000  # messages, amid which a receiver is stopped
UNSEEN = 300  # the last lines may stay in the buffer of a program that does not print each line at once
CONNECT = """import os, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()
"""
BARE_SEND = """channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
channel.basic_publish(exchange="", routing_key="hello", body=b"Hello World!")
print(" [x] Sent 'Hello World!'")
connection.close()
"""
BARE_RECEIVE = """def callback(ch, method, properties, body):
    print(" [x] Received %r" % body)
channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)
channel.start_consuming()
"""


def measure(lines, *words):
    """Run a program to its end, or until it has printed so many lines; print seconds, lines per second and memory.

    In a small process of its own, because Linux counts the memory of the parent as a peak of the child.
    """
    begin, printed, first = time.perf_counter(), 0, None
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE) as program:
        try:
            while chunk := os.read(program.stdout.fileno(), 1 << 20):
                printed += chunk.count(b"\n")
                now = time.perf_counter()
                first = first or (now, printed)  # what comes before is the start of the program
                if lines and printed >= lines:
                    break
                if lines:
                    time.sleep(0.005)  # to leave the processor to those who are measured
        finally:
            if lines:
                program.kill()
        _, program.returncode, usage = os.wait4(program.pid, 0)
    if printed < max(lines, 1):
        sys.exit(f"{words} ended too early")
    rate = (printed - first[1]) / (now - first[0]) if lines else None
    print(json.dumps([time.perf_counter() - begin, rate, usage.ru_maxrss]))


@contextlib.contextmanager
def private_broker(folder):
    """Run a RabbitMQ for this benchmark only, and yield its port."""
    import brokers
    from port_for import get_port
    from pytest_rabbitmq.factories.executor import RabbitMqExecutor

    server, ctl = brokers.command("rabbitmq-server"), brokers.command("rabbitmqctl")
    with contextlib.ExitStack() as afterwards:
        if server:
            os.environ.update(
                ERL_EPMD_PORT=str(get_port(None)),
                ERL_EPMD_ADDRESS="127.0.0.1",
                RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
                RABBITMQ_CONFIG_FILE="/nonexistent",
                RABBITMQ_CONF_ENV_FILE="/nonexistent",
            )
            ports = get_port(None), get_port(None)
            node = RabbitMqExecutor(server, "127.0.0.1", *ports, ctl, folder, folder, folder, "benchmark@localhost")
            broker = brokers.NativeBroker(node)
            afterwards.callback(subprocess.run, ["epmd", "-kill"], capture_output=True)
            afterwards.callback(node.kill)  # nothing in it is worth an orderly stop
        else:
            broker = brokers.DockerBroker(f"hello-benchmark-{os.getpid()}")
            afterwards.callback(broker.remove)
        broker.start()
        yield broker.port


@contextlib.contextmanager
def queue(port):
    """Yield a channel on which the queue is declared, of a client that publishes four times as fast as pika."""
    import amqp  # it comes with kombu

    with amqp.Connection(f"127.0.0.1:{port}") as connection:
        channel = connection.channel()
        channel.queue_declare("hello", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        yield channel


def fill(port, messages):
    """Leave exactly so many messages in the queue: 0, 1, 2 and so on."""
    import amqp

    with queue(port) as channel:
        channel.queue_purge("hello")
        for number in range(messages):
            channel.basic_publish(amqp.Message(f"{number:012}"), routing_key="hello")
        while channel.queue_declare("hello", passive=True).message_count < messages:
            time.sleep(0.05)


def lost(folder, port, environment, words):
    """Stop a receiver with CTRL+C amid its messages, and return how many are neither printed nor in the queue."""
    fill(port, STOPPED)
    output = folder / "printed"
    with output.open("w") as file:
        program = subprocess.Popen([sys.executable, *words.split()], cwd=PROJECT, env=environment, stdout=file)
    while output.read_text().count("Received") < STOPPED // 5:
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    program.wait()
    seen = set(re.findall(r"Received '(\d+)'", output.read_text()))
    with queue(port) as channel:
        while channel.queue_declare("hello", passive=True).consumer_count:
            time.sleep(0.05)
        channel.basic_consume("hello", callback=lambda message: seen.add(message.body), no_ack=True)
        with contextlib.suppress(TimeoutError):  # which means that there is no more
            while True:
                channel.connection.drain_events(timeout=2)
    return STOPPED - len(seen)


def benchmark(folder, port):
    """Run all programs, and print the table as it comes."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")}
    environment.update(RABBITMQ_URL=f"amqp://guest:guest@127.0.0.1:{port}/%2F", PYTHONPYCACHEPREFIX=str(folder))
    (folder / "send").write_text(CONNECT + BARE_SEND)
    (folder / "receive").write_text(CONNECT + BARE_RECEIVE)
    bare_send, bare, send = f"{folder}/send", f"{folder}/receive", "send.py"
    receive, ack = "receive.py", "receive.py --ack"
    results = {}  # lists of measurements, in one order, by program and backlog

    def run(programs, backlog, times):
        """Run the programs in turn, in this order and that; the first time is to warm up, if there are several."""
        for number in range(times):
            for program in programs[:: -1 if number % 2 else 1]:
                fill(port, backlog)
                words = [sys.executable, __file__, "measure", str(max(backlog - UNSEEN, 0)), *program.split()]
                ran = subprocess.run(words, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, check=True)
                if number or times == 1:
                    results.setdefault((program, backlog), []).append(json.loads(ran.stdout))

    def row(words, column, ours, theirs, bar, form):
        """Print the medians of two programs, and the median of the ratios of runs that followed each other."""
        ours, theirs = [[each[column] for each in results[key]] for key in (ours, theirs)]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        ours, theirs = [form(statistics.median(each)) for each in (ours, theirs)]
        print(f"{words:55}{ours:>9}{theirs:>9}{ratio:7.2f}  {bar}", flush=True)

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    seconds, rate, memory = "{:.3f}".format, "{:,.0f}".format, lambda peak: f"{peak / unit:.1f}"
    run([bare_send, send], 0, 1 + SENDS)
    row("send.py : bare pika, seconds", 0, (send, 0), (bare_send, 0), "at most 1.10", seconds)
    row("send.py : bare pika, MiB", 2, (send, 0), (bare_send, 0), "at most 1.10", memory)
    run([bare, receive, ack], BACKLOG, 1 + ROUNDS)
    row("receive.py : bare pika, messages/s", 1, (receive, BACKLOG), (bare, BACKLOG), "at least 0.95", rate)
    row("receive.py --ack : receive.py, messages/s", 1, (ack, BACKLOG), (receive, BACKLOG), "at least 0.50", rate)
    for name in (receive, ack):
        row(f"{name} : bare pika, MiB", 2, (name, BACKLOG), (bare, BACKLOG), "at most 1.10", memory)
    for name, bar in (receive, "what was handed over"), (ack, "none"):
        words = f"{name}, lost at CTRL+C amid {STOPPED:,} messages"
        print(f"{words:55}{lost(folder, port, environment, name):9,}{'':16}  {bar}", flush=True)
    run([receive, ack], LARGE, 1)
    for name in (receive, ack):
        words = f"{name}, backlog of {LARGE:,} : {BACKLOG:,}, MiB"
        row(words, 2, (name, LARGE), (name, BACKLOG), "at most 1.10", memory)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        if sys.argv[1:2] == ["measure"]:
            measure(int(sys.argv[2]), *sys.argv[3:])
        else:
            with tempfile.TemporaryDirectory() as name, private_broker(Path(name)) as port:
                benchmark(Path(name), port)
