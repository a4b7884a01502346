"""The commands of the pages, typed one after the other as a reader does, print what is shown.

tests/README.md has the rules.
"""

import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path
from subprocess import CalledProcessError
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from support.pages import PRESS_CTRL_C, english_pages, read_blocks, read_page
from support.project import PROJECT, WAITING
from support.waiting import wait_until

# The commands that a page may type, beside those of .venv. Any other is "command not found", for
# it could change this machine: above its block belongs a comment "not run".
TOOLS = ["bash", "cat", "dirname", "env", "id", "sleep", "uname"]

# A page has a block for each way to run rabbitmqctl. Our reader has Docker.
WITH_DOCKER = "docker compose exec rabbitmq rabbitmqctl "
AFTER_APT_GET = "sudo rabbitmqctl "

AMQP_URL = re.compile(r"amqp://(?P<user>[^@\s\"']*)@[^/?\s\"']+(?P<vhost>/[^?\s\"']*)?")
UP_TO_SETUP_END = re.compile(r"\A.*^ \[\*\] RabbitMQ is running.*?\n", re.MULTILINE | re.DOTALL)
SVG_TEXT = "{http://www.w3.org/2000/svg}text"


PAGES_WITH_COMMANDS = [page for page in english_pages() if "\n```bash\n" in read_page(page)]


def commands_of(block, prefix):
    """Return the words of each rabbitmqctl in a block, without what stands in front of them."""
    commands = []
    for command in block.text.replace(" &&\n", "\n").splitlines():
        assert command.startswith(prefix), f"{block.place}: awaited: {prefix}\nseen: {command}"
        commands.append(shlex.split(command.removeprefix(prefix)))
    return commands


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_each_command_prints_what_the_page_shows(page, reader):
    for block in read_blocks(page):
        reader.goes_through(block)

    assert not reader.receivers, f"at the end of {page}, CTRL+C has not been pressed"


@pytest.mark.parametrize("page", english_pages())
def test_both_ways_to_run_rabbitmqctl_do_the_same(page):
    blocks = [block for block in read_blocks(page) if block.kind == "bash"]
    with_docker = [
        commands_of(block, WITH_DOCKER) for block in blocks if block.text.startswith(WITH_DOCKER)
    ]
    after_apt_get = [
        commands_of(block, AFTER_APT_GET)
        for block in blocks
        if block.text.startswith(AFTER_APT_GET)
    ]

    assert with_docker == after_apt_get


def test_the_picture_types_commands_of_the_lesson():
    typed = [line for line in lines_of_picture("sender") if line.startswith("$ python")]
    typed += [line for line in lines_of_picture("receiver") if line.startswith("$ python")]

    assert len(typed) > 1
    for line in typed:
        program = " ".join(line.split()[:3]).removeprefix("$ ")
        assert program in read_page("README.md")


def test_the_picture_shows_what_the_programs_print(run_send, start_receive):
    receiver = start_receive()
    seen = []
    for line in lines_of_picture("sender"):
        if line.startswith("$ python send.py"):
            words = line.split()[3:]
            sender = run_send(*words)
            seen += [line, *sender.out.splitlines()]

    assert lines_of_picture("sender") == [*seen, "$ "]
    *shown, last = lines_of_picture("receiver")
    wait_until(
        lambda: ["$ python receive.py", *receiver.out.splitlines()],
        lambda lines: lines == shown,
        f"the lines of docs/hello.svg: {shown}",
    )
    assert last == "^C$ "


def lines_of_picture(terminal):
    """Return the lines of text that a terminal of docs/hello.svg shows in the end."""
    picture = ElementTree.parse(PROJECT / "docs/hello.svg")
    lines = picture.find(f".//*[@id='{terminal}']").iter(SVG_TEXT)
    return ["".join(line.itertext()) for line in lines]


@pytest.fixture
def project_copy(tmp_path):
    """A copy of the project, with the commands of .venv and TOOLS, and no others."""
    copy = tmp_path / "project"
    hidden = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(PROJECT, copy, ignore=hidden)
    venv = copy / ".venv"
    venv.mkdir()
    for path in Path(sys.prefix).iterdir():
        (venv / path.name).symlink_to(path)  # if setup.sh clears .venv, then these alone
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool))
    return copy


@pytest.fixture
def student(broker, page):
    """The user student, and the virtual host demo, unless the page itself creates them."""
    if "add_user student" not in read_page(page):
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        broker.api("PUT", "users", "student", password="secret", tags="")
        broker.api("PUT", "vhosts", "demo")
        broker.api("PUT", "permissions", "demo", "student", **everything)
    yield
    for kind, name in [("users", "student"), ("vhosts", "demo")]:
        if name in [each["name"] for each in broker.api("GET", kind)]:
            broker.api("DELETE", kind, name)


@pytest.fixture
def reader(broker, hello_queue, student, project_copy, start_program):
    """Someone who types the commands of a page. The queue hello is there already."""
    return Reader(broker, project_copy, start_program)


class Reader:
    """Someone who types commands in a copy of the project, and compares what they print."""

    def __init__(self, broker, folder, start_program):
        self.broker = broker
        self.folder = folder
        self.start_program = start_program
        self.receivers = []
        self.last_typed = None  # the block
        self.last_printed = None

    def goes_through(self, block):
        if block.kind == PRESS_CTRL_C:
            self.press_ctrl_c(block)
        elif block.kind == "bash" and block.not_run:
            self.last_typed = None
        elif block.kind == "bash":
            self.type(block)
        elif block.kind == "text" and not block.not_run:
            self.compare(block)

    def type(self, block):
        if block.text.startswith(AFTER_APT_GET):
            return  # the block for Docker, above it, does the same
        self.last_typed = block
        if block.text.startswith(WITH_DOCKER):
            self.last_printed = self.run_rabbitmqctl(block)
        else:
            self.last_printed = self.run_script(block)

    def run_rabbitmqctl(self, block):
        """Run commands of rabbitmqctl in the virtual host of the test, unless they name one."""
        printed = ""
        for words in commands_of(block, WITH_DOCKER):
            if "-p" not in words:
                words += ["-p", self.broker.name]
            try:
                printed += self.broker.rabbitmqctl(*words)
            except CalledProcessError as error:
                raise AssertionError(f"{block.place}: {error}") from error
        return printed

    def run_script(self, block):
        """Run a block with bash. If it ends with receive.py, let that run on."""
        program = self.start_program(
            "bash", "-e", "-c", self.to_the_test(block.text), cwd=self.folder, PATH=self.path()
        )
        if block.text.endswith("python receive.py\n"):
            self.receivers.append(Receiver(program))
            program.wait_for_out(WAITING)
            return ""
        program.wait_for_end()
        assert program.err == "", f"{block.place}\n{program.describe()}"
        assert program.status == 0, f"{block.place}\n{program.describe()}"
        return program.out

    def path(self):
        return f"{self.folder / '.venv/bin'}{os.pathsep}{self.folder.parent / 'tools'}"

    def to_the_test(self, text):
        """Return commands with the broker of the test in their URLs."""
        host = f"localhost:{self.broker.port}"
        own_vhost = "/" + quote(self.broker.name, safe="")

        def to_host(url):
            return f"amqp://{url['user']}@{host}{url['vhost'] or own_vhost}"

        return AMQP_URL.sub(to_host, text)

    def compare(self, block):
        """Compare a text with what the last command has printed, or what a receiver prints."""
        assert self.last_typed, f"{block.place}: no command above has been run"
        shown = without_setup(block.text)
        printed = without_setup(self.last_printed)
        if printed == shown:
            return
        if " list_" in self.last_typed.text:  # its numbers can be some seconds old
            self.wait_for_rabbitmqctl(block)
        elif self.receivers:
            self.wait_for_receiver(block, shown)
        else:
            assert printed == shown, f"{self.last_typed.place} prints, {block.place} shows:"

    def wait_for_rabbitmqctl(self, block):
        wait_until(
            lambda: self.run_rabbitmqctl(self.last_typed),
            lambda printed: printed == block.text,
            f"{block.place}, after {self.last_typed.place}: {block.text!r}",
        )

    def wait_for_receiver(self, block, shown):
        """Wait until one of the receivers has printed just this since the last text."""
        wait_until(
            lambda: [receiver.printed_since() for receiver in self.receivers],
            lambda printed: shown in printed,
            f"{block.place}, printed by a receiver: {shown!r}\n"
            f"{self.last_typed.place} has printed: {self.last_printed!r}",
        )
        for receiver in self.receivers:
            receiver.seen = receiver.program.out

    def press_ctrl_c(self, block):
        for receiver in self.receivers:
            program = receiver.program
            os.killpg(program.process.pid, signal.SIGINT)  # bash and Python, as a terminal does
            program.wait_for_end()
            assert program.err == "", f"{block.place}\n{program.describe()}"
            assert program.status == 130, f"{block.place}\n{program.describe()}"
        self.receivers = []


class Receiver:
    """A receive.py that runs, and what it had printed when a text was compared with it last."""

    def __init__(self, program):
        self.program = program
        self.seen = ""

    def printed_since(self):
        return without_setup(self.program.out.removeprefix(self.seen))


def without_setup(text):
    """Return a text without what setup.sh prints, for that differs from machine to machine."""
    return UP_TO_SETUP_END.sub("", text)
