"""What someone sees who follows the README and the pages in docs/: code, commands and outputs are real."""

import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap

import brokers
import pytest
from conftest import WAITING, wait_for
from port_for import get_port

ENGLISH = [brokers.README, *sorted(page for page in brokers.DOCS.glob("*.md") if ".zh-CN." not in page.name)]
CHINESE = [page.with_suffix(".zh-CN.md") for page in ENGLISH]
PICTURE = re.compile(r"\]\((.*?\.(?:svg|png))\)")
PROGRAMS = ["send.py", "receive.py", "connection.py"]
NOT_RUN = {  # what a command begins with: why this does not run it
    "./setup.sh": "it would start RabbitMQ on the user's port 5672; test_setup.py tries it",
    "PIP_INDEX_URL=": "the same",
    "docker compose": "the same; test_docker_compose.py tries docker-compose.yml",
    ".venv/bin/pip": "it would change the environment that the tests run in",
    "py -m": "Windows",
    ".venv\\Scripts": "Windows",
    "sudo apt-get": "it would install something",
    "brew": "it would install something",
    "sudo rabbitmq-plugins": "the broker of the tests has no management page",
    "sudo rabbitmq-queues": "test_cluster.py does",
    ".venv/bin/pytest": "this is it",
    ".venv/bin/python tests/benchmark.py": "it takes minutes",
}
ELSEWHERE = {  # a line that not every RabbitMQ makes a program print: the test that looks for it
    "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. …": "frozen in test_outages.py",
}

each_page = pytest.mark.parametrize("page", ENGLISH, ids=[page.stem for page in ENGLISH])
each_translation = pytest.mark.parametrize("page", [*ENGLISH, *CHINESE], ids=[page.stem for page in ENGLISH + CHINESE])


def text(page):
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page):
    """The fenced blocks of a page: their languages and texts; and the hidden comments where CTRL+C is pressed."""
    pattern = r"^(?:```(\w+)\n(.*?)^```|<!-- (CTRL\+C) -->)$"
    found = re.findall(pattern, text(page), re.MULTILINE | re.DOTALL)
    return [(language or comment, block) for language, block, comment in found]


def anchors(page):
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def lines(page):
    """The lines of the programs that the table of a page explains."""
    table = text(page).split("` [!] `")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.*?)` \|.*\|$", table, re.MULTILINE)


@pytest.fixture
def tea(broker):
    """Make the user alice and the virtual host tea. With all else that a page makes, they go after the test."""

    def tea():
        broker.rabbitmqctl("add_vhost", "tea")
        broker.rabbitmqctl("add_user", "alice", "wonderland")
        broker.rabbitmqctl("set_permissions", "-p", "tea", "alice", ".*", ".*", ".*")
        return f"amqp://alice:wonderland@localhost:{broker.port}/tea"

    yield tea
    for listed, end, name in (
        ("vhosts", "delete_vhost", "tea"),
        ("users", "delete_user", "alice"),
        ("policies", "clear_policy", "keep"),
        ("queues", "delete_queue", "hello.kept"),
    ):
        if name in broker.rabbitmqctl(f"list_{listed}").split():
            broker.rabbitmqctl(end, name)


@each_page
def test_both_languages_hold_the_same_blocks_pictures_and_lines(page):
    chinese = page.with_suffix(".zh-CN.md")
    assert blocks(page) == blocks(chinese)
    assert len(anchors(page)) == len(anchors(chinese))
    assert PICTURE.findall(text(page)) == PICTURE.findall(text(chinese))
    if "` [!] `" in text(page):
        assert lines(page) == lines(chinese)


@each_translation
def test_each_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]*)\)", text(page)):
        if not re.match("https://", target):
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


@each_page
def test_each_python_block_is_a_piece_of_a_program(page):
    for block in [block for language, block in blocks(page) if language == "python" and "threading" not in block]:
        length = block.count("\n")
        pieces = []
        for name in PROGRAMS:
            written = text(brokers.PROJECT / name).splitlines(keepends=True)
            pieces += [textwrap.dedent("".join(written[start : start + length])) for start in range(len(written))]
        assert block in pieces


class Reader:
    """Someone who types the commands of a page, and compares what they print with what the page shows."""

    def __init__(self, broker, receive):
        self.broker, self.start_receiver = broker, receive
        self.seen = {}  # the running receivers, and how much of their output the page has shown

    def types(self, command):
        """Run a command; return what it prints, or None where it cannot be run here."""
        if any(command.startswith(words) for words in NOT_RUN):
            return None
        if command == "sudo rabbitmqctl -q stop":
            self.broker.stop()
            return self.broker.start() or ""
        if command.startswith("sudo rabbitmqctl -q "):
            return self.broker.rabbitmqctl(*shlex.split(command)[3:])
        if command.startswith(".venv/bin/python receive.py"):
            self.seen[self.start_receiver(*shlex.split(command)[2:])] = 0
            return ""
        command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        command = re.sub(r"rabbit\d?\.example\.com(:5672)?", f"localhost:{self.broker.port}", command)
        environment = {**os.environ, "RABBITMQ_URL": self.broker.url}
        ran = subprocess.run(["bash", "-c", command], cwd=brokers.PROJECT, env=environment, stdout=subprocess.PIPE)
        assert ran.returncode == 0
        return ran.stdout.decode()

    def sees(self, shown):
        """Whether one of the receivers has just printed this."""
        for receiver, so_far in self.seen.items():
            if receiver.out[so_far:] == shown:
                self.seen[receiver] += len(shown)
                return True

    def presses_ctrl_c(self):
        """Stop all receivers."""
        for receiver in self.seen:
            receiver.send_signal(signal.SIGINT)
            assert (receiver.status(), receiver.err) == (-signal.SIGINT, "")
        self.seen.clear()


@each_page
def test_each_command_prints_what_the_page_shows(broker, send, receive, tea, page):
    """A text block shows what the command above it prints, or what a running receiver prints next."""
    reader = Reader(broker, receive)
    if page.stem == "cluster":
        tea()
    if page.stem == "troubleshooting":
        send()
    pending = [*blocks(page), ("", "")]
    while pending:
        language, block = pending.pop(0)
        if language == "CTRL+C":
            reader.presses_ctrl_c()
        if language not in ("bash", "powershell", "text"):
            continue
        shown = block
        if language != "text":
            shown = pending.pop(0)[1] if pending[0][0] == "text" else ""
            outputs = [reader.types(command) for command in re.sub(r"\\\n *", "", block).strip().split(" && ")]
            if outputs[-1] is None:
                continue
            shown = re.sub(r"^ \[\*\] (?!Waiting).*\n", "", shown, flags=re.MULTILINE)  # of setup.sh
            printed = "".join(output or "" for output in outputs)
            assert shown.startswith(printed)
            shown = shown[len(printed) :]
        if shown:
            wait_for(lambda shown=shown: reader.sees(shown))
    assert not reader.seen


def test_each_line_of_the_tables_is_one_that_the_programs_print(
    broker, send, receive, shell, proxy, channel, web_server, alarm, full, tea
):
    here = f"localhost:{broker.port}"
    alice = tea()
    broker.rabbitmqctl("set_permissions", "-p", "tea", "alice", "^$", ".*", ".*")
    urls = [f"amqp://localhost:{get_port(None)}", "amqp://nowhere.invalid", f"amqp://localhost:{web_server}"]
    urls += [f"amqps://{here}", f"amqp://alice:oops@{here}/tea", f"amqp://alice:wonderland@{here}/nothere", alice]
    urls += ["amqp://localhost:port", f"{broker.url}?blocked_connection_timeout=6"]
    printed = [send(url=url).err for url in urls]
    alarm()
    channel.queue_delete("hello")

    for settings in {"durable": True}, {"exclusive": True}:
        channel.queue_declare("hello", **settings)
        printed.append(send().err)
        channel.queue_delete("hello")
    printed.append(shell("$python send.py > /dev/full").err)

    def delete(data):
        if b"Hello World!" in data:
            channel.queue_delete("hello")

    for cut in delete, lambda data: b"Hello World!" in data:
        between = proxy()
        between.cut = cut
        printed.append(send(url=between.url).err)

    cable = proxy()
    receiver = receive(url=cable.url)
    cable.cut_all()
    wait_for(lambda: receiver.out.endswith(WAITING * 2))
    channel.queue_delete("hello")
    wait_for(lambda: receiver.out.endswith(WAITING * 3))
    printed.append(receiver.err)
    receiver.kill()
    printed.append(full().err)

    printed = re.sub(r"localhost:\d+", "localhost:5672", "".join(printed))
    for line in [*lines(brokers.README), *lines(brokers.DOCS / "troubleshooting.md")]:
        pattern = " \\[!] " + re.escape(line).replace("…", ".*").replace("localhost:15672", "localhost:5672")
        assert line in ELSEWHERE or re.search(f"^{pattern}$", printed, re.MULTILINE), line


def test_long_work_in_a_thread_keeps_the_connection(broker, start, hello, tmp_path):
    """The callback of the page in place of that of receive.py, with work that is longer than heartbeats allow."""
    (callback,) = [block for _, block in blocks(brokers.DOCS / "troubleshooting.md") if "threading" in block]
    program = re.sub(
        r"    def callback.*?\n\n",
        lambda _: textwrap.indent(callback, "    ") + "\n",
        text(brokers.PROJECT / "receive.py"),
        flags=re.S,
    )
    (tmp_path / "slow.py").write_text("import threading\nimport time\n" + program.replace("sleep(300)", "sleep(9)"))
    hello.basic_publish(exchange="", routing_key="hello", body=b"long")
    receiver = start(tmp_path / "slow.py", "--ack", url=broker.url + "?heartbeat=2", PYTHONPATH=str(brokers.PROJECT))
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'long'\n")
    wait_for(lambda: broker.rabbitmqctl("list_queues", "messages", "--silent").strip() == "0")
    assert (receiver.err, receiver.poll()) == ("", None)
