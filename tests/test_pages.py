"""The pages agree: both languages, links, programs, errors. These tests need no RabbitMQ."""

import ast
import os
import re

import pytest
from support.pages import (
    PRESS_CTRL_C,
    anchors,
    chinese,
    english_pages,
    heading_levels,
    inline_codes,
    lines_listed,
    links,
    named_block,
    read_blocks,
    read_page,
)
from support.project import PROJECT
from support.troubleshooting import (
    PROGRAMS,
    SETUP,
    explained_lines,
    is_explained,
    is_quoted,
    pattern_of,
)

ENGLISH_PAGES = english_pages()
CHINESE_PAGES = [chinese(page) for page in ENGLISH_PAGES]
PAGES = ENGLISH_PAGES + CHINESE_PAGES
TESTS = PROJECT / "tests"
SCREENS = TESTS / "setup/screens"
MARKS = (" [*] ", " [!] ")

KINDS_OF_BLOCKS = {
    PRESS_CTRL_C,
    "bash",
    "diff",
    "ini",
    "json",
    "mermaid",
    "powershell",
    "python",
    "text",
    "yaml",
}

# Lines that docs/troubleshooting.md explains and no test sees, and why not.
UNSEEN = {
    "cannot connect to no.invalid:5672: [Errno …] Name or service not known": (
        "each system has its own words; test_address.py looks at those before them"
    ),
    "cannot connect to …: TCP connection attempt timed out: …": "it takes a network that is silent",
    "cannot connect to …: [Errno …] No route to host": "it takes a network without a route",
    "NOT_ALLOWED - number of channels opened for user …": (
        "a limit of an administrator, like that of connections in test_permissions.py"
    ),
    "PRECONDITION_FAILED - message size … is larger than configured max size …": (
        "it takes a large message, and RabbitMQ 3 has another limit than RabbitMQ 4"
    ),
    "NOT_FOUND - no queue 'none' in vhost '/'": (
        "as with an exchange that is not there, which test_publishing.py has"
    ),
    "PRECONDITION_FAILED - delivery acknowledgement on channel … timed out. …": (
        "it takes 30 minutes"
    ),
    "Connection reset by peer": "which of these words come, is chance",
    "Transport indicated EOF": "which of these words come, is chance",
    "Broken pipe": "which of these words come, is chance",
    "IndexError('pop from an empty deque')": "two threads do not always break a connection so",
    "No activity or too many missed heartbeats in the last … seconds; "
    "connecting again in 5 seconds": "it takes minutes of silence",
    "INTERNAL_ERROR - timed out consuming from quorum queue …": "RabbitMQ 4.2 and newer may say so",
    "INTERNAL_ERROR - failed consuming from quorum queue …": (
        "whether a cluster without a majority says so, is chance"
    ),
    "./setup.sh: Permission denied": "the words are those of bash",
}


# Both languages


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_both_languages_have_the_same_blocks(page):
    assert blocks_to_compare(page) == blocks_to_compare(chinese(page))


def blocks_to_compare(page):
    """Return kind and text of all blocks but the charts, whose words are translated."""
    return [(block.kind, block.text) for block in read_blocks(page) if block.kind != "mermaid"]


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_both_languages_have_the_same_headings(page):
    assert heading_levels(page) == heading_levels(chinese(page))


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_both_languages_list_the_same_lines(page):
    english = list(lines_listed(page).values())

    assert english == list(lines_listed(chinese(page)).values())


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_each_page_begins_with_a_link_to_the_other_language(page):
    file_name = os.path.basename(page)

    english = read_page(page).partition("\n")[0]
    assert english == f"English | [简体中文]({chinese(file_name)})"
    assert read_page(chinese(page)).partition("\n")[0] == f"[English]({file_name}) | 简体中文"


# Links


@pytest.mark.parametrize("page", [*PAGES, "tests/README.md"])
def test_each_link_leads_to_a_file_and_a_heading(page):
    for link in links(page):
        target, anchor = resolve(page, link)
        assert (PROJECT / target).exists(), f"{page} links to {link}: there is no {target}"
        if anchor:
            assert anchor in anchors(target), f"{page} links to {link}: no such heading"


@pytest.mark.parametrize("pages", [ENGLISH_PAGES, CHINESE_PAGES], ids=["English", "Chinese"])
def test_each_page_is_reached_from_the_readme_in_its_language(pages):
    reached = [pages[0]]
    for page in reached:  # which grows
        for link in links(page):
            target, _ = resolve(page, link)
            if target in pages and target not in reached:
                reached.append(target)

    assert sorted(reached) == sorted(pages)


def resolve(page, link):
    """Return to which file of the project, and to which anchor in it, a link leads."""
    path, _, anchor = link.partition("#")
    if not path:
        return page, anchor
    return os.path.normpath(os.path.join(os.path.dirname(page), path)), anchor


# Blocks


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_each_block_is_of_a_known_kind(page):
    for block in read_blocks(page):
        assert block.kind in KINDS_OF_BLOCKS, block.place
        if block.not_run:
            assert block.kind in ("bash", "text"), f"{block.place}: it is never run"


@pytest.mark.parametrize("page", ENGLISH_PAGES)
def test_each_change_and_program_has_a_name_that_a_test_uses(page):
    strings = strings_of_tests()
    for block in read_blocks(page):
        is_whole_program = page == "README.md" and block.kind == "python"
        if block.kind in ("diff", "python") and not is_whole_program:
            assert block.name, f"{block.place}: a comment with its name is missing"
        if block.name:
            assert named_block(page, block.name) == block, f"{block.place}: another has this name"
            assert block.name in strings, f"{block.place}: no test uses {block.name}"


def test_the_readme_shows_both_programs_whole():
    shown = [block.text for block in read_blocks("README.md") if block.kind == "python"]

    assert len(shown) == 2
    assert shown[0] == read_page("send.py")
    assert shown[1] == read_page("receive.py")


def test_older_tutorials_shows_lines_of_our_programs():
    ours = re.findall(r"(?:Ours|Then): `([^`]*)`", read_page("docs/older-tutorials.md"))
    lines = [
        line.strip() for name in ("send.py", "receive.py") for line in read_page(name).split("\n")
    ]

    assert len(ours) > 1
    for line in ours:
        assert line in lines


# Errors, and what setup.sh prints


def test_the_readme_lists_errors_as_troubleshooting_does():
    listed = lines_listed("README.md")["When something goes wrong"]
    explained = [
        line for lines in lines_listed("docs/troubleshooting.md").values() for line in lines
    ]

    assert len(listed) > 1
    for line in listed:
        assert line in explained


@pytest.mark.parametrize("page", PAGES)
def test_each_quoted_line_is_one_that_is_printed(page):
    for line in quoted_lines(page):
        mark, words = line[:5], line[5:]
        if mark == " [*] ":
            is_printed = is_on_a_screen(words) or line in strings_of("receive.py")
        else:
            is_printed = is_on_a_screen(words) or is_explained(words)
        assert is_printed, f"{page}: {line}"


def quoted_lines(page):
    """Return the lines with [*] or [!] in texts, and in the sentences, of a page."""
    lines = inline_codes(page)
    for block in read_blocks(page):
        lines += block.text.splitlines()
    return [line for line in lines if line.startswith(MARKS) and line not in MARKS]


def test_each_line_of_setup_is_explained():
    for words in lines_of_screens():
        assert is_explained(words, SETUP) or is_explained(words), words


def test_each_explained_line_is_seen_by_a_test():
    texts = strings_of_tests()
    unseen = [line for line in explained_lines(PROGRAMS) if not is_quoted(line, texts)]
    unseen += [line for line in explained_lines(SETUP) if not is_on_a_screen(line)]

    missing_in_the_tests = [line for line in unseen if line not in UNSEEN]
    seen_or_no_longer_on_the_page = [line for line in UNSEEN if line not in unseen]
    assert missing_in_the_tests == []
    assert seen_or_no_longer_on_the_page == []


def lines_of_screens():
    """Return what setup.sh says on the screens that test_setup.py awaits, without the marks."""
    found = []
    for screen in sorted(SCREENS.glob("*.txt")):
        for line in screen.read_text(encoding="utf-8").splitlines():
            if line.startswith(MARKS):
                found.append(line[5:])
    return found


def is_on_a_screen(line):
    """Tell whether setup.sh says something that looks like this line of a page."""
    pattern = pattern_of(line)
    return any(pattern.fullmatch(words) for words in lines_of_screens())


def strings_of_tests():
    """Return all strings in the code of the tests, but not of this file."""
    found = []
    for path in TESTS.rglob("*.py"):
        if path.name != "test_pages.py":
            found += strings_of(path.relative_to(PROJECT))
    return found


def strings_of(path):
    """Return all strings in the code of a file. Those of several lines are put together."""
    found = []
    for node in ast.walk(ast.parse(read_page(path))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found
