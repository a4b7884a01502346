"""The fixtures of the tests: RabbitMQ, the programs, changed copies of them, a terminal, a proxy."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pexpect
import pytest
from machinery import ENDLESS, PROJECT, WAITING, Broker, Program, Proxy, broker_kind, listed, running, wait_for

numbers = itertools.count()
EXAMPLES = r"…|\d{4,5}|nowhere\\\.invalid|demo|student|'/'|/(?=:)"  # what differs in a line of the page, as a pattern


def pytest_addoption(parser):
    parser.addoption("--broker", choices=["native", "docker"], help="default: the first that works on this machine")


def pytest_configure(config):
    """Start the broker that all workers share. They inherit the variable that tells of it."""
    # What a script starts in the background ignores CTRL+C, and so would all programs that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        kind = config.getoption("--broker") or broker_kind()
        if kind is None:
            pytest.exit("neither rabbitmq-server nor Docker here; run ./setup.sh", returncode=1)
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        os.environ["HELLO_TESTS"] = json.dumps([kind, stack.enter_context(running(kind, "hello-tests")).facts])
    config.kind, config.facts = json.loads(os.environ["HELLO_TESTS"])


@pytest.fixture
def broker(pytestconfig):
    """A RabbitMQ broker with a virtual host for this test alone."""
    return Broker(*pytestconfig.facts).virtual_host(f"test {os.getpid()} {next(numbers)}")


@pytest.fixture
def hello(broker):
    """A pika channel to the broker on which the queue hello is declared."""
    with broker.channel() as channel:
        yield channel


class Desk(contextlib.ExitStack):
    """Where someone starts programs, which end with the test. Each method is a fixture, too."""

    def start(self, *words, program=sys.executable, url=None, **variables):
        """Start a program of the project, or another one."""
        files = [self.folder / f"{next(numbers)}.{name}" for name in ("out", "err")]
        variables["RABBITMQ_URL"] = self.broker.url if url is None else url
        program = Program(files, [program, *words], variables)
        self.callback(lambda: print(program.args, program.returncode, program.out[-1000:], program.err[-2000:]))
        self.callback(program.end)
        return program

    def send(self, *words, path="send.py", **keywords):
        """Run send.py, or another program, to its end."""
        program = self.start(path, *words, **keywords)
        program.status()
        return program

    def fails(self, path="send.py", **keywords):
        """Run a program that fails as it should, and return the one line that it prints, which troubleshooting explains."""
        program = self.send(path=path, **keywords)
        assert (program.returncode, program.out) == (1, "")
        assert re.fullmatch(r" \[!\] .*\n", program.err) and "s3cret" not in program.err
        lines = listed("docs/troubleshooting.md")["send.py and receive.py"]
        assert any(re.search(re.sub(EXAMPLES, ".*", re.escape(line)), program.err) for line in lines)
        return program.err

    def receive(self, path="receive.py", **keywords):
        """Start receive.py, or a changed copy, and wait until it waits for messages."""
        program = self.start(path, **keywords)
        wait_for(lambda: program.out.startswith(WAITING))
        return program

    def copy(self, name, *changes):
        """Copy the three files, change one of them as a reader would (old and new text), and return its path."""
        path = Path(tempfile.mkdtemp(dir=self.folder), name)
        for each in ("connection.py", "send.py", "receive.py"):
            shutil.copy(PROJECT / each, path.parent)
        for old, new in changes:
            assert path.read_text(encoding="utf-8").count(old) == 1, old
            path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        return path

    def terminal(self, *words, url=None):
        """Run a program in a terminal of its own, where CTRL+C can be typed (pexpect)."""
        variables = {**os.environ, "RABBITMQ_URL": url or self.broker.url}
        started = pexpect.spawn(sys.executable, [*map(str, words)], cwd=PROJECT, env=variables, encoding="utf-8", timeout=90)
        self.callback(started.close, force=True)
        return started

    def proxy(self, limits=ENDLESS, to=None, context=None):
        """Start a TCP proxy to the broker, or to another one."""
        started = Proxy(to or self.broker, limits, context)
        self.callback(lambda: started.cut(started.server, *started.sockets))
        return started


@pytest.fixture
def desk(broker, tmp_path):
    """A desk beside the broker of the test; copies and outputs go into its folder."""
    with Desk() as desk:
        desk.broker, desk.folder = broker, tmp_path
        yield desk


def method(name):
    """A fixture that is a method of the desk."""
    return pytest.fixture(name=name)(lambda desk: getattr(desk, name))


start, send, receive, fails = map(method, ["start", "send", "receive", "fails"])
copy, terminal, proxy = map(method, ["copy", "terminal", "proxy"])
