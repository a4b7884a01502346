"""RabbitMQ brokers of the tests' own: on free ports, with their own data, and gone afterwards."""

import contextlib
import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import amqp
from port_for import get_port
from pytest_rabbitmq.factories.executor import RabbitMqExecutor

PROJECT = Path(__file__).parent.parent
README, DOCS = PROJECT / "README.md", PROJECT / "docs"
# Debian's commands in /usr/sbin switch to the user rabbitmq, those in /usr/lib do not; the others are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/opt/homebrew/sbin", "/usr/local/sbin"]


def command(name):
    """The path of one of RabbitMQ's commands on this machine, or None."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


def docker_answers():
    """Whether a Docker engine with Compose v2 answers."""
    try:
        return subprocess.run(["docker", "compose", "ls"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def kind():
    """What brokers this machine can run: "native" or "docker"; None if neither."""
    return "native" if command("rabbitmq-server") else "docker" if docker_answers() else None


def keep_apart():
    """Keep the nodes that this process starts apart from all others on this machine."""
    os.environ.update(
        ERL_EPMD_PORT=str(get_port(None)),
        ERL_EPMD_ADDRESS="127.0.0.1",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
        RABBITMQ_CONFIG_FILE="/nonexistent",
        RABBITMQ_CONF_ENV_FILE="/nonexistent",
    )


def stop_epmd():
    """Stop the port mapper daemon that native nodes had to themselves; without Erlang there is none."""
    if epmd := command("epmd"):
        subprocess.run([epmd, "-kill"], capture_output=True, check=False)


@contextlib.contextmanager
def running(kind, name, folder):
    """Run a broker, native or of Docker, and yield it."""
    broker = NativeBroker(name, folder) if kind == "native" else DockerBroker(name)
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


class NativeBroker:
    """A RabbitMQ node as a process of this machine, with its data in a folder."""

    def __init__(self, name, folder):
        self.name, self.port = f"{name}@localhost", get_port(None)
        server, ctl, other = command("rabbitmq-server"), command("rabbitmqctl"), get_port(None)
        self.node = RabbitMqExecutor(
            server, "127.0.0.1", self.port, other, ctl, folder, folder, folder, node_name=self.name
        )
        self.stop, self.kill, self.remove = self.node.stop, self.node.kill, self.node.kill

    def start(self):
        """Start the node and wait until clients can connect."""
        self.node.start()
        self.rabbitmqctl("await_startup")

    def rabbitmqctl(self, *words):
        """Run a rabbitmqctl command and return what it prints."""
        return self.node.rabbitctl_output("-q", *words)

    def rabbitmq_queues(self, *words):
        """Run a rabbitmq-queues command."""
        environment = {**os.environ, **self.node.envvars}
        subprocess.run([command("rabbitmq-queues"), *words], env=environment, stdout=subprocess.DEVNULL, check=True)


class DockerBroker:
    """The RabbitMQ of docker-compose.yml, under another project name and on other ports."""

    def __init__(self, name):
        self.port, self.ui_port = get_port(None), get_port(None)
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}",
            "AMQP_PORT": str(self.port),
            "UI_PORT": str(self.ui_port),
        }
        self.start = partial(self.compose, "up", "-d", "--wait")
        self.stop, self.kill = partial(self.compose, "stop"), partial(self.compose, "kill")
        self.remove = partial(self.compose, "down", "-v")

    def compose(self, *words):
        """Run a docker compose command and return what it prints."""
        options = {"cwd": PROJECT, "env": self.environment, "capture_output": True, "text": True}
        ran = subprocess.run(["docker", "compose", *words], **options)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def rabbitmqctl(self, *words):
        """Run a rabbitmqctl command in the container and return what it prints."""
        return self.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "-q", *words)


def fill(port, count, length=0):
    """Leave just so many messages in the queue hello: 0, 1, 2 and so on, each with blanks to a length in bytes."""
    with amqp.Connection(f"127.0.0.1:{port}") as connection:  # of kombu: four times as fast as pika
        channel = connection.channel()
        channel.queue_declare("hello", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_purge("hello")
        for number in range(count):
            channel.basic_publish(amqp.Message(str(number).ljust(length)), routing_key="hello")
        while channel.queue_declare("hello", passive=True).message_count < count:
            time.sleep(0.02)
