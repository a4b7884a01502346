"""A made-up computer on which setup.sh runs: what it has are stand-ins, and nothing is installed.

A stand-in is a small script in tests/setup/stand-ins, in a folder with the name of the command
that it stands for. Its first comment says which machine it describes. With `show` it puts its
call on the screen, unless the call only looks at the machine. It knows these variables:

    MACHINE      the folder of the computer, where stand-ins leave notes for each other
    STAND_INS    the folder of all stand-ins
    PYTHON       the Python that runs the tests

Two of the notes are `rabbitmq-is-starting`, which a `sleep` turns into `rabbitmq-answers`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from support.programs import change_file
from support.project import PROJECT
from support.proxy import hang_up
from support.waiting import TIMEOUT

SETUP = PROJECT / "tests" / "setup"
STAND_INS = SETUP / "stand-ins"
SCREENS = SETUP / "screens"

PROJECT_FILES = ["connection.py", "docker-compose.yml", "requirements.txt", "setup.sh"]
REAL_COMMANDS = ["bash", "dirname", "env", "ln", "mkdir", "mv", "rm", "touch"]


@dataclass
class Result:
    """What has happened when setup.sh has ended."""

    screen: str  # all that it and the stand-ins have printed, and a line with + for each call
    status: int  # the exit status
    seconds_slept: int  # how long it would have slept


class Machine:
    """A computer in a folder. A user who is not root has the project there, with a .venv."""

    def __init__(self, folder):
        self.folder = folder
        self.project = folder / "home" / "学习 hello"
        self._commands = folder / "usr" / "bin"
        self._screen_file = folder / "screen"
        self._sleeps_file = folder / "sleeps"

        # Bound but not listening, the port is nobody else's, and refuses whoever connects.
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

        self.project.mkdir(parents=True)
        self._commands.mkdir(parents=True)
        (folder / "usr" / "sbin").mkdir()
        self._copy_project()
        for name in REAL_COMMANDS:
            (self._commands / name).symlink_to(shutil.which(name))
        (self._commands / "show").symlink_to(SETUP / "show")
        self.add("id/of-a-user")
        self.add("sleep/takes-no-time")
        self.add_to_venv("pip/works")
        self.add_to_venv("python/works")

    def _copy_project(self):
        for name in PROJECT_FILES:
            shutil.copy(PROJECT / name, self.project)
        # The places of the real computer that setup.sh and connection.py name.
        change_file(
            self.project / "setup.sh",
            [
                ("port=5672", f"port={self.port}"),
                (":/usr/sbin", f":{self.folder}/usr/sbin"),
                ("/run/systemd/system", f"{self.folder}/run/systemd/system"),
            ],
        )
        change_file(
            self.project / "connection.py",
            [("guest:guest@localhost", f"guest:guest@localhost:{self.port}")],
        )

    def add(self, stand_in):
        """Give the computer a command: `add("docker/works")`."""
        install(stand_in, self._commands)

    def add_server(self, stand_in):
        """Give it a command in /usr/sbin, where Debian has rabbitmq-server."""
        install(stand_in, self.folder / "usr" / "sbin")

    def add_to_venv(self, stand_in):
        """Give its .venv a command."""
        install(stand_in, self.project / ".venv" / "bin")

    def remove_venv(self):
        """Have the project as it is when it was just cloned."""
        shutil.rmtree(self.project / ".venv")

    def run_systemd(self):
        """Have systemd start the services."""
        (self.folder / "run" / "systemd" / "system").mkdir(parents=True)

    def answer_as_rabbitmq(self):
        """Have a RabbitMQ that answers. No stand-in has started it."""
        (self.folder / "rabbitmq-answers").touch()

    def listen(self):
        """Have another program on RabbitMQ's port: it reads a little, and hangs up."""
        self._socket.listen()
        threading.Thread(target=self._hang_up, daemon=True).start()

    def _hang_up(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # the computer is switched off
                return
            with contextlib.suppress(OSError):
                client.recv(1024)
            hang_up(client)

    def run_setup(self, *words, shell=None, typed=None, stdout=None, stderr=None, **variables):
        """Run setup.sh from another folder, and return a Result when it has ended.

        shell: what reads it, as in `sh setup.sh`; without it, what its first line names.
        typed: its standard input is a terminal where somebody types this; whoever asks more often
        waits in vain. Without it, nobody is there who could answer.
        stdout, stderr: where this goes, instead of to the screen, as for subprocess.run().
        """
        command = [self.project / "setup.sh", *words]
        if shell is not None:
            command = [shutil.which(shell), *command]
        self._screen_file.write_text("")
        self._sleeps_file.write_text("")

        with keyboard(typed) as stdin, self._screen_file.open("a") as screen:
            setup = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(variables),
                stdin=stdin,
                stdout=stdout or screen,
                stderr=stderr or screen,
                start_new_session=True,  # so that a CTRL+C reaches only this
            )
            try:
                setup.wait(TIMEOUT)
            finally:
                kill_all(setup)
                print(self._read_screen())  # pytest shows it if the test fails
        return Result(self._read_screen(), setup.returncode, self._seconds_slept())

    def _environment(self, variables):
        return {
            "PATH": str(self._commands),
            "MACHINE": str(self.folder),
            "STAND_INS": str(STAND_INS),
            "PYTHON": sys.executable,
            **variables,
        }

    def _read_screen(self):
        """Return what is on the screen, as it would be on any other computer."""
        text = self._screen_file.read_text(encoding="utf-8")
        return text.replace(str(self.port), "5672").replace(str(self.project), "~/学习 hello")

    def _seconds_slept(self):
        return sum(int(seconds) for seconds in self._sleeps_file.read_text().split())

    def switch_off(self):
        """Let nothing of it run any more."""
        hang_up(self._socket)


@contextlib.contextmanager
def keyboard(typed):
    """A standard input: a terminal where somebody types this, or nobody if it is None."""
    if typed is None:
        yield subprocess.DEVNULL
        return
    person, terminal = os.openpty()
    os.write(person, typed.encode())
    try:
        yield terminal
    finally:
        os.close(person)
        os.close(terminal)


def kill_all(process):
    """Kill a process and what it has started, if something of it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def install(stand_in, folder):
    command = stand_in.partition("/")[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / command).unlink(missing_ok=True)  # it may replace another one
    (folder / command).symlink_to(STAND_INS / stand_in)


def read_screen(name):
    """Return the text of a file in tests/setup/screens."""
    path = SCREENS / name
    assert path.exists(), f"write {path}: what there was on the screen is shown below"
    return path.read_text(encoding="utf-8")
