"""What someone sees in docs/hello.svg, the moving picture of both READMEs: what the programs really print."""

import io
import re
import shlex
from xml.etree import ElementTree

import brokers
import pytest
from conftest import WAITING

PICTURE = brokers.PROJECT / "docs" / "hello.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def picture():
    """The picture as a tree of XML elements."""
    return ElementTree.parse(PICTURE).getroot()


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
    assert receiver.wait() == 0
    printed = f"{command}\r\n{receiver.logfile_read.getvalue()}$ "
    assert shown("receiver") == printed.split("\r\n")


def test_a_greeting_and_a_chinese_one_are_sent_and_ctrl_c_ends_it(shown):
    commands = [line for terminal in ("receiver", "sender") for line in shown(terminal) if line.startswith("$ p")]
    assert commands == ["$ python receive.py", "$ python send.py", "$ python send.py 你好，世界"]
    assert shown("receiver")[-1] == "^C$ "


def test_who_cannot_see_it_is_told_what_it_shows(picture):
    assert picture.get("role") == "img"
    named = [picture.find(f"{SVG}*[@id='{name}']") for name in picture.get("aria-labelledby").split()]
    assert [element.tag for element in named] == [f"{SVG}title", f"{SVG}desc"]
    assert all(element.text.strip() for element in named)


def test_who_wants_no_motion_sees_the_end(picture):
    style = picture.find(f"{SVG}style").text
    animations = re.findall(r"^.*\banimation:.*$", style, re.MULTILINE)
    assert [line.split("{")[0].strip() for line in animations] == ["@media (prefers-reduced-motion: no-preference)"]
    for terminal in ("receiver", "sender"):  # the cursor hides what comes after it
        frames, rest = re.search(rf"@keyframes {terminal} {{(.*?)#{terminal} (.*?)}}", style, re.DOTALL).groups()
        assert re.findall(r"translate\(.*?\)", rest) == re.findall(r"translate\(.*?\)", frames)[-1:]


def test_it_is_small_and_github_shows_it(picture):
    assert PICTURE.stat().st_size < 300_000
    assert "url(" not in picture.find(f"{SVG}style").text and "@import" not in picture.find(f"{SVG}style").text
    for element in picture.iter():
        assert element.tag not in [f"{SVG}{name}" for name in ("script", "foreignObject", "image", "animate", "a")]
        for name, value in element.items():
            assert not name.startswith("on") and "url(" not in value
            assert not name.endswith("href") or value.startswith("#")
