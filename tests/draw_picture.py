"""Draw docs/hello.svg: type the commands of the lesson in two terminals, and record both.

It starts a RabbitMQ of its own. What the programs print is real, and so is when they print it;
the keys, the prompts and the pauses are made here.
"""

import contextlib
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path
from string import Template
from threading import Thread
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

import pexpect
from support.broker import find_command, running_node
from support.programs import copy_programs, environment
from support.project import PROJECT, RECEIVED, WAITING
from support.waiting import TIMEOUT, wait_until

PICTURE_FILE = PROJECT / "docs" / "hello.svg"
CHINESE = "你好，世界"
PROMPT = "$ "

KEY_SECONDS = 0.06  # from one key to the next
PAUSE_SECONDS = 1  # before the next command
END_SECONDS = 3.5  # before the picture starts anew

COLUMN = 12  # the width of a letter; a Chinese one takes two columns
ROW = 26  # the height of a line
FRAME = 54  # the height of a window without its lines
GAP = 14  # between the windows

PICTURE = Template("""\
<svg xmlns="http://www.w3.org/2000/svg" width="600" height="$height" viewBox="0 0 600 $height" \
role="img" aria-labelledby="title desc">
  <!-- Made by tests/draw_picture.py: what the programs printed in two terminals, and when. -->
  <title id="title">Hello World through RabbitMQ, in two terminals</title>
  <desc id="desc">In the first terminal receive.py waits for messages. In the second, send.py sends
    "Hello World!", then "$chinese". The first terminal shows each message at once. CTRL+C ends
    receive.py.</desc>
  <style>
    text { font: 20px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono",
      "DejaVu Sans Mono", "PingFang SC", "Microsoft YaHei", "Noto Sans Mono CJK SC",
      "Noto Sans CJK SC", monospace; fill: #f0f6fc; white-space: pre }
    tspan:lang(zh) { font-size: 22px }
    .window { fill: #161b22; stroke: #6e7681; stroke-width: 2 }
    .rule { stroke: #3d444d }
    .dots { fill: #6e7681 }
    .hide { fill: #161b22 }
    .block { fill: #8b949e }
    /* The cursor hides all that comes after it. */
    @media (prefers-reduced-motion: no-preference) {
      .cursor { animation: ${seconds}s step-end infinite }
    }
$receiver_moves
$sender_moves
  </style>
  <defs>
    <g id="bar">
      <path class="rule" d="M2 32h596"/>
      <g class="dots">
        <circle cx="20" cy="16" r="5"/>
        <circle cx="38" cy="16" r="5"/>
        <circle cx="56" cy="16" r="5"/>
      </g>
    </g>
    <g id="cursor">
      <path class="hide" d="M0 0H600V${height}H-600V26H0z"/>
      <path class="block" d="M0 2h11v22H0z"/>
    </g>
  </defs>
$receiver_window
$sender_window
</svg>
""")

MOVES = Template("""\
    @keyframes $name {
$moves
    }
    #$name .cursor { animation-name: $name; transform: $end }""")

WINDOW = Template("""\
  <g transform="translate(0 $top)">
    <rect class="window" x="1" width="598" height="$height" rx="8"/>
    <use href="#bar"/>
    <svg id="$name" x="18" y="44" width="564" height="$text_height">
$lines
      <use class="cursor" href="#cursor"/>
    </svg>
  </g>""")


class Terminal:
    """A terminal in which commands are typed, and what it has shown so far."""

    def __init__(self, folder, url):
        self.folder = folder
        self.environment = environment(url)
        self.pieces = []  # of text, each with the time when it came
        self.program = None
        self.reader = None
        self.show(PROMPT)

    @property
    def text(self):
        return "".join(piece for _, piece in self.pieces)

    def show(self, piece):
        self.pieces.append((time.monotonic(), piece.replace("\r", "")))

    def type(self, command):
        """Type a command key by key, and start it."""
        for key in command + "\n":
            time.sleep(KEY_SECONDS)
            self.show(key)
        self.program = pexpect.spawn(
            command, cwd=self.folder, env=self.environment, encoding="utf-8"
        )
        self.reader = Thread(target=self.show_what_is_printed, daemon=True)
        self.reader.start()

    def show_what_is_printed(self):
        """Show what the program prints, until it ends."""
        with contextlib.suppress(pexpect.EOF):
            while True:
                self.show(self.program.read_nonblocking(size=4096, timeout=None))

    def wait_for(self, text):
        wait_until(lambda: self.text, lambda shown: text in shown, f"{text!r} in the terminal")

    def wait_for_end(self, status):
        """Wait until the program has ended with this exit status, and show the next prompt."""
        self.reader.join(TIMEOUT)
        if self.program.wait() != status:
            sys.exit(f"not drawn, for a program failed:\n{self.text}")
        self.show(PROMPT)


def run_lesson(receiver, sender):
    """Type the commands of the lesson in two terminals."""
    time.sleep(PAUSE_SECONDS)
    receiver.type("python receive.py")
    receiver.wait_for(WAITING)

    time.sleep(PAUSE_SECONDS)
    sender.type("python send.py")
    sender.wait_for_end(status=0)
    receiver.wait_for(RECEIVED)

    time.sleep(PAUSE_SECONDS)
    sender.type(f"python send.py {CHINESE}")
    sender.wait_for_end(status=0)
    receiver.wait_for(f" [x] Received '{CHINESE}'\n")

    time.sleep(PAUSE_SECONDS)
    receiver.program.sendintr()  # types CTRL+C
    receiver.wait_for_end(status=130)
    time.sleep(END_SECONDS)


def is_wide(letter):
    """Tell whether a letter takes two columns, as a Chinese one does."""
    return east_asian_width(letter) in "FW"


def width(text):
    return sum(2 * COLUMN if is_wide(letter) else COLUMN for letter in text)


def draw_picture(receiver, sender, start, end):
    sender_top = 1 + window_height(receiver) + GAP
    return PICTURE.substitute(
        height=sender_top + window_height(sender) + 1,
        chinese=CHINESE,
        seconds=f"{end - start:.2f}",
        receiver_moves=draw_moves("receiver", receiver, start, end),
        sender_moves=draw_moves("sender", sender, start, end),
        receiver_window=draw_window("receiver", receiver, top=1),
        sender_window=draw_window("sender", sender, top=sender_top),
    )


def draw_moves(name, terminal, start, end):
    """Return the keyframes that put the cursor behind each piece of text when it came."""
    moves = []
    shown = ""
    for when, piece in terminal.pieces:
        shown += piece
        percent = 100 * (when - start) / (end - start)
        moves.append(f"      {percent:.2f}% {{ transform: {place_after(shown)} }}")
    return MOVES.substitute(name=name, moves="\n".join(moves), end=place_after(shown))


def place_after(text):
    """Return where the cursor stands after a text, as CSS."""
    *lines_above, line = text.split("\n")
    return f"translate({width(line)}px,{ROW * len(lines_above)}px)"


def draw_window(name, terminal, top):
    lines = terminal.text.split("\n")
    return WINDOW.substitute(
        name=name,
        top=top,
        height=window_height(terminal),
        text_height=ROW * len(lines),
        lines="\n".join(draw_line(line, number) for number, line in enumerate(lines)),
    )


def window_height(terminal):
    return FRAME + ROW * len(terminal.text.split("\n"))


def draw_line(line, number):
    """Return a line of text; whatever the fonts, each letter gets its columns."""
    spans = []
    x = 0
    for wide, letters in groupby(line, is_wide):
        text = "".join(letters)
        if wide:
            places = [str(x + 1 + 2 * COLUMN * index) for index in range(len(text))]
            spans.append(f'<tspan x="{" ".join(places)}" xml:lang="zh-CN">{escape(text)}</tspan>')
        else:
            spans.append(f'<tspan x="{x}" textLength="{width(text)}">{escape(text)}</tspan>')
        x += width(text)
    return f'      <text xml:space="preserve" y="{19 + ROW * number}">{"".join(spans)}</text>'


def main():
    if not find_command("rabbitmq-server"):
        sys.exit("rabbitmq-server is not installed: see docs/start-rabbitmq.md")

    with running_node("picture") as node, tempfile.TemporaryDirectory() as temporary:
        folder = copy_programs(Path(temporary))
        start = time.monotonic()
        receiver = Terminal(folder, node.url())
        sender = Terminal(folder, node.url())
        run_lesson(receiver, sender)
        end = time.monotonic()

    PICTURE_FILE.write_text(draw_picture(receiver, sender, start, end), encoding="utf-8")


if __name__ == "__main__":
    main()
