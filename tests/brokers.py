"""RabbitMQ brokers of the tests' own: on free ports, with their own data, and gone afterwards."""

import os
import shutil
import subprocess
from pathlib import Path

from port_for import get_port
from pytest_rabbitmq import factories

PROJECT = Path(__file__).parent.parent
README, DOCS = PROJECT / "README.md", PROJECT / "docs"
# Debian's commands in /usr/sbin switch to the user rabbitmq, those in /usr/lib do not; the others are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/opt/homebrew/sbin", "/usr/local/sbin"]


def keep_apart():
    """Keep RabbitMQ's nodes that this process starts apart from all others on this machine."""
    os.environ.update(
        ERL_EPMD_PORT=str(get_port(None)),
        ERL_EPMD_ADDRESS="127.0.0.1",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
        RABBITMQ_CONFIG_FILE="/nonexistent",
        RABBITMQ_CONF_ENV_FILE="/nonexistent",
    )


def command(name):
    """The path of one of RabbitMQ's commands on this machine, or None."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


def docker_answers():
    """Whether a Docker engine with Compose v2 answers."""
    try:
        return subprocess.run(["docker", "compose", "ls"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def native_node(name):
    """A session fixture: a RabbitMQ node as a process of this machine."""
    server, ctl = command("rabbitmq-server"), command("rabbitmqctl")
    return factories.rabbitmq_proc(server=server, ctl=ctl, node=f"{name}@localhost", plugindir=Path(__file__).parent)


class NativeBroker:
    """A RabbitMQ that pytest-rabbitmq runs."""

    def __init__(self, executor):
        self.executor = executor
        self.port = executor.port
        self.name = executor.envvars["RABBITMQ_NODENAME"]
        self.stop, self.kill = executor.stop, executor.kill

    def start(self):
        """Start the node and wait until clients can connect."""
        self.executor.start()
        self.rabbitmqctl("await_startup")

    def rabbitmqctl(self, *words):
        """Run a rabbitmqctl command and return what it prints."""
        return self.executor.rabbitctl_output("-q", *words)

    def queues(self, *words):
        """Run a rabbitmq-queues command."""
        environment = {**os.environ, **self.executor.envvars}
        command_line = [command("rabbitmq-queues"), "-q", "-n", self.name, *words]
        subprocess.run(command_line, env=environment, stdout=subprocess.DEVNULL, check=True)


class DockerBroker:
    """The RabbitMQ of docker-compose.yml, under another project name and on other ports."""

    def __init__(self, name):
        self.port, self.ui_port = get_port(None), get_port(None)
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": name,
            "AMQP_PORT": str(self.port),
            "UI_PORT": str(self.ui_port),
        }

    def compose(self, *words):
        """Run a docker compose command and return what it prints."""
        ran = subprocess.run(
            ["docker", "compose", *words],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self):
        """Start the container and wait until it is healthy."""
        self.compose("up", "-d", "--wait")

    def stop(self):
        """Stop the container in good order."""
        self.compose("stop")

    def kill(self):
        """Kill the container."""
        self.compose("kill")

    def remove(self):
        """Remove the container and its data."""
        self.compose("down", "-v")

    def rabbitmqctl(self, *words):
        """Run a rabbitmqctl command in the container and return what it prints."""
        return self.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "-q", *words)
