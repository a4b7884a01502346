"""What the tests are made of and is no fixture: brokers, programs, a proxy, pages, waiting."""

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
from functools import partial, partialmethod
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pika
from port_for import get_port
from pytest_rabbitmq.factories.executor import RabbitMqExecutor

PROJECT, COMPOSE = Path(__file__).parent.parent, ["docker", "compose"]
WAITING = " [*] Waiting for messages. To exit press CTRL+C\n"
SENT, RECEIVED = " [x] Sent 'Hello World!'\n", " [x] Received 'Hello World!'\n"
LOST = " [!] the connection was lost, perhaps with messages on the way"
AGAIN = "; connecting again in 5 seconds\n"
REFUSED = " [!] RabbitMQ refused the message (is the queue full, or a node down?)\n"
ERLANG = "+sbwt none +sbwtdcpu none +sbwtdio none"  # do not use the processor while you wait
ENDLESS = (sys.maxsize, sys.maxsize)  # bytes there and back
# Debian's commands in /usr/sbin switch to the user rabbitmq, those in /usr/lib do not; the others are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/opt/homebrew/sbin", "/usr/local/sbin"]
command = partial(shutil.which, path=os.pathsep.join(FOLDERS))
HEADERS = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"}  # guest:guest


class Broker:
    """RabbitMQ for the tests: its ports, its HTTP API, its rabbitmqctl, and one virtual host of it."""

    def __init__(self, port, ui_port, rabbitmqctl, environment, vhost="/"):
        self.facts = port, ui_port, rabbitmqctl, environment
        self.port, self.ui_port, self.rabbitmqctl, self.environment = self.facts
        self.vhost, self.url = vhost, f"amqp://guest:guest@localhost:{port}/{quote(vhost, '')}"

    def api(self, method, *path, **body):
        """Ask RabbitMQ's HTTP API, and return what it answers."""
        address = f"http://127.0.0.1:{self.ui_port}/api/{'/'.join(quote(part, '') for part in path)}"
        data = json.dumps(body).encode() if method == "PUT" else None
        with urlopen(Request(address, data, HEADERS, method=method)) as answer:
            return json.loads(answer.read() or "null")

    def ctl(self, *words):
        return subprocess.check_output([*self.rabbitmqctl, *words], cwd=PROJECT, env=self.environment, text=True)

    def virtual_host(self, name):
        self.api("PUT", "vhosts", name)
        return Broker(*self.facts, name)

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
        node._envvars["RABBITMQ_CONFIG_FILE"], node._timeout = str(config), 150  # which are no arguments (seconds)
        super().__init__(port, ui_port, [ctl], node.envvars)
        self.start, self.stop, self.kill, self.remove = node.start, node.stop, node.kill, node.kill


class Container(Broker):
    """The RabbitMQ of docker-compose.yml, under another project name and on other ports."""

    def __init__(self, name):
        ports = {"AMQP_PORT": str(get_port(None)), "UI_PORT": str(get_port(None))}
        environment = {**os.environ, **ports, "COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}"}
        super().__init__(*map(int, ports.values()), [*COMPOSE, "exec", "-T", "rabbitmq", "rabbitmqctl"], environment)
        run = partial(subprocess.run, cwd=PROJECT, env=environment, check=True)
        self.start, self.stop = partial(run, [*COMPOSE, "up", "-d", "--wait"]), partial(run, [*COMPOSE, "stop"])
        self.remove = partial(run, [*COMPOSE, "down", "-v"])


def broker_kind():
    """What this machine can run: "native" or "docker"; None if neither."""
    return "native" if command("rabbitmq-server") else "docker" if shutil.which("docker") else None


@contextlib.contextmanager
def running(kind, name):
    """The time in which a broker runs, "native" or in "docker", apart from all others on this machine and their settings."""
    os.environ.setdefault("ERL_EPMD_PORT", str(get_port(None)))
    os.environ.update(ERL_EPMD_ADDRESS="127.0.0.1", RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_CONF_ENV_FILE="/no")
    os.environ.update(RABBITMQ_ENABLED_PLUGINS="rabbitmq_management", RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=ERLANG)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if epmd := command("epmd"):  # the port mapper that nodes start would stay; it does stay while there are others
            stack.callback(subprocess.run, [epmd, "-kill"], capture_output=True)
        broker = Node(name, Path(folder)) if kind == "native" else Container(name)
        stack.callback(broker.remove)
        broker.start()
        yield broker


class Program(subprocess.Popen):
    """A running program, whose standard output and standard error go to files."""

    out = property(lambda self: self.files[0].read_bytes().decode())  # what it has printed so far
    err = property(lambda self: self.files[1].read_bytes().decode())  # and on standard error
    status = partialmethod(subprocess.Popen.wait, timeout=90)  # its exit status, once it has ended

    def __init__(self, files, words, variables):
        self.files = files
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"  # as if .venv were active
        folder = words[1].parent if isinstance(words[1], Path) else PROJECT
        with files[0].open("w") as out, files[1].open("w") as err:
            super().__init__(words, cwd=folder, env=kept | variables, stdout=out, stderr=err, start_new_session=True)

    def end(self):
        """Kill it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


class Proxy:
    """A TCP proxy to a broker, with TLS if it has a context. `limits` are how many bytes the first connection lets through
    there and back, before it is cut. `hear` gets what the program sends, before it goes on; if it is true, all is cut."""

    def __init__(self, broker, limits, context):
        self.broker, self.limits, self.hear, self.passed = broker, limits, lambda data: False, [0, 0]
        self.sockets, self.server = [], socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(broker.vhost, '')}"
        if context:
            self.server = context.wrap_socket(self.server, server_side=True)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while self.server.fileno() != -1:  # until it is closed
            with contextlib.suppress(OSError):
                client, node = self.server.accept()[0], socket.create_connection(("127.0.0.1", self.broker.port))
                self.sockets += [client, node]
                for way, (source, target) in enumerate([(client, node), (node, client)]):
                    threading.Thread(target=self.copy, args=[source, target, way, self.limits[way]], daemon=True).start()
                self.limits = ENDLESS

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
    """What is in the queue hello, without what a consumer holds: message_count; and its consumer_count."""
    return channel.queue_declare("hello", passive=True).method


def publish(channel, *bodies):
    """Publish messages to the queue hello, which is empty, and wait until all are there."""
    for body in bodies:
        channel.basic_publish(exchange="", routing_key="hello", body=body)
    wait_for(lambda: state(channel).message_count >= len(bodies))


def take(channel):
    """Take all messages out of the queue hello."""
    count, messages = state(channel).message_count, channel.consume("hello", auto_ack=True, inactivity_timeout=90)
    bodies = [next(messages)[2].decode() for _ in range(count)]
    channel.cancel()
    return bodies


def text(page):
    return (PROJECT / page).read_text(encoding="utf-8")


def blocks(page, language):
    """The fenced blocks of a page that are written in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


def listed(page):
    """What the list items of a page begin with, by the heading of their section."""
    sections = re.split(r"^## ", text(page), flags=re.MULTILINE)
    return {each.partition("\n")[0]: re.findall(r"^- `(.*?)`", each, re.MULTILINE) for each in sections}


def changes(diff):
    """What a diff changes: pairs of old and new text. Between its hunks are lines with @@, or else blank ones."""
    hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE) if "@@" in diff else diff.split("\n\n")
    hunks = [[line or " " for line in hunk.splitlines()] for hunk in hunks if hunk]
    return [["".join(line[1:] + "\n" for line in hunk if line[0] in f" {sign}") for sign in "-+"] for hunk in hunks]


def wait_for(condition):
    """Wait until condition() is true, and return what it says. Raises AssertionError after 90 seconds."""
    end = time.monotonic() + 90
    while not (met := condition()):
        assert time.monotonic() < end, "not met within 90 s"
        time.sleep(0.02)
    return met
