"""What someone sees who follows the README: the code, the commands and their outputs are the real ones."""

import errno
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import threading

import brokers
import pika
import pytest
from conftest import WAITING, wait_for
from port_for import get_port

READMES = [brokers.README, brokers.PROJECT / "README.zh-CN.md"]
NOT_RUN = {  # what a command begins with: why no test runs it
    "./setup.sh": "it would start RabbitMQ on the user's port 5672; test_setup.py tries the rest",
    "docker compose": "the same; test_docker_compose.py tries docker-compose.yml",
    ".venv/bin/pip": "it would change the environment that the tests run in",
    "py -m": "Windows",
    ".venv\\Scripts": "Windows",
    "sudo apt-get": "it would install something",
    "brew": "it would install something",
    "sudo rabbitmq-plugins": "the broker of the tests has no management page",
    "sudo rabbitmqctl -q set_policy": "RabbitMQ 3 has no such limit; test_ack.py does it",
    ".venv/bin/pytest": "this is it",
    ".venv/bin/python tests/benchmark.py": "it takes minutes",
}
ELSEWHERE = [  # lines that other tests make the programs print
    "not sent, because the queue 'hello' is gone",
    "not sent, because RabbitMQ refuses the message; the queue 'hello' may be full",
    "the message may or may not have arrived",
    "the connection was lost",
    "no confirm yet, waiting up to 60 s (memory or disk alarm, no majority of nodes?)",
    "no confirm from RabbitMQ within 60 s; the message may still arrive",
    "standard output: No space left on device",
]

both_languages = pytest.mark.parametrize("readme", READMES, ids=["English", "Chinese"])


def blocks(readme):
    """The fenced blocks of a README: their languages and texts; and the hidden comments where CTRL+C is pressed."""
    pattern = r"^(?:```(\w+)\n(.*?)^```|<!-- (CTRL\+C) -->)$"
    found = re.findall(pattern, readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [(language or comment, text) for language, text, comment in found]


def anchors(readme):
    """The headings of a README as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", readme.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def table(readme):
    """The first column of the table of error lines, with the same port everywhere."""
    lines = re.findall(r"^\| `(.*?)` \|.*\|.*\|$", readme.read_text(encoding="utf-8").split("` [!] `")[1], re.MULTILINE)
    return [re.sub(r"localhost:\d+", "localhost:5672", line) for line in lines]


@pytest.fixture
def tea(broker):
    """Whatever makes the user alice and the virtual host tea, they are gone after the test."""
    yield f"amqp://alice:wonderland@localhost:{broker.port}/tea"
    broker.rabbitmqctl("delete_vhost", "tea")
    broker.rabbitmqctl("delete_user", "alice")


def test_both_languages_hold_the_same_blocks_and_error_lines():
    assert blocks(READMES[0]) == blocks(READMES[1])
    assert table(READMES[0]) == table(READMES[1])


def test_each_python_block_is_a_piece_of_a_program():
    for block in [text for language, text in blocks(READMES[0]) if language == "python"]:
        length = block.count("\n")
        pieces = []
        for name in ("send.py", "receive.py", "connection.py"):
            lines = (brokers.PROJECT / name).read_text(encoding="utf-8").splitlines(keepends=True)
            pieces += [textwrap.dedent("".join(lines[start : start + length])) for start in range(len(lines))]
        assert block in pieces


@both_languages
def test_each_link_into_the_project_leads_somewhere(readme):
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", readme.read_text(encoding="utf-8")):
        target = readme.parent / path if path else readme
        assert target.exists() and (not anchor or anchor in anchors(target))


def test_each_command_prints_what_the_readme_shows(broker, receive, tea):
    """A text block shows what the command above it prints, or what a running receiver prints next."""
    seen = {}  # the running receivers, and how much of their output the README has shown

    def run(command):
        if any(command.startswith(words) for words in NOT_RUN):
            return None
        if command == "sudo rabbitmqctl -q stop":
            broker.stop()
            return broker.start()
        if command.startswith("sudo rabbitmqctl -q "):
            words = shlex.split(command)[3:]
            wait_for(lambda: words[0] != "list_queues" or broker.rabbitmqctl(*words) == expected)  # numbers lag behind
            return broker.rabbitmqctl(*words)
        if command.startswith(".venv/bin/python receive.py"):
            seen[receive(*shlex.split(command)[2:])] = 0
            return ""
        command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        command = re.sub(r"rabbit\d?\.example\.com(:5672)?", f"localhost:{broker.port}", command)
        environment = {**os.environ, "RABBITMQ_URL": broker.url}
        ran = subprocess.run(["bash", "-c", command], cwd=brokers.PROJECT, env=environment, stdout=subprocess.PIPE)
        return ran.stdout.decode()

    def receiver_shows(text):
        for receiver, shown in seen.items():
            if receiver.out[shown:] == text:
                seen[receiver] += len(text)
                return True

    pending = [*blocks(READMES[0]), ("", "")]
    while pending:
        language, text = pending.pop(0)
        expected = pending.pop(0)[1] if language in ("bash", "powershell") and pending[0][0] == "text" else ""
        if language in ("bash", "powershell"):
            outputs = [run(command) for command in re.sub(r"\\\n *", "", text).strip().split(" && ")]
            if outputs[-1] is None:
                continue  # not run
            expected = re.sub(r"^ \[\*\] (?!Waiting).*\n", "", expected, flags=re.MULTILINE)  # of setup.sh
            printed = "".join(output or "" for output in outputs)
            assert expected.startswith(printed)
            text = expected[len(printed) :]
        elif language == "CTRL+C":
            for receiver in seen:
                receiver.send_signal(signal.SIGINT)
                assert (receiver.status(), receiver.err) == (0, "")
            seen.clear()
        if language in ("bash", "powershell", "text") and text:
            wait_for(lambda text=text: receiver_shows(text))
    assert not seen


def test_each_error_line_is_one_that_the_programs_print(broker, send, receive, tea):
    def web_server():
        client = listener.accept()[0]
        client.recv(100)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        client.close()

    here = f"localhost:{broker.port}"
    broker.rabbitmqctl("add_vhost", "tea")
    broker.rabbitmqctl("add_user", "alice", "wonderland")
    broker.rabbitmqctl("set_permissions", "-p", "tea", "alice", "^$", ".*", ".*")
    urls = [f"amqp://localhost:{get_port(None)}", "amqp://nowhere.invalid", f"amqps://{here}", tea]
    urls += [f"amqp://alice:oops@{here}/tea", f"amqp://alice:wonderland@{here}/nothere"]
    urls += ["amqp://localhost:port"]
    printed = [send(url=url).err for url in urls]
    with socket.create_server(("localhost", 0)) as listener:
        threading.Thread(target=web_server, daemon=True).start()
        printed.append(send(url=f"amqp://localhost:{listener.getsockname()[1]}").err)

    broker.rabbitmqctl("set_permissions", "-p", "tea", "alice", ".*", ".*", ".*")
    receiver = receive(url=tea)
    broker.rabbitmqctl("close_all_connections", "--vhost", "tea", "bye")
    wait_for(lambda: receiver.out == WAITING * 2)
    with pika.BlockingConnection(pika.URLParameters(tea)) as alice:
        channel = alice.channel()
        channel.queue_delete("hello")
        wait_for(lambda: receiver.out == WAITING * 3)
        printed.append(receiver.err)
        receiver.kill()
        channel.queue_delete("hello")
        channel.queue_declare("hello", durable=True)  # a classic queue
    printed.append(send(url=tea).err)

    printed = re.sub(r"localhost:\d+", "localhost:5672", "".join(printed))
    for line in table(READMES[0]):
        pattern = " \\[!] " + re.escape(line).replace("…", ".*")
        elsewhere = any(words in line for words in ELSEWHERE)
        assert elsewhere or re.search(f"^{pattern}$", printed, re.MULTILINE), line
    source = (brokers.PROJECT / "connection.py").read_text(encoding="utf-8")
    source = source.replace("{error.strerror}", os.strerror(errno.ENOSPC))
    assert [words for words in ELSEWHERE if words not in source] == []
