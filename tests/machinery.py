"""What the tests are made of and is no fixture: brokers, programs, a proxy, pages, waiting."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pika
from port_for import get_port
from pytest_rabbitmq.factories.executor import RabbitMqExecutor

PROJECT = Path(__file__).parent.parent
WAITING = " [*] Waiting for messages. To exit press CTRL+C\n"
LOST = " [!] the connection was lost, perhaps with messages on the way"
AGAIN = "; connecting again in 5 seconds\n"
# Debian's commands in /usr/sbin switch to the user rabbitmq, those in /usr/lib do not; the others are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/opt/homebrew/sbin", "/usr/local/sbin"]
command = partial(shutil.which, path=os.pathsep.join(FOLDERS))


class Broker:
    """RabbitMQ for the tests: its ports, its HTTP API, its rabbitmqctl, and one virtual host of it."""

    def __init__(self, port, ui_port, rabbitmqctl, environment, vhost="/"):
        self.port, self.ui_port, self.rabbitmqctl, self.environment = port, ui_port, rabbitmqctl, environment
        self.vhost, self.url = vhost, f"amqp://guest:guest@localhost:{port}/{quote(vhost, '')}"

    def api(self, method, *path, **body):
        """Ask RabbitMQ's HTTP API, and return what it answers."""
        address = f"http://127.0.0.1:{self.ui_port}/api/{'/'.join(quote(part, '') for part in path)}"
        login = f"Basic {base64.b64encode(b'guest:guest').decode()}"
        headers = {"Authorization": login, "Content-Type": "application/json", "X-Reason": "over now"}  # of closing
        data = json.dumps(body).encode() if method == "PUT" else None
        with urlopen(Request(address, data, headers, method=method)) as answer:
            return json.loads(answer.read() or "null")

    def ctl(self, *words):
        """Run a rabbitmqctl command and return what it prints."""
        return subprocess.check_output([*self.rabbitmqctl, *words], cwd=PROJECT, env=self.environment, text=True)

    @contextlib.contextmanager
    def virtual_host(self, name):
        """The time in which there is such a virtual host; yields the broker with it."""
        self.api("PUT", "vhosts", name)
        yield Broker(self.port, self.ui_port, self.rabbitmqctl, self.environment, name)
        self.api("DELETE", "vhosts", name)

    @contextlib.contextmanager
    def channel(self):
        """A pika channel on which the queue hello is declared."""
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
            yield channel


class Node(Broker):
    """A RabbitMQ node on free ports of this machine, with its data and settings in a folder."""

    def __init__(self, name, folder, settings=""):
        port, other, ui_port, config = get_port(None), get_port(None), get_port(None), folder / "rabbitmq.conf"
        settings += f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ui_port}\n"
        config.write_text(settings + "collect_statistics_interval = 500\n")  # milliseconds
        server, ctl, self.name = command("rabbitmq-server"), command("rabbitmqctl"), f"{name}@localhost"
        node = RabbitMqExecutor(server, "127.0.0.1", port, other, ctl, folder, folder, folder, node_name=self.name)
        node._envvars["RABBITMQ_CONFIG_FILE"] = str(config)  # for which pytest-rabbitmq has no argument
        super().__init__(port, ui_port, [ctl], node.envvars)
        self.start, self.stop, self.kill, self.remove = node.start, node.stop, node.kill, node.kill


class Container(Broker):
    """The RabbitMQ of docker-compose.yml, under another project name and on other ports."""

    def __init__(self, name):
        ports = {"AMQP_PORT": str(get_port(None)), "UI_PORT": str(get_port(None))}
        environment = {**os.environ, **ports, "COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}"}
        compose = ["docker", "compose"]
        super().__init__(*map(int, ports.values()), [*compose, "exec", "-T", "rabbitmq", "rabbitmqctl"], environment)
        for way, words in {"start": "up -d --wait", "stop": "stop", "kill": "kill", "remove": "down -v"}.items():
            run = partial(subprocess.run, [*compose, *words.split()], cwd=PROJECT, env=environment)
            setattr(self, way, partial(run, check=True, capture_output=True))


def broker_kind():
    """What this machine can run: "native" or "docker"; None if neither."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if not command("rabbitmq-server"):
            subprocess.run(["docker", "compose", "ls"], capture_output=True, timeout=30, check=True)
        return "native" if command("rabbitmq-server") else "docker"


@contextlib.contextmanager
def running(kind, name):
    """The time in which a broker runs, "native" or in "docker", apart from all others on this machine."""
    if first := "ERL_EPMD_PORT" not in os.environ:
        apart = {"ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_CONF_ENV_FILE": "/no"}
        os.environ.update(apart, ERL_EPMD_PORT=str(get_port(None)), RABBITMQ_ENABLED_PLUGINS="rabbitmq_management")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if first and (epmd := command("epmd")):  # the port mapper that nodes start would stay
            stack.callback(subprocess.run, [epmd, "-kill"], capture_output=True)
        broker = Node(name, Path(folder)) if kind == "native" else Container(name)
        stack.callback(broker.remove)
        broker.start()
        yield broker


class Program(subprocess.Popen):
    """A running program, whose standard output and standard error go to files."""

    out = property(lambda self: self.files[0].read_bytes().decode())  # what it has printed so far
    err = property(lambda self: self.files[1].read_bytes().decode())  # and on standard error

    def __init__(self, files, words, url, environment):
        self.files = files
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"  # as if .venv were active
        folder = words[1].parent if isinstance(words[1], Path) else PROJECT
        with files[0].open("w") as out, files[1].open("w") as err:
            options = {"cwd": folder, "stdout": out, "stderr": err, "start_new_session": True}
            super().__init__(words, env={**kept, "RABBITMQ_URL": url, **environment}, **options)

    def status(self):
        """Its exit status, once it has ended."""
        return self.wait(timeout=90)

    def end(self):
        """Kill it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    @contextlib.contextmanager
    def frozen(self):
        """The time in which it stands still, as after CTRL+Z."""
        self.send_signal(signal.SIGSTOP)
        yield
        self.send_signal(signal.SIGCONT)


class Proxy:
    """A TCP proxy to a broker, with TLS if it has a context.

    `hear` gets what comes before it goes on to the broker, and cuts the connection if it returns true. `limits` are how
    many bytes the first connection lets through to the broker and from it, before it is cut.
    """

    def __init__(self, broker, context=None, limits=(sys.maxsize, sys.maxsize)):
        self.broker, self.context, self.limits, self.hear = broker, context, limits, lambda data: False
        self.passed, self.sockets, self.server = [0, 0], [], socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(broker.vhost, '')}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=[self.server.accept()[0], *self.limits], daemon=True).start()
                self.limits = (sys.maxsize, sys.maxsize)

    def serve(self, client, to_broker, from_broker):
        with contextlib.suppress(OSError):
            client = self.context.wrap_socket(client, server_side=True) if self.context else client
            node = socket.create_connection(("127.0.0.1", self.broker.port))
            self.sockets += [client, node]
            threading.Thread(target=self.copy, args=[node, client, 1, from_broker], daemon=True).start()
            self.copy(client, node, 0, to_broker)

    def copy(self, source, target, way, left):
        with contextlib.suppress(OSError):
            while left and (data := source.recv(min(left, 65536))) and (way or not self.hear(data)):
                target.sendall(data)
                left -= len(data)
                self.passed[way] += len(data)
        self.cut(source, target)

    def cut(self, *sockets):
        """Cut these connections, or all."""
        for each in sockets or self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def state(channel):
    """The state of the queue hello: message_count, without those that a consumer holds, and consumer_count."""
    return channel.queue_declare("hello", passive=True).method


def publish(channel, *bodies):
    """Publish messages to the queue hello, and wait until all are there."""
    total = state(channel).message_count + len(bodies)
    for body in bodies:
        channel.basic_publish(exchange="", routing_key="hello", body=body)
    wait_for(lambda: state(channel).message_count >= total)


def take(channel):
    """Take all messages out of the queue hello."""
    left, bodies = state(channel).message_count, []
    while len(bodies) < left:
        bodies.append(next(channel.consume("hello", auto_ack=True))[2].decode())
    channel.cancel()
    return bodies


def blocks(page, language):
    """The fenced blocks of a page that are written in this language."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def listed(page):
    """What the list items of a page begin with, section by section."""
    sections = re.split(r"^## ", (PROJECT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.findall(r"^- `(.*?)`", section, re.MULTILINE) for section in sections]


def changes(diff):
    """What a diff changes: pairs of old and new text. Between its hunks are lines with @@, or else blank ones."""
    hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE) if "@@" in diff else diff.split("\n\n")
    hunks = [[line or " " for line in hunk.splitlines()] for hunk in hunks if hunk]
    return [["".join(line[1:] + "\n" for line in hunk if line[0] in f" {sign}") for sign in "-+"] for hunk in hunks]


def wait_for(condition, seconds=90):
    """Wait until condition() is true, and return what it says. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not (met := condition()):
        assert time.monotonic() < end, f"not met within {seconds} s"
        time.sleep(0.02)
    return met
