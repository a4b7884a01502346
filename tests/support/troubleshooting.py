"""The lines that docs/troubleshooting.md explains, and what looks like them."""

import re

from support.pages import lines_listed
from support.project import AGAIN

PAGE = "docs/troubleshooting.md"
PROGRAMS = "send.py and receive.py"  # two headings of the page
SETUP = "setup.sh"

CONNECTING_AGAIN = AGAIN.rstrip("\n")  # receive.py adds it to any line
# What differs in a line of the page: what … stands for, numbers, and the names of the examples.
VARYING = re.compile(r"…|\d+|localhost|no\.invalid|'/'|\b(?:demo|student|none)\b")
WORD = re.compile(r"[\w'.-]*\w'?")
CODE = re.compile(r"[A-Z]+_[A-Z_]+")  # RabbitMQ's, such as RESOURCE_LOCKED


def explained_lines(section):
    """Return the lines that a section of the page explains."""
    return lines_listed(PAGE)[section]


def is_explained(line, section=PROGRAMS):
    """Tell whether a section of the page explains a line, which is given without ` [!] `."""
    line = line.removesuffix(CONNECTING_AGAIN)
    for explained in explained_lines(section):
        if pattern_of(explained.removesuffix(CONNECTING_AGAIN)).fullmatch(line):
            return True
    return False


def pattern_of(explained):
    """Return the pattern of the lines that look like one of the page."""
    return re.compile(".*".join(re.escape(words) for words in VARYING.split(explained)))


def is_quoted(explained, texts):
    """Tell whether a line of the page stands in one of these texts, or words of it alone do.

    Words of it alone are three in a row, or a code such as RESOURCE_LOCKED, that stand in no
    other line of the page; if it has none, its last words. So a test may look at a part of a line.
    """
    own_words = characteristic_words(explained)
    for section in (PROGRAMS, SETUP):
        for other in explained_lines(section):
            if other != explained:
                own_words -= characteristic_words(other)
    if not own_words:
        own_words = {[plain_words(part) for part in VARYING.split(explained) if part][-1]}
    return any(words in plain_words(text) for text in texts for words in own_words)


def characteristic_words(explained):
    """Return all three words in a row, and all codes, of a line of the page."""
    found = set(CODE.findall(explained))
    for part in VARYING.split(explained):
        words = WORD.findall(part)
        for start in range(len(words) - 2):
            found.add(" ".join(words[start : start + 3]))
    return found


def plain_words(text):
    """Return a text without punctuation and line breaks."""
    return " ".join(WORD.findall(text))
