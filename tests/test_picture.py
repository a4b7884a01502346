"""What someone sees in docs/hello.svg, the moving picture of both READMEs: what the programs really print."""

import io
import shlex
from xml.etree import ElementTree

import brokers
import pytest
from conftest import WAITING

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def picture():
    """The picture as a tree of XML elements."""
    return ElementTree.parse(brokers.DOCS / "hello.svg").getroot()


@pytest.fixture
def shown(picture):
    """Tell the lines of a terminal in the picture, as they stand there at the end."""
    return lambda terminal: [
        "".join(text.itertext()) for text in picture.find(f".//*[@id='{terminal}']").findall(f"{SVG}text")
    ]


def words(line):
    """What Python gets to run from a line that shows a command."""
    prompt, python, *rest = shlex.split(line)
    assert (prompt, python) == ("$", "python")
    return rest


def test_each_terminal_shows_what_its_programs_print(shown, start, terminal):
    command, *_ = shown("receiver")
    receiver = terminal(*words(command))
    receiver.logfile_read = io.StringIO()
    receiver.expect_exact(WAITING.strip())
    printed = []
    for line in shown("sender")[:-1]:
        if line.startswith("$ "):
            sender = start(*words(line))
            assert (sender.status(), sender.err) == (0, "")
            printed += [line, *sender.out.splitlines()]
            receiver.expect_exact("Received '")
            receiver.expect_exact("'\r\n")
    assert shown("sender") == [*printed, "$ "]
    receiver.sendintr()
    receiver.read()
    assert shown("receiver") == [command, *receiver.logfile_read.getvalue().split("\r\n"), "$ "]


def test_who_cannot_see_it_is_told_what_it_shows(picture):
    assert picture.get("role") == "img"
    named = [picture.find(f"{SVG}*[@id='{name}']") for name in picture.get("aria-labelledby").split()]
    assert [element.tag for element in named] == [f"{SVG}title", f"{SVG}desc"]
    assert all(element.text.strip() for element in named)
