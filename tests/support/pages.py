"""Read the Markdown pages: their blocks, changes, headings, links and lists of errors.

A comment of its own line, right above a block, speaks to the tests:
`<!-- not run: REASON -->` and `<!-- name: NAME -->`. `<!-- press CTRL+C -->` stands for itself.
"""

import re
from dataclasses import dataclass
from textwrap import dedent
from typing import NamedTuple, Optional

from support.programs import change_file
from support.project import PROJECT

CHINESE_ENDING = ".zh-CN.md"
PRESS_CTRL_C = "press CTRL+C"

BLOCK_OR_COMMENT = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$|^<!-- (?P<comment>.*?) -->$",
    re.MULTILINE | re.DOTALL,
)
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]*)\)")
# Of "- `one`, `two`<br>What it means": `one`, `two`
CODES_OF_LIST_ITEM = re.compile(r"^- ((?:`[^`\n]+`(?:, |，|、)?)+)<br>", re.MULTILINE)
# The line in a diff that begins a place in a file
PLACE = re.compile(r"^@@ (\S+) @@\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; or, if that is its kind, the place where to press CTRL+C."""

    page: str
    line: int
    kind: str
    text: str = ""
    name: Optional[str] = None
    not_run: Optional[str] = None  # the reason

    @property
    def place(self):
        return f"{self.page}:{self.line}"


class Change(NamedTuple):
    """One place of a diff: in this file, the new text takes the place of the old one."""

    file: str
    old: str
    new: str


def english_pages():
    """Return the paths of all English pages in the project, README.md first."""
    pages = ["README.md"]
    for path in sorted((PROJECT / "docs").glob("*.md")):
        if not path.name.endswith(CHINESE_ENDING):
            pages.append(f"docs/{path.name}")
    return pages


def chinese(page):
    """Return the Chinese twin of an English page."""
    return page.replace(".md", CHINESE_ENDING)


def read_page(page):
    return (PROJECT / page).read_text(encoding="utf-8")


def read_blocks(page):
    """Return the blocks of a page, and where CTRL+C is pressed, in order."""
    return find_blocks(page, read_page(page))


def find_blocks(page, text):
    """Return the blocks in the text of a page."""
    blocks = []
    comments = {}  # those above the next block
    for match in BLOCK_OR_COMMENT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["kind"] is not None:
            blocks.append(make_block(page, line, match, comments))
            comments = {}
        elif match["comment"] == PRESS_CTRL_C:
            blocks.append(Block(page, line, PRESS_CTRL_C))
        else:
            comments.update(read_comment(page, line, match["comment"]))
            check_that_a_block_follows(page, line, text[match.end() :])
    return blocks


def make_block(page, line, match, comments):
    text = match["text"]
    if match["indent"]:
        text = dedent(text)
    return Block(page, line, match["kind"], text, **comments)


def read_comment(page, line, comment):
    """Return what a comment says of its block, as an argument of Block()."""
    word, _, value = comment.partition(": ")
    if word not in ("name", "not run") or not value:
        raise ValueError(f"{page}:{line}: an unknown comment: {comment}")
    return {word.replace(" ", "_"): value}


def check_that_a_block_follows(page, line, rest):
    next_line = rest.lstrip("\n").partition("\n")[0].lstrip()
    if not next_line.startswith(("```", "<!-- ")):
        raise ValueError(f"{page}:{line}: the comment is not right above a block")


def named_block(page, name):
    """Return the block with this name."""
    for block in read_blocks(page):
        if block.name == name:
            return block
    raise ValueError(f"{page} has no block with the comment <!-- name: {name} -->")


def changes(diff):
    """Return the Changes of a diff's text, in order."""
    places = PLACE.split(diff)  # what is before the first, then a file and its lines, and so on
    if places[0] or len(places) < 3:
        raise ValueError(f"a diff begins with @@ FILE @@, not so:\n{diff}")
    files = places[1::2]
    texts = places[2::2]
    return [make_change(file, text) for file, text in zip(files, texts)]


def make_change(file, text):
    """Make a Change of the lines of one place of a diff."""
    old = new = ""
    for line in text.splitlines(keepends=True):
        if line == "\n":  # an empty line that stays may have lost its blank
            line = " \n"
        sign, code = line[0], line[1:]
        if sign not in " -+":
            raise ValueError(f"in a diff, a line begins with a blank, - or +, not so:\n{line}")
        if sign in " -":
            old += code
        if sign in " +":
            new += code
    return Change(file, old, new)


def change_as_shown(folder, page, name):
    """Change the copies of the programs in a folder as the diff with this name does."""
    for change in changes(named_block(page, name).text):
        change_file(folder / change.file, [(change.old, change.new)])


def without_code_blocks(page):
    return CODE_BLOCK.sub("", read_page(page))


def heading_levels(page):
    """Return the levels of all headings, in order: 1 for #, 2 for ##."""
    return [len(signs) for signs, _ in HEADING.findall(without_code_blocks(page))]


def anchors(page):
    """Return the anchors of all headings, as GitHub makes them."""
    found = []
    for _, heading in HEADING.findall(without_code_blocks(page)):
        letters = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.append(letters.replace(" ", "-"))
    return found


def links(page):
    """Return the targets of all links and pictures inside the project."""
    prose = INLINE_CODE.sub("", without_code_blocks(page))
    return [target for target in LINK.findall(prose) if not target.startswith("https://")]


def inline_codes(page):
    """Return what stands between backticks in the sentences of a page."""
    return [code.strip("`") for code in INLINE_CODE.findall(without_code_blocks(page))]


def lines_listed(page):
    """Return the lines that list items quote before <br>: a dict of lists, by the heading above.

    Headings of level 1 and 2 count.
    """
    found = {}
    sections = re.split(r"^##? ", without_code_blocks(page), flags=re.MULTILINE)
    for section in sections:
        heading, _, text = section.partition("\n")
        lines = []
        for codes in CODES_OF_LIST_ITEM.findall(text):
            lines += re.findall(r"`([^`\n]+)`", codes)
        found[heading] = lines
    return found
