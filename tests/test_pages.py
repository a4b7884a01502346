"""What someone sees who follows the README and the pages in docs/: code, commands, outputs, changes and links are real."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from machinery import PROJECT, WAITING, blocks, changes, take, wait_for

ENGLISH = ["README.md", *sorted(f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md") if ".zh" not in page.name)]
PAGES = [*ENGLISH, *(page.replace(".md", ".zh-CN.md") for page in ENGLISH)]
NOT_RUN = (  # it would start, stop or install something on this machine, or is no command of bash
    "./setup.sh", "source", "bash", "docker", "brew", "sudo", "apt-get", "PIP_INDEX_URL", ".venv", "pytest", "python tests/",
    "py ", "$env:", "patch",
)  # fmt: skip
each_page = pytest.mark.parametrize("page", PAGES)


def text(page):
    """The text of a page."""
    return (PROJECT / page).read_text(encoding="utf-8")


def steps(page):
    """The fenced blocks of a page, and where CTRL+C is pressed: their kinds and texts."""
    found = re.findall(r"^ *(?:```(\w+)\n(.*?)^ *```|<!-- (CTRL\+C) -->)$", text(page), re.MULTILINE | re.DOTALL)
    return [(kind or comment, block) for kind, block, comment in found]


def anchors(page):
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def listed(page):
    """The lines of the programs that the list items of a page begin with."""
    return re.findall(r"^- `(.*?)`", text(page), re.MULTILINE)


@pytest.mark.parametrize("page", ENGLISH)
def test_both_languages_have_the_same_blocks_headings_and_lines(page):
    english, chinese = page, page.replace(".md", ".zh-CN.md")
    assert [kind for kind, _ in steps(english)] == [kind for kind, _ in steps(chinese)]
    for kind in ("python", "diff", "powershell"):
        assert blocks(english, kind) == blocks(chinese, kind)
    assert len(anchors(english)) == len(anchors(chinese))
    assert listed(english) == listed(chinese)


@each_page
def test_each_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]*)\)", text(page)):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            there = os.path.relpath((PROJECT / page).parent / path, PROJECT) if path else page
            assert (PROJECT / there).exists(), target
            assert not anchor or anchor in anchors(there), target


def test_the_readme_shows_both_programs_whole():
    assert blocks("README.md", "python") == [text("send.py"), text("receive.py")]


@each_page
def test_each_line_of_setup_sh_on_a_page_is_one_that_it_can_print(page):
    said = re.findall(r'(?:say|fail) "(?: \[!\] )?(.*?)"', text("setup.sh")) + re.findall(r'" \[!\] (.*?)"', text("setup.sh"))
    patterns = ["(?:…|.)*".join(map(re.escape, re.split(r"\$\(.*\)|\$\w+", words))) for words in said]
    for line in re.findall(r"^ \[\*\] (?!Waiting)(.*)$", "\n".join(blocks(page, "text")), re.MULTILINE):
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line


class Reader:
    """Someone who types the commands of a page, and compares what they print with what the page shows."""

    def __init__(self, broker, receive):
        self.broker, self.start_receiver = broker, receive
        self.receivers = {}  # those that are running, and how much of their output the page has shown

    def types(self, command):
        """Run a command; return what it prints, or None where it is not run."""
        self.last = command
        if command.startswith(NOT_RUN):
            return None
        if command.startswith("python receive.py"):
            self.receivers[self.start_receiver()] = 0
            return ""
        for name in ("demo", "student"):  # other tests may have these, too
            command = re.sub(rf"\b{name}\b", f"{name}-{os.getpid()}", command)
        command = re.sub(r"rabbit\d?\.example\.com(:5672)?", f"localhost:{self.broker.port}", command)
        if command.startswith("rabbitmqctl "):
            words = shlex.split(command)[1:]
            here = [] if "-p" in words or re.search(r"user|vhost", command) else ["-p", self.broker.vhost]
            return self.broker.ctl(*words, *here)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "RABBITMQ_URL": self.broker.url}
        ran = subprocess.run(["bash", "-c", command], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
        assert ran.returncode == 0
        return ran.stdout

    def sees(self, shown):
        """Whether one of the receivers has just printed this; that it waits may be left out on the page."""
        for receiver, so_far in self.receivers.items():
            for skipped in ("", WAITING):
                if receiver.out[so_far:].startswith(skipped + shown):
                    self.receivers[receiver] += len(skipped + shown)
                    return True

    def compares(self, printed, shown):
        """Compare what a command printed, and what a receiver prints now, with what the page shows."""
        shown = re.sub(r"^ \[\*\] (?!Waiting).*\n", "", shown, flags=re.MULTILINE)  # of setup.sh
        if shown.startswith(printed):
            shown = shown[len(printed) :]
        if shown and self.receivers:
            wait_for(lambda: self.sees(shown), seconds=30)
        elif shown:  # rabbitmqctl's counts may lag by some seconds
            wait_for(lambda: shown == self.types(self.last), seconds=30)

    def presses_ctrl_c(self):
        """Stop all receivers, which have had nothing to complain about."""
        for receiver in self.receivers:
            receiver.end()
            assert receiver.err == ""
        self.receivers.clear()


@each_page
def test_each_command_prints_what_the_page_shows(broker, hello, receive, page):
    """A text block shows what the command above it prints, or what a running receiver prints next."""
    reader, printed = Reader(broker, receive), None
    for kind, block in steps(page):
        if kind == "CTRL+C":
            reader.presses_ctrl_c()
        elif kind in ("bash", "powershell"):
            commands = re.split(r" &&\s+|\n", re.sub(r"\\\n *", "", block).strip())
            outputs = [reader.types(command) for command in commands]
            printed = None if outputs[-1] is None else "".join(output or "" for output in outputs)
        elif kind == "text" and printed is not None and "CONNECTION_FORCED" not in block:  # test_broker_down.py sees that
            reader.compares(printed, block)
            printed = ""
    assert not reader.receivers


@pytest.fixture
def yours(copy):
    """Apply the changes of "Make it yours" that are meant for a program; return the path of each result."""
    file, json_send, json_receive, goes_on = blocks("README.md", "diff")
    return {
        "file": copy("receive.py", *changes(file)),
        "json, send": copy("send.py", *changes(json_send)),
        "json, receive": copy("receive.py", *changes(json_receive)),
        "goes on": copy("send.py", *changes(goes_on)),
    }


def test_messages_are_written_to_a_file(yours, receive, send):
    receive(yours["file"])
    send("你好")
    send("two")
    messages = yours["file"].parent / "messages.txt"
    wait_for(lambda: messages.exists() and messages.read_text(encoding="utf-8") == "你好\ntwo\n")


def test_json_is_sent_and_received(yours, start, receive):
    receiver = receive(yours["json, receive"])
    sender = start(yours["json, send"])
    assert (sender.status(), sender.err) == (0, "")
    wait_for(lambda: receiver.out == WAITING + " [x] Received {'text': 'Hello World!', 'number': 1}\n")


def test_a_sender_goes_on_after_an_outage(yours, start, proxy, hello):
    cable = proxy()
    sender = start(yours["goes on"], url=cable.url)
    wait_for(lambda: sender.out.count("Sent") > 1)
    cable.cut()
    wait_for(lambda: "connecting again" in sender.err)
    told = sender.out.count("Sent")
    wait_for(lambda: sender.out.count("Sent") > told)
    sender.end()
    assert len(take(hello)) >= sender.out.count("Sent")


def test_the_picture_shows_what_the_programs_print(terminal, start):
    picture = ElementTree.parse(PROJECT / "docs/hello.svg").getroot()

    def shown(side):
        found = picture.find(f".//*[@id='{side}']").findall("{http://www.w3.org/2000/svg}text")
        return ["".join(line.itertext()) for line in found]

    (command, *_), printed = shown("receiver"), []
    receiver = terminal(*command.split()[2:])
    receiver.logfile_read = io.StringIO()
    receiver.expect_exact(WAITING.strip())
    for line in [line for line in shown("sender") if line.startswith("$ python")]:
        sender = start(*line.split()[2:])
        assert sender.status() == 0
        printed += [line, *sender.out.splitlines()]
        receiver.expect_exact("Received '")
        receiver.expect_exact("'\r\n")
    assert shown("sender") == [*printed, "$ "]
    receiver.sendintr()
    receiver.read()
    assert shown("receiver") == [command, *receiver.logfile_read.getvalue().split("\r\n"), "$ "]
