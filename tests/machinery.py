"""What the tests are made of and is no fixture: brokers, running programs, a proxy, waiting."""

import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
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
QUEUE = {"queue": "hello", "durable": True, "arguments": {"x-queue-type": "quorum"}}
# Debian's commands in /usr/sbin switch to the user rabbitmq, those in /usr/lib do not; the others are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/opt/homebrew/sbin", "/usr/local/sbin"]


def command(name):
    """The path of one of RabbitMQ's commands on this machine, or None."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


def docker_answers():
    """Whether a Docker engine with Compose answers."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["docker", "compose", "ls"], capture_output=True, timeout=30).returncode == 0


def broker_kind():
    """What this machine can run: "native" or "docker"; None if neither."""
    return "native" if command("rabbitmq-server") else "docker" if docker_answers() else None


def keep_apart():
    """Keep the nodes that the tests start apart from all others on this machine."""
    os.environ.update(
        ERL_EPMD_PORT=str(get_port(None)),
        ERL_EPMD_ADDRESS="127.0.0.1",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
        RABBITMQ_CONF_ENV_FILE="/nonexistent",
        RABBITMQ_ENABLED_PLUGINS="rabbitmq_management",
    )


def stop_epmd():
    """Stop the port mapper daemon that the nodes had to themselves; without Erlang there is none."""
    if epmd := command("epmd"):
        subprocess.run([epmd, "-kill"], capture_output=True, check=False)


class Broker:
    """RabbitMQ for the tests: its ports, its HTTP API, its rabbitmqctl, and one virtual host of it."""

    def __init__(self, port, ui_port, rabbitmqctl, environment, vhost="/"):
        self.port, self.ui_port, self.vhost = port, ui_port, vhost
        self.rabbitmqctl, self.environment = rabbitmqctl, environment

    @property
    def url(self):
        """What RABBITMQ_URL is for this virtual host."""
        return f"amqp://guest:guest@localhost:{self.port}/{quote(self.vhost, '')}"

    def api(self, method, *path, **body):
        """Ask RabbitMQ's HTTP API, and return what it answers."""
        address = f"http://127.0.0.1:{self.ui_port}/api/{'/'.join(quote(part, '') for part in path)}"
        data = json.dumps(body).encode() if method in ("PUT", "POST") else None
        login = base64.b64encode(b"guest:guest").decode()
        headers = {"Authorization": f"Basic {login}", "X-Reason": "over now"}  # why a connection is closed
        with urlopen(Request(address, data, headers, method=method)) as answer:
            return json.loads(answer.read() or "null")

    def ctl(self, *words):
        """Run a rabbitmqctl command and return what it prints."""
        return subprocess.check_output([*self.rabbitmqctl, *words], cwd=PROJECT, env=self.environment, text=True)

    @contextlib.contextmanager
    def virtual_host(self, name):
        """The time in which there is such a virtual host; yields the broker with it."""
        there = Broker(self.port, self.ui_port, self.rabbitmqctl, self.environment, name)
        there.api("PUT", "vhosts", name)
        yield there
        there.api("DELETE", "vhosts", name)

    def connect(self):
        """Connect with pika."""
        return pika.BlockingConnection(pika.URLParameters(self.url))


class Server(RabbitMqExecutor):
    """The process of a RabbitMQ node, which has its data, and its rabbitmq.conf, in a folder."""

    def __init__(self, name, folder):
        self.config = folder / "rabbitmq.conf"
        server, ctl, ports = command("rabbitmq-server"), command("rabbitmqctl"), [get_port(None), get_port(None)]
        super().__init__(server, "127.0.0.1", *ports, ctl, folder, folder, folder, node_name=f"{name}@localhost")

    @property
    def envvars(self):
        """Its environment."""
        return {**super().envvars, "RABBITMQ_CONFIG_FILE": str(self.config)}


class Node(Broker):
    """A RabbitMQ node on free ports of this machine."""

    def __init__(self, name, folder, settings=""):
        server, ui_port = Server(name, folder), get_port(None)
        settings += f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ui_port}\n"
        server.config.write_text(settings + "collect_statistics_interval = 500\n")  # milliseconds
        super().__init__(server.port, ui_port, [server.rabbit_ctl], server.envvars)
        self.name, self.start, self.stop = f"{name}@localhost", server.start, server.stop
        self.kill = self.remove = server.kill


class Container(Broker):
    """The RabbitMQ of docker-compose.yml, under another project name and on other ports."""

    def __init__(self, name):
        port, ui_port = get_port(None), get_port(None)
        environment = {"COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}", "AMQP_PORT": str(port), "UI_PORT": str(ui_port)}
        ctl = ["docker", "compose", "exec", "-T", "rabbitmq", "rabbitmqctl"]
        super().__init__(port, ui_port, ctl, {**os.environ, **environment})
        self.start = partial(self.compose, "up", "-d", "--wait")
        self.stop, self.kill = partial(self.compose, "stop"), partial(self.compose, "kill")
        self.remove = partial(self.compose, "down", "-v")

    def compose(self, *words):
        """Run a docker compose command."""
        options = {"cwd": PROJECT, "env": self.environment, "capture_output": True, "text": True}
        ran = subprocess.run(["docker", "compose", *words], **options)
        assert ran.returncode == 0, ran.stderr


class Program(subprocess.Popen):
    """A running program, whose standard output and standard error go to files."""

    numbers = itertools.count()

    def __init__(self, folder, words, environment, **options):
        self.files = [folder / f"{next(self.numbers)}.{name}" for name in ("out", "err")]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with self.files[0].open("w") as out, self.files[1].open("w") as err:
            options = {"stdout": out, "stderr": err, "start_new_session": True, **options}
            super().__init__(words, env={**kept, **environment}, **options)

    @property
    def out(self):
        """What it has printed so far."""
        return self.files[0].read_bytes().decode()

    @property
    def err(self):
        """What it has printed on standard error so far."""
        return self.files[1].read_bytes().decode()

    def status(self):
        """Its exit status, once it has ended."""
        return self.wait(timeout=90)

    def end(self):
        """Kill it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


class Proxy:
    """A TCP proxy to a broker, with TLS if it has a context.

    `hear` gets what comes before it goes on to the broker, and cuts the connection if it returns true. `limits` are how
    many bytes the first connection lets through to the broker and from it, before it is cut; None for all.
    """

    def __init__(self, broker, context=None, limits=(None, None)):
        self.target, self.context, self.limits = broker.port, context, limits
        self.passed, self.sockets, self.hear = [0, 0], [], None
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(broker.vhost, '')}"
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
        left = sys.maxsize if limit is None else limit
        with contextlib.suppress(OSError):
            while left and (data := source.recv(min(left, 65536))):
                if direction == 0 and self.hear and self.hear(data):
                    break
                target.sendall(data)
                left -= len(data)
                self.passed[direction] += len(data)
        self.close(source, target)

    @staticmethod
    def close(*sockets):
        """Close sockets for both sides."""
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self):
        """Cut all connections."""
        self.close(*self.sockets)

    def remove(self):
        """Cut all connections, and listen no longer."""
        self.close(self.server, *self.sockets)


@contextlib.contextmanager
def frozen(program):
    """The time in which a program stands still, as after CTRL+Z."""
    program.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.send_signal(signal.SIGCONT)


def publish(channel, *bodies):
    """Publish messages to the queue hello, and wait until they are there."""
    before = count(channel)
    for body in bodies:
        channel.basic_publish(exchange="", routing_key="hello", body=body)
    wait_for(lambda: count(channel) >= before + len(bodies))


def count(channel):
    """How many messages are in the queue hello, not counting those that a consumer holds."""
    return channel.queue_declare("hello", passive=True).method.message_count


def consumers(channel):
    """How many consumers the queue hello has."""
    return channel.queue_declare("hello", passive=True).method.consumer_count


def take(channel):
    """Take all messages out of the queue hello."""
    left, bodies = count(channel), []
    while len(bodies) < left:
        bodies.append(next(channel.consume("hello", auto_ack=True))[2].decode())
    channel.cancel()
    return bodies


def wait_for(condition, seconds=90):
    """Wait until condition() is true, and return what it says. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not (met := condition()):
        assert time.monotonic() < end, f"not met within {seconds} s"
        time.sleep(0.02)
    return met


def changes(diff):
    """What a diff on a page changes: pairs of old and new text. Its hunks have a blank line or @@ between them."""
    hunks = [hunk.splitlines() for hunk in re.split(r"^(?:@@.*)?\n", diff, flags=re.MULTILINE) if hunk]
    return [
        tuple("".join(line[1:] + "\n" for line in hunk if line[0] in f" {sign}") for sign in "-+") for hunk in hunks
    ]


def blocks(page, language):
    """The fenced blocks of a page that are written in this language."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
