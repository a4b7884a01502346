"""RabbitMQ for the tests: a node of this machine, or the container of docker-compose.yml."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from mirakuru import TCPExecutor
from port_for import get_port

from support.project import PROJECT

COMPOSE = ["docker", "compose"]
COMPOSE_IMAGE = "docker.io/library/rabbitmq:4-management"
START_TIMEOUT = 150  # seconds

# /usr/sbin has Debian's commands, which want to be root or rabbitmq; those in /usr/lib do not.
# The last two are Homebrew's.
FOLDERS = ["/usr/lib/rabbitmq/bin", os.environ["PATH"], "/opt/homebrew/sbin", "/usr/local/sbin"]

SETTINGS = """
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
collect_statistics_interval = 500
"""
ERLANG_OPTIONS = "+sbwt none +sbwtdcpu none +sbwtdio none"  # a scheduler that waits, sleeps
GUEST = "Basic Z3Vlc3Q6Z3Vlc3Q="  # guest:guest


def find_command(name):
    """Return the path of a command of RabbitMQ, or None."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


def docker_has_the_image():
    """Tell whether a Docker engine answers that has the image of docker-compose.yml."""
    if not shutil.which("docker"):
        return False
    inspect = ["docker", "image", "inspect", COMPOSE_IMAGE]
    return subprocess.run(inspect, capture_output=True, check=False).returncode == 0


class Server:
    """A RabbitMQ, on two ports of this machine: AMQP's, and the HTTP API's."""

    def __init__(self, port, management_port, ctl, environment):
        self.port = port
        self.management_port = management_port
        self.ctl = ctl  # the words of the command that runs its rabbitmqctl
        self.environment = environment

    def facts(self):
        """Return what another process needs to use this server: the arguments of Server()."""
        return [self.port, self.management_port, self.ctl, self.environment]

    def rabbitmqctl(self, *words):
        """Run rabbitmqctl, and return what it prints."""
        return subprocess.check_output(
            [*self.ctl, *words],
            cwd=PROJECT,
            env={**os.environ, **self.environment},
            text=True,
        )

    def url(self, vhost="/"):
        """Return the URL of a virtual host, as RABBITMQ_URL takes it."""
        return f"amqp://guest:guest@localhost:{self.port}/{quote(vhost, safe='')}"

    def api(self, method, *path, **body):
        """Ask the HTTP API, and return its answer. https://www.rabbitmq.com/docs/http-api-reference"""
        address = "/".join(quote(part, safe="") for part in path)
        request = Request(
            f"http://127.0.0.1:{self.management_port}/api/{address}",
            method=method,
            headers={"Authorization": GUEST, "Content-Type": "application/json"},
            data=json.dumps(body).encode() if method == "PUT" else None,
        )
        with urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Node(Server):
    """A RabbitMQ node of this machine, whose data, settings and port mapper are its own."""

    def __init__(
        self,
        name,
        folder,
        epmd_port,
        home=None,  # where Erlang's cookie is, which the nodes of a cluster share
        settings="",
        erlang_options=ERLANG_OPTIONS,
    ):
        port = get_port(None)
        management_port = get_port(None)
        self.name = f"{name}@localhost"
        config_file = folder / "rabbitmq.conf"
        config_file.write_text(settings + SETTINGS.format(management_port=management_port))
        plugins_file = folder / "plugins"
        plugins_file.write_text("[rabbitmq_management].")
        environment = {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            "HOME": str(home or folder),
            "RABBITMQ_CONFIG_FILE": str(config_file),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),  # not this machine's
            "RABBITMQ_DIST_PORT": str(get_port(None)),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins_file),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang_options,
        }
        super().__init__(port, management_port, [find_command("rabbitmqctl")], environment)
        self._process = TCPExecutor(
            find_command("rabbitmq-server"),
            host="127.0.0.1",
            port=port,  # RabbitMQ opens it last, when all else is there
            timeout=START_TIMEOUT,
            envvars=environment,
        )

    def start(self):
        self._process.start()

    def stop(self):
        self._process.stop()

    def kill(self):
        self._process.kill()

    def is_running(self):
        return self._process.running()

    def remove(self):
        self.kill()


class Container(Server):
    """The RabbitMQ of docker-compose.yml, under a project name and on ports of its own."""

    def __init__(self, name):
        port = get_port(None)
        management_port = get_port(None)
        environment = {
            "AMQP_PORT": str(port),
            "UI_PORT": str(management_port),
            "COMPOSE_PROJECT_NAME": f"{name}-{port}",
        }
        ctl = [*COMPOSE, "exec", "-T", "rabbitmq", "rabbitmqctl"]
        super().__init__(port, management_port, ctl, environment)

    def start(self):
        self.compose("up", "--detach", "--wait")

    def stop(self):
        self.compose("stop")

    def remove(self):
        self.compose("down", "--volumes")

    def compose(self, *words):
        """Run docker compose, and return what it prints on standard output."""
        return subprocess.check_output(
            [*COMPOSE, *words], cwd=PROJECT, env={**os.environ, **self.environment}, text=True
        )


class VirtualHost:
    """A virtual host of a server, for one test alone."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.port = server.port
        self.url = server.url(name)
        self.api = server.api
        self.rabbitmqctl = server.rabbitmqctl

    def create(self):
        self.api("PUT", "vhosts", self.name)

    def delete(self):
        self.api("DELETE", "vhosts", self.name)

    def allow_guest(self, configure=".*", write=".*", read=".*"):
        """Set what guest may do here: three regular expressions of names."""
        self.api(
            "PUT", "permissions", self.name, "guest", configure=configure, write=write, read=read
        )

    def set_limit(self, name, value):
        """Set max-connections or max-queues of this virtual host."""
        self.api("PUT", "vhost-limits", self.name, name, value=value)

    def set_policy(self, pattern, **definition):
        self.api("PUT", "policies", self.name, "tests", pattern=pattern, definition=definition)


def kill_port_mapper(epmd_port):
    """End the epmd that the first node on this port has started, and that stays."""
    epmd = shutil.which("epmd")
    if epmd:
        environment = {**os.environ, "ERL_EPMD_PORT": str(epmd_port)}
        subprocess.run([epmd, "-kill"], env=environment, capture_output=True, check=False)


@contextlib.contextmanager
def running_node(name):
    """A node that runs inside the with block, for programs that are no tests."""
    epmd_port = get_port(None)
    with tempfile.TemporaryDirectory() as folder:
        node = Node(name, Path(folder), epmd_port)
        try:
            node.start()
            yield node
        finally:
            node.kill()
            kill_port_mapper(epmd_port)
