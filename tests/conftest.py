"""The fixtures of the tests: RabbitMQ, the programs, changed copies of them, a terminal, a proxy."""

import itertools
import os
import shutil
import signal
import ssl
import sys
import tempfile
from pathlib import Path

import machinery
import pexpect
import pika
import pytest
import trustme
from machinery import PROJECT, QUEUE, WAITING, Broker, Container, Node, Program, Proxy, wait_for
from xdist.scheduler import LoadScopeScheduling

numbers = itertools.count()


def pytest_addoption(parser):
    parser.addoption("--broker", choices=["native", "docker"], help="default: the first that works on this machine")
    parser.addoption("--every-byte", action="store_true", help="cut connections after each byte, not each 53rd")


def pytest_configure(config):
    """Start the broker that all workers share."""
    # What a script starts in the background ignores CTRL+C, and so would all programs that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        config.shared = config.workerinput["shared"]
        return
    kind = config.getoption("--broker") or machinery.broker_kind()
    if kind is None:
        pytest.exit("neither rabbitmq-server nor Docker here; run ./setup.sh", returncode=1)
    machinery.keep_apart()
    folder = Path(tempfile.mkdtemp())
    config.add_cleanup(lambda: shutil.rmtree(folder))
    config.add_cleanup(machinery.stop_epmd)
    broker = Node("hello-tests", folder) if kind == "native" else Container("hello-tests")
    config.add_cleanup(broker.remove)
    broker.start()
    names = ["port", "ui_port", "rabbitmqctl", "environment"]
    config.shared = {"kind": kind, **{name: getattr(broker, name) for name in names}}


class Scheduling(LoadScopeScheduling):
    """Keep the tests of a file together that start a broker of their own, and spread all others over the workers."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return file if file.endswith(("test_broker_down.py", "test_cluster.py")) else nodeid


def pytest_xdist_make_scheduler(config, log):
    """Use it."""
    return Scheduling(config, log)


def pytest_configure_node(node):
    """Tell a worker of the broker."""
    node.workerinput["shared"] = node.config.shared


def pytest_report_header(config):
    return f"broker: {config.shared['kind']}, pika {pika.__version__}"


@pytest.fixture(scope="session")
def kind(pytestconfig):
    """What the broker is: "native" or "docker"."""
    return pytestconfig.shared["kind"]


@pytest.fixture
def broker(pytestconfig):
    """A RabbitMQ broker with a virtual host for this test alone."""
    facts = {name: fact for name, fact in pytestconfig.shared.items() if name != "kind"}
    with Broker(**facts).virtual_host(f"test {os.getpid()} {next(numbers)}") as broker:
        yield broker


@pytest.fixture(scope="session")
def whole_node(kind, tmp_path_factory):
    """A broker that no other worker uses."""
    node = Node("own-node", tmp_path_factory.mktemp("node")) if kind == "native" else Container("own-node")
    node.start()
    yield node
    node.remove()


@pytest.fixture
def node(whole_node):
    """A broker that a test may stop or kill, without a queue hello."""
    yield whole_node
    with whole_node.connect() as connection:
        connection.channel().queue_delete("hello")


@pytest.fixture
def channel(broker):
    """A pika channel to the broker, without a queue declared."""
    with broker.connect() as connection:
        yield connection.channel()


@pytest.fixture
def hello(channel):
    """A pika channel to the broker on which the queue hello is declared."""
    channel.queue_declare(**QUEUE)
    return channel


@pytest.fixture
def start(request, tmp_path):
    """Start a program of the project, or another one; it and its children end with the test."""
    programs = []

    def start(*words, program=sys.executable, url=None, **environment):
        url = request.getfixturevalue("broker").url if url is None else url
        folder = Path(words[0]).parent if isinstance(words[0], Path) else PROJECT
        programs.append(Program(tmp_path, [program, *words], {"RABBITMQ_URL": url, **environment}, cwd=folder))
        return programs[-1]

    yield start
    for program in programs:
        program.end()
        print(program.args, program.returncode, program.out[-1000:], program.err[-2000:])  # shown if the test fails


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
    """Start receive.py, or a changed copy, and wait until it waits for messages."""

    def receive(path="receive.py", **keywords):
        program = start(path, **keywords)
        wait_for(lambda: program.out.startswith(WAITING))
        return program

    return receive


@pytest.fixture
def copy(tmp_path):
    """Copy the three files, change one of them as a reader would, and return its path."""

    def copy(name, *changes):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for each in ("connection.py", "send.py", "receive.py"):
            shutil.copy(PROJECT / each, folder)
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return copy


@pytest.fixture
def terminal(broker):
    """Run a program in a terminal of its own, where CTRL+C can be typed (pexpect)."""
    terminals = []

    def terminal(*words, url=broker.url):
        environment = {**os.environ, "RABBITMQ_URL": url}
        options = {"cwd": PROJECT, "env": environment, "encoding": "utf-8", "timeout": 90}
        terminals.append(pexpect.spawn(sys.executable, [str(word) for word in words], **options))
        return terminals[-1]

    yield terminal
    for ended in terminals:
        ended.close(force=True)


@pytest.fixture
def proxy(broker):
    """Start a TCP proxy to the broker, or to another one. All of them are gone after the test."""
    proxies = []

    def proxy(*arguments, to=broker):
        proxies.append(Proxy(to, *arguments))
        return proxies[-1]

    yield proxy
    for ended in proxies:
        ended.remove()


@pytest.fixture
def ca():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def tls(proxy, ca):
    """Put TLS in front of the broker, with a certificate for a host name, and return the proxy."""

    def tls(name="localhost"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(name).configure_cert(context)
        return proxy(context)

    return tls
