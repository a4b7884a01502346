"""What someone sees who follows the README and the pages in docs/: code, commands, outputs, changes and links are real."""

import os
import re
import shlex
import signal
from xml.etree import ElementTree

import pytest
from machinery import PROJECT, WAITING, blocks, changes, listed, take, text, wait_for

ENGLISH = ["README.md", *sorted(f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md") if ".zh" not in page.name)]
PAGES = [*ENGLISH, *(page.replace(".md", ".zh-CN.md") for page in ENGLISH)]
NOT_RUN = ("./setup.sh", "source", "docker", "brew", "sudo", "PIP_INDEX_URL", ".venv")  # would change this machine


def steps(page):
    """The fenced blocks of a page, and where CTRL+C is pressed: their kinds and texts."""
    found = re.findall(r"^(?:```(\w+)\n(.*?)^```|<!-- (CTRL\+C) -->)$", text(page), re.MULTILINE | re.DOTALL)
    return [(kind or comment, block) for kind, block, comment in found]


def anchors(page):
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", ENGLISH)
def test_both_languages_have_the_same_blocks_headings_and_lines(page):
    chinese = page.replace(".md", ".zh-CN.md")
    assert [step for step in steps(page) if step[0] != "mermaid"] == [step for step in steps(chinese) if step[0] != "mermaid"]
    assert len(anchors(page)) == len(anchors(chinese))
    assert list(listed(page).values()) == list(listed(chinese).values())


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https://)([^)\s]*)\)", text(page)):
        path, _, anchor = target.partition("#")
        there = os.path.relpath((PROJECT / page).parent / path, PROJECT) if path else page
        assert (PROJECT / there).exists() and (not anchor or anchor in anchors(there)), target


def test_the_pages_show_both_programs_as_they_are():
    assert blocks("README.md", "python") == [text("send.py"), text("receive.py")]
    ours = re.findall(r"Ours: `(.*)`", text("docs/older-tutorials.md"))
    assert ours and all(line in text("send.py") + text("receive.py") for line in ours)


def test_each_line_of_setup_sh_on_a_page_is_one_that_it_can_print():
    said = re.findall(r'(?:say|_install \S+) "([^$].*?)"|" \[!\] (.*?)"', text("setup.sh"))
    patterns = [".*".join(map(re.escape, re.split(r"\$\(.*\)|\$\w+", "".join(words)))) for words in said]
    shown = re.findall(r"^ \[\*\] (?!Waiting)(.*)$", "".join(block for page in PAGES for block in blocks(page, "text")), re.M)
    for line in [*shown, *listed("docs/troubleshooting.md")["setup.sh"]]:
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line


class Reader:
    """Someone who types the commands of a page, and compares what they print with what the page shows."""

    def __init__(self, desk):
        self.desk, self.receivers = desk, {}  # those that are running, and how much of their output the page has shown

    def types(self, command):
        """Run a command; return what it prints, or None where it is not run."""
        self.last, broker = command, self.desk.broker
        own = broker.vhost.replace("test ", "").replace(" ", "-")  # other tests may have such names, too
        command = re.sub(r"\b(demo|student)\b", rf"\1-{own}", command)
        command = re.sub(r"(rabbit\d\.example\.com|localhost:5672)", f"localhost:{broker.port}", command)
        if command.startswith(NOT_RUN):
            return None
        if command.startswith("rabbitmqctl "):
            here = [] if re.search(r"-p |user|vhost", command) else ["-p", broker.vhost]
            return broker.ctl(*shlex.split(command)[1:], *here)
        if command.startswith("python receive.py"):
            self.receivers[self.desk.receive()] = 0
            return ""
        program = self.desk.send(command, path="-c", program="bash")
        assert program.returncode == 0, program.err
        return program.out

    def sees(self, shown):
        """Whether a receiver has just printed this (that it waits may be left out), or the last command prints it now."""
        for receiver, so_far in self.receivers.items():
            for skipped in ("", WAITING):
                if receiver.out[so_far:].startswith(skipped + shown):
                    self.receivers[receiver] += len(skipped + shown)
                    return True
        return not self.receivers and self.types(self.last) == shown  # rabbitmqctl's counts may lag by some seconds

    def presses_ctrl_c(self):
        for receiver in self.receivers:
            receiver.send_signal(signal.SIGINT)
            assert (receiver.status(), receiver.err) == (130, "")
        self.receivers.clear()


@pytest.mark.parametrize("page", [page for page in ENGLISH if blocks(page, "bash")])
def test_each_command_prints_what_the_page_shows(desk, hello, page):
    """A text block shows what the command above it prints, or what a receiver prints next. (hello is there for its queue.)"""
    reader, printed = Reader(desk), None
    if "no-message-lost" in page:  # where it refers to another page for them
        (block,) = (block for block in blocks("docs/start-rabbitmq.md", "bash") if "add_user" in block)
        list(map(reader.types, block.splitlines()))
    for kind, block in steps(page):
        if kind == "CTRL+C":
            reader.presses_ctrl_c()
        elif kind == "bash":
            outputs = [reader.types(command) for command in re.split(r" &&\s+|(?<!\\)\n", block.strip())]
            printed = None if outputs[-1] is None else "".join(output or "" for output in outputs)
        elif kind == "text" and printed is not None and "CONNECTION_FORCED" not in block:  # test_broker_down.py sees that
            rest = re.sub(r"^ \[\*\] (?!Waiting).*\n", "", block, flags=re.MULTILINE).removeprefix(printed)
            wait_for(lambda rest=rest: not rest or reader.sees(rest))
            printed = ""
    assert not reader.receivers


FILE, SEND_JSON, RECEIVE_JSON, GO_ON = blocks("README.md", "diff")


def test_make_it_yours_writes_to_a_file_and_sends_and_receives_json(copy, receive, send):
    path = copy("receive.py", *changes(FILE))
    receiver, messages = receive(path), path.parent / "messages.txt"
    send("你好")
    wait_for(lambda: messages.exists() and messages.read_text(encoding="utf-8") == "你好\n")
    receiver.end()
    receiver = receive(copy("receive.py", *changes(RECEIVE_JSON)))
    assert send(path=copy("send.py", *changes(SEND_JSON))).err == ""
    wait_for(lambda: receiver.out == WAITING + " [x] Received {'text': 'Hello World!', 'number': 1}\n")


def test_make_it_yours_has_a_sender_that_goes_on_after_an_outage(copy, start, proxy, hello):
    cable = proxy()
    sender = start(copy("send.py", *changes(GO_ON)), url=cable.url)
    wait_for(lambda: sender.out.count("Sent") > 1)
    cable.cut()
    wait_for(lambda: "connecting again" in sender.err)
    told = sender.out.count("Sent")
    wait_for(lambda: sender.out.count("Sent") > told)
    sender.end()
    assert len(take(hello)) >= sender.out.count("Sent")


def test_a_slow_callback_works_in_a_thread_as_troubleshooting_says(copy, receive, send):
    (code,), path = blocks("docs/troubleshooting.md", "python"), copy("receive.py")
    before, after = re.split(r"    def callback.*auto_ack=True\)\n", text("receive.py"), flags=re.DOTALL)
    path.write_text(f"import contextlib, threading, time, pika\n{before}{code.replace('300', '0.1')}{after}")
    receiver = receive(path)
    send("one")
    send("two")  # which comes when one is acknowledged
    wait_for(lambda: receiver.out.endswith(" [x] Received 'one'\n [x] Received 'two'\n"))


def test_the_picture_shows_what_the_programs_print(receive, send):
    picture = ElementTree.parse(PROJECT / "docs/hello.svg")

    def shown(side):
        found = picture.find(f".//*[@id='{side}']").iter("{http://www.w3.org/2000/svg}text")
        return ["".join(line.itertext()) for line in found]

    receiver, printed = receive(), []
    for line in [line for line in shown("sender") if line.startswith("$ python")]:
        printed += [line, *send(*line.split()[3:]).out.splitlines()]
    assert shown("sender") == [*printed, "$ "]
    wait_for(lambda: shown("receiver") == ["$ python receive.py", *receiver.out.splitlines(), "^C", "$ "])
