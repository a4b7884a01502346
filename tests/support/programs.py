"""Run the project's programs, and changed copies of them, as a user does."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect

from support.project import PROJECT
from support.waiting import TIMEOUT, wait_until

PROGRAM_FILES = ["connection.py", "send.py", "receive.py"]


def environment(url=None, **variables):
    """Return the environment of a terminal in which .venv is active."""
    kept = {}
    for name, value in os.environ.items():
        if not name.startswith(("PYTHON", "RABBITMQ_URL")):
            kept[name] = value
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    if url is not None:
        kept["RABBITMQ_URL"] = url
    return {**kept, **variables}


class Program:
    """A program that runs. What it prints goes to two files."""

    def __init__(self, command, cwd, env, output_folder):
        folder = Path(tempfile.mkdtemp(dir=output_folder))
        self.out_file = folder / "out"
        self.err_file = folder / "err"
        self.command = [str(word) for word in command]
        with self.out_file.open("wb") as out, self.err_file.open("wb") as err:
            self.process = subprocess.Popen(
                self.command, cwd=cwd, env=env, stdout=out, stderr=err, start_new_session=True
            )

    @property
    def out(self):
        """What it has printed so far."""
        return self.out_file.read_bytes().decode()

    @property
    def err(self):
        """What it has printed so far on standard error."""
        return self.err_file.read_bytes().decode()

    @property
    def is_running(self):
        return self.process.poll() is None

    @property
    def status(self):
        """Its exit status; None while it runs."""
        return self.process.poll()

    def wait_for_end(self):
        """Wait until it has ended, and return its exit status."""
        return self.process.wait(timeout=TIMEOUT)

    def wait_for_out(self, text, times=1):
        """Wait until it has printed a text, or has printed it several times."""
        __tracebackhide__ = True
        self._wait_for(lambda: self.out, text, times)

    def wait_for_err(self, text, times=1):
        """Wait until a text is on its standard error, or is there several times."""
        __tracebackhide__ = True
        self._wait_for(lambda: self.err, text, times)

    def _wait_for(self, read, text, times):
        __tracebackhide__ = True

        def look():
            has_ended = not self.is_running  # asked first, for what it prints at its end counts
            return has_ended, read()

        def is_enough(seen):
            has_ended, printed = seen
            return has_ended or printed.count(text) >= times

        _, printed = wait_until(look, is_enough, f"{text!r} {times} times")
        assert printed.count(text) >= times, (
            f"it has ended without {text!r} {times} times:\n{self.describe()}"
        )

    def press_ctrl_c(self):
        """Send SIGINT, as CTRL+C does."""
        self.process.send_signal(signal.SIGINT)

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Kill it and what it has started."""
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def describe(self):
        """Return what a failed test shows of it."""
        return (
            f"$ {' '.join(self.command)}    (status: {self.status})\n"
            f"{self.out[-2000:]}{self.err[-3000:]}"
        )


def copy_programs(folder):
    """Copy the three files into a new folder inside this one, and return the new folder."""
    copy = Path(tempfile.mkdtemp(dir=folder))
    for name in PROGRAM_FILES:
        shutil.copy(PROJECT / name, copy)
    return copy


def change_file(path, changes):
    """Replace texts in a file: pairs of old and new. Each old text must be there exactly once."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{path.name} should have this once:\n{old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def open_terminal(path, url):
    """Run a Python program in a terminal of its own, where CTRL+C can be typed (pexpect)."""
    return pexpect.spawn(
        sys.executable,
        [str(path)],
        cwd=Path(path).parent,
        env=environment(url),
        encoding="utf-8",
        timeout=TIMEOUT,
    )
