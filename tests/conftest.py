"""The fixtures of the tests: RabbitMQ, the programs, changed copies of them, a terminal, a proxy."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import machinery
import pexpect
import pika
import pytest
from machinery import PROJECT, WAITING, Broker, Program, Proxy, wait_for

numbers = itertools.count()
# What RabbitMQ says only after minutes, only in some versions, or because of limits that would stop tests beside.
NOT_SEEN = "heartbeats|acknowledgement on channel|failed consuming|message size|Feature|number of channels|for user 'student':"


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
    config.shared = {"kind": config.getoption("--broker") or machinery.broker_kind(), "folder": tempfile.mkdtemp()}
    if config.shared["kind"] is None:
        pytest.exit("neither rabbitmq-server nor Docker here; run ./setup.sh", returncode=1)
    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)
    stack.callback(shutil.rmtree, config.shared["folder"])
    broker = stack.enter_context(machinery.running(config.shared["kind"], "hello-tests"))
    config.shared["facts"] = {name: getattr(broker, name) for name in ("port", "ui_port", "rabbitmqctl", "environment")}


def pytest_configure_node(node):
    """Tell a worker of the broker."""
    node.workerinput["shared"] = node.config.shared


def pytest_report_header(config):
    return f"broker: {config.shared['kind']}, pika {pika.__version__}"


def pytest_sessionfinish(session, exitstatus):
    """When all tests have passed: has a program printed each line that troubleshooting explains?"""
    config = session.config
    if exitstatus or hasattr(config, "workerinput") or config.args != ["tests"] or config.option.keyword:
        return
    said = "".join(file.read_text() for file in Path(config.shared["folder"]).glob("*.err"))
    for line in machinery.listed("docs/troubleshooting.md")[1]:
        pattern = re.sub(r"…|\d{4,5}|nowhere\\\.invalid|demo|student|'/'|/(?=:)", ".*", re.escape(line))
        if not re.search(pattern, said) and not re.search(NOT_SEEN, line):
            print(f"\ndocs/troubleshooting.md explains what no program has printed: {line}")
            session.exitstatus = 1


@pytest.fixture
def broker(pytestconfig):
    """A RabbitMQ broker with a virtual host for this test alone."""
    with Broker(**pytestconfig.shared["facts"]).virtual_host(f"test {os.getpid()} {next(numbers)}") as broker:
        yield broker


@pytest.fixture
def hello(broker):
    """A pika channel to the broker on which the queue hello is declared."""
    with broker.channel() as channel:
        yield channel


@pytest.fixture
def start(request, pytestconfig):
    """Start a program of the project, or another one; it and its children end with the test."""
    programs = []

    def start(*words, program=sys.executable, url=None, **environment):
        url = request.getfixturevalue("broker").url if url is None else url
        files = [Path(pytestconfig.shared["folder"], f"{os.getpid()}-{next(numbers)}.{name}") for name in ("out", "err")]
        programs.append(Program(files, [program, *words], url, environment))
        return programs[-1]

    yield start
    for program in programs:
        program.end()
        print(program.args, program.returncode, program.out[-1000:], program.err[-2000:])  # shown if the test fails


@pytest.fixture
def send(start):
    """Run send.py, or another program, to its end."""

    def send(*words, path="send.py", **keywords):
        program = start(path, *words, **keywords)
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
    """Copy the three files, change one of them as a reader would (old and new text), and return its path."""

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
def terminal(broker, request):
    """Run a program in a terminal of its own, where CTRL+C can be typed (pexpect)."""

    def terminal(*words, url=broker.url):
        options = {"cwd": PROJECT, "env": {**os.environ, "RABBITMQ_URL": url}, "encoding": "utf-8", "timeout": 90}
        spawned = pexpect.spawn(sys.executable, [str(word) for word in words], **options)
        request.addfinalizer(lambda: spawned.close(force=True))
        return spawned

    return terminal


@pytest.fixture
def proxy(broker, request):
    """Start a TCP proxy to the broker, or to another one. All of them are gone after the test."""

    def proxy(*arguments, to=broker):
        started = Proxy(to, *arguments)
        request.addfinalizer(lambda: started.cut(started.server, *started.sockets))
        return started

    return proxy
