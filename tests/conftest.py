"""The fixtures of the tests: RabbitMQ, its queue hello, the programs, a terminal, a proxy.

`pytest --fixtures` lists them. Nothing is started before a test asks for it.
"""

import contextlib
import itertools
import signal
import sys

import pika.exceptions
import pytest
from port_for import get_port
from support.broker import (
    Container,
    Node,
    Server,
    VirtualHost,
    docker_has_the_image,
    find_command,
    kill_port_mapper,
)
from support.pages import change_as_shown
from support.programs import (
    Program,
    change_file,
    copy_programs,
    environment,
    open_terminal,
)
from support.project import PROJECT, WAITING
from support.proxy import Proxy
from support.queue import HelloQueue
from support.sharing import SharedServer

SLOW_FILES = [
    "test_acknowledgements.py",
    "test_broker_down.py",
    "test_cluster.py",
    "test_compose.py",
    "test_main_again.py",
    "test_outages.py",
    "test_page_changes.py",
    "test_page_commands.py",
]

OF_THE_TEST = object()  # the URL of the virtual host that the test has


def pytest_addoption(parser):
    parser.addoption(
        "--broker",
        choices=["native", "docker"],
        help="which RabbitMQ the tests start; default: this machine's, if it has one",
    )


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that no worker is left with one at the end."""
    for name in SLOW_FILES:
        assert (PROJECT / "tests" / name).exists(), f"SLOW_FILES names {name}"
    items.sort(key=lambda item: item.path.name not in SLOW_FILES)


def pytest_configure(config):
    # What a shell script starts in the background ignores CTRL+C, and so would all that the
    # tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def broker_kind(pytestconfig):
    """Which RabbitMQ the tests start: "native" or "docker"."""
    kind = pytestconfig.getoption("--broker")
    if kind:
        return kind
    if find_command("rabbitmq-server"):
        return "native"
    if docker_has_the_image():
        return "docker"
    pytest.fail("neither rabbitmq-server nor Docker with RabbitMQ's image is here: run ./setup.sh")


@pytest.fixture(scope="session")
def epmd_port():
    """A port for the port mapper of Erlang (epmd), which the nodes of this session share."""
    port = get_port(None)
    yield port
    kill_port_mapper(port)


@pytest.fixture(scope="session")
def make_server(broker_kind, epmd_port, tmp_path_factory):
    """Make a RabbitMQ that is not started yet, in a folder or in a container of its own."""

    def make(name):
        if broker_kind == "native":
            return Node(name, tmp_path_factory.mktemp(name), epmd_port)
        return Container(name)

    return make


@pytest.fixture(scope="session")
def server(make_server, tmp_path_factory, worker_id):
    """A RabbitMQ that runs until the tests end, for all workers of pytest-xdist."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # xdist's word for: there are no workers
        folder = folder.parent
    shared = SharedServer(folder, worker_id)
    try:
        facts = shared.join(lambda: make_server("hello-tests"))
        yield Server(*facts)
    finally:
        shared.leave()


@pytest.fixture(scope="session")
def vhost_names(worker_id):
    """Endless names of virtual hosts: with a blank, which a URL must have as a code."""
    return (f"test {worker_id} {number}" for number in itertools.count(1))


@pytest.fixture
def broker(server, vhost_names):
    """A virtual host of RabbitMQ for this test alone, in which guest may do all."""
    vhost = VirtualHost(server, next(vhost_names))
    vhost.create()
    yield vhost
    vhost.delete()


@pytest.fixture
def hello_queue(broker):
    """The queue hello, declared as the programs do."""
    queue = HelloQueue(broker.url)
    yield queue
    with contextlib.suppress(pika.exceptions.AMQPError):  # a test may have stopped the broker
        queue.connection.close()


@pytest.fixture
def start_program(request, tmp_path):
    """Start a program: `start_program("bash", "-c", "…", cwd=…, url=…, VARIABLE=…)`.

    It goes to the virtual host of the test, or to a url, or has no RABBITMQ_URL (url=None). It is
    killed when the test ends; if the test has failed, what it has printed is shown.
    """
    started = []
    output_folder = tmp_path / "output"
    output_folder.mkdir()

    def start(*command, cwd=PROJECT, url=OF_THE_TEST, **variables):
        if url is OF_THE_TEST:
            url = request.getfixturevalue("broker").url
        program = Program(command, cwd, environment(url, **variables), output_folder)
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        print(program.describe())


@pytest.fixture
def start_python(start_program):
    """Start one of the project's programs, or a changed copy: `start_python("send.py", "word")`."""

    def start(path, *words, **keywords):
        path = PROJECT / path
        return start_program(sys.executable, path, *words, cwd=path.parent, **keywords)

    return start


@pytest.fixture
def run_python(start_python):
    """Run one of the project's programs, or a changed copy, to its end."""

    def run(path, *words, **keywords):
        program = start_python(path, *words, **keywords)
        program.wait_for_end()
        return program

    return run


@pytest.fixture
def run_send(run_python):
    """Run send.py to its end: `run_send("some", "words", url=…)`."""

    def run(*words, **keywords):
        return run_python("send.py", *words, **keywords)

    return run


@pytest.fixture
def start_receive(start_python):
    """Start receive.py, or a changed copy, and wait until it waits for messages."""

    def start(path="receive.py", **keywords):
        receiver = start_python(path, **keywords)
        receiver.wait_for_out(WAITING)
        return receiver

    return start


@pytest.fixture
def changed_copy(tmp_path):
    """Copy the three files, change one of them as a reader would, and return its path.

    `changed_copy("send.py", ("old text", "new text"), …)`: each old text must be there once.
    """

    def change(name, *changes):
        path = copy_programs(tmp_path) / name
        change_file(path, changes)
        return path

    return change


@pytest.fixture
def copy_as_shown(tmp_path):
    """Copy the three files, change them as a page does, and return their folder.

    `copy_as_shown("README.md", "name of the block")`
    """

    def copy(page, name):
        folder = copy_programs(tmp_path)
        change_as_shown(folder, page, name)
        return folder

    return copy


@pytest.fixture
def terminal(broker):
    """Run a program in a terminal of its own: `terminal("receive.py", url=…)` (pexpect)."""
    opened = []

    def start(path, url=None):
        started = open_terminal(PROJECT / path, url or broker.url)
        opened.append(started)
        return started

    yield start
    for each in opened:
        each.close(force=True)


@pytest.fixture
def start_proxy(broker):
    """Start a TCP proxy to the virtual host of the test, or to another one, also with TLS."""
    started = []

    def start(vhost=broker, tls_context=None):
        proxy = Proxy(vhost, tls_context)
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        proxy.close()


@pytest.fixture
def proxy(start_proxy):
    """A TCP proxy to the virtual host of the test."""
    return start_proxy()
