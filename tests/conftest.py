"""The fixtures of the tests: a broker, the two programs, a terminal, a proxy."""

import array
import contextlib
import fcntl
import functools
import itertools
import math
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import termios
import threading
import time

import brokers
import pexpect
import pika
import pytest

WAITING = " [*] Waiting for messages. To exit press CTRL+C\n"
STILL = " [!] still waiting (memory or disk alarm, no majority of nodes?); CTRL+C gives up\n"
STOP = 10  # seconds in which a program ends that was told to, also on a busy machine
PYTHON = r"Traceback|Warning|[A-Z][a-z]+[A-Z][a-z]\w*|\w+Error|\[Errno|<\w|\w+\(['\"]|\(['\"]|',\)"  # no user's words
QUEUE = {"queue": "hello", "durable": True, "arguments": {"x-queue-type": "quorum"}}


def pytest_addoption(parser):
    parser.addoption("--broker", choices=["native", "docker"], help="default: the first that works on this machine")
    parser.addoption("--every-byte", action="store_true", help="cut connections after each byte, not each 53rd")


def pytest_configure(config):
    """Choose the broker, and keep its nodes apart from all others on this machine."""
    config.broker = config.getoption("--broker") or brokers.kind()
    if config.broker is None:
        pytest.exit("neither rabbitmq-server nor Docker here; run ./setup.sh", returncode=1)
    brokers.keep_apart()
    # What a script starts in the background ignores CTRL+C, and so would all programs that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config):
    return f"broker: {config.broker}, pika {pika.__version__}"


def pytest_unconfigure():
    """Stop what the nodes have left."""
    brokers.stop_epmd()


@pytest.fixture(scope="session")
def whole_broker(request, tmp_path_factory):
    """A RabbitMQ broker for the whole test session."""
    with brokers.running(request.config.broker, "hello-tests", tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def broker(whole_broker):
    """A running RabbitMQ broker without a queue hello."""
    whole_broker.url = f"amqp://guest:guest@localhost:{whole_broker.port}/%2F"
    yield whole_broker
    with pika.BlockingConnection(pika.URLParameters(whole_broker.url)) as connection:
        connection.channel().queue_delete("hello")


@pytest.fixture
def channel(broker):
    """A pika channel to the broker, without a queue declared."""
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        yield connection.channel()


@pytest.fixture
def hello(channel):
    """A pika channel to the broker on which the queue hello is declared."""
    channel.queue_declare(**QUEUE)
    return channel


@pytest.fixture
def fill(broker, hello):
    """Publish so many messages to the queue hello: 0, 1, 2 and so on, each with blanks to a length in bytes."""
    return lambda *words: brokers.fill(broker.port, *words)


class Program(subprocess.Popen):
    """A running program, whose output goes to two files, or to another place."""

    numbers = itertools.count()

    def __init__(self, folder, words, environment, **streams):
        number = next(self.numbers)
        self.files = [folder / f"{number}.{name}" for name in ("out", "err")]
        options = {"cwd": brokers.PROJECT, "env": {**os.environ, **environment}, "start_new_session": True}
        with self.files[0].open("w") as out, self.files[1].open("w") as err:
            super().__init__(words, **options, **{"stdout": out, "stderr": err, **streams})

    @property
    def out(self):
        """What it has printed so far."""
        return self.files[0].read_bytes().decode()

    @property
    def err(self):
        """What it has printed on standard error so far."""
        return self.files[1].read_bytes().decode()

    def status(self, seconds=90):
        """Its exit status, once it has ended."""
        return self.wait(timeout=seconds)


@pytest.fixture
def start(broker, tmp_path_factory):
    """Start a program of the project, or another one that gets it as $python; it and its children end with the test."""
    folder = tmp_path_factory.mktemp("programs")
    programs = []

    def start(*words, program=sys.executable, url=broker.url, stdout=None, stderr=None, **environment):
        streams = {name: stream for name, stream in (("stdout", stdout), ("stderr", stderr)) if stream is not None}
        environment = {"RABBITMQ_URL": url, "python": sys.executable, **environment}
        programs.append(Program(folder, [program, *words], environment, **streams))
        return programs[-1]

    yield start
    for program in programs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        print(program.args, program.returncode, program.out[-1000:], program.err[-1000:])  # shown if the test fails
    for program in programs:
        assert re.findall(PYTHON, program.err) == [], program.err


@pytest.fixture
def send(start):
    """Run send.py to its end."""

    def send(*words, **keywords):
        program = start("send.py", *words, **keywords)
        program.status()
        return program

    return send


@pytest.fixture
def receive(start):
    """Start receive.py and wait until it waits for messages."""

    def receive(*words, **keywords):
        program = start("receive.py", *words, **keywords)
        wait_for(lambda: program.out.startswith(WAITING))
        return program

    return receive


@pytest.fixture
def shell(start):
    """Run a command line in bash, where $python is Python, to its end."""

    def shell(command):
        program = start("-c", command, program="bash")
        program.status()
        return program

    return shell


@pytest.fixture
def consumers(broker):
    """Wait until the queue has so many consumers."""

    def consumers(count):
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            wait_for(lambda: channel.queue_declare("hello", passive=True).method.consumer_count == count)

    return consumers


@pytest.fixture
def stuck(start):
    """Start receive.py with a pipe as its output, which nobody reads, and wait until that is (nearly) full."""

    def stuck(*words):
        receiver = start("receive.py", *words, stdout=subprocess.PIPE)

        def full():
            unread = array.array("i", [0])
            fcntl.ioctl(receiver.stdout, termios.FIONREAD, unread)
            return unread[0] > 50_000

        wait_for(full)
        return receiver

    return stuck


@pytest.fixture
def terminal(broker):
    """Run a program in a terminal of its own, where CTRL+C can be typed (pexpect)."""
    terminals = []

    def terminal(*words, program=sys.executable, url=broker.url):
        environment = {**os.environ, "RABBITMQ_URL": url, "python": sys.executable}
        options = {"cwd": brokers.PROJECT, "env": environment, "encoding": "utf-8", "timeout": 90}
        terminals.append(pexpect.spawn(program, list(words), **options))
        return terminals[-1]

    yield terminal
    for ended in terminals:
        ended.close(force=True)


class Proxy:
    """A TCP proxy to the broker, with TLS if it has a context.

    `cut` is asked before data goes on to the broker. `limits` are how many bytes the first connection lets through
    to the broker and from it, before it is cut; None for all.
    """

    def __init__(self, port, context=None, limits=(None, None)):
        self.target, self.context, self.cut, self.limits = port, context, None, limits
        self.passed = [b"", b""]  # what went to the broker and came from it
        self.sockets = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        """Serve each client in two threads."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self.serve, args=[client, self.limits], daemon=True).start()
                self.limits = (None, None)

    def serve(self, client, limits):
        """Connect the client with the broker."""
        with contextlib.suppress(OSError):
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            node = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [client, node]
            threading.Thread(target=self.copy, args=[node, client, 1, limits[1]], daemon=True).start()
            self.copy(client, node, 0, limits[0])

    def copy(self, source, target, direction, limit):
        """Copy data from source to target, until there is no more or it is to be cut."""
        left = math.inf if limit is None else limit
        with contextlib.suppress(OSError):
            while left and (data := source.recv(min(left, 65536))):
                if direction == 0 and self.cut and self.cut(data):
                    break
                target.sendall(data)
                left -= len(data)
                self.passed[direction] += data
        self.close(source, target)

    @staticmethod
    def close(*sockets):
        """Close sockets for both sides."""
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut_all(self):
        """Cut all connections."""
        self.close(*self.sockets)


@pytest.fixture
def proxy(broker):
    """Start a TCP proxy to the broker. All of them are gone after the test."""
    proxies = []

    def proxy(*arguments):
        proxies.append(Proxy(broker.port, *arguments))
        return proxies[-1]

    yield proxy
    for ended in proxies:
        ended.close(ended.server, *ended.sockets)


@pytest.fixture
def silent():
    """A socket that listens on 127.0.0.1, and says nothing to those who connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(90)
        yield server


class BadRequest(socketserver.StreamRequestHandler):
    """Answer anything as RabbitMQ's management page does."""

    def handle(self):
        """Serve one client."""
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def web_server():
    """The port of an HTTP server."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BadRequest) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def alarm(broker):
    """Set off the memory alarm; it ends with the test, or by calling this."""
    usual = broker.rabbitmqctl("eval", "vm_memory_monitor:get_vm_memory_high_watermark().").strip()
    set_limit = functools.partial(broker.rabbitmqctl, "set_vm_memory_high_watermark")
    set_limit("0.00001")
    yield lambda: set_limit(usual)
    set_limit(usual)


@pytest.fixture
def full(broker, send):
    """Make the queue hello refuse all messages because it is full, and return the send.py that is refused."""

    def full():
        broker.rabbitmqctl("set_policy", "full", "^hello$", '{"max-length": 0, "overflow": "reject-publish"}')
        return wait_for(lambda: (sender := send()).returncode and sender)

    yield full
    broker.rabbitmqctl("clear_policy", "full")


def wait_for(condition, seconds=90):
    """Wait until condition() is true, and return what it says. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not (met := condition()):
        assert time.monotonic() < end, f"not met within {seconds} s"
        time.sleep(0.02)
    return met
