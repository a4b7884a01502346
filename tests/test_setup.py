"""What setup.sh says and does, on a machine where only stand-ins can start or install RabbitMQ."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys

import brokers
import pexpect
import pytest
from port_for import get_port

BASH = shutil.which("bash")
BASIC = ["bash", "cat", "chmod", "dirname", "env", "mktemp", "rm", "sed", "sleep", "stty", "tail", "tr"]
# The tests compare all that is printed, so nothing of this is, which holds a password.
URL = "amqp://alice:wonderland@rabbit.example.com/tea"
USING = " [*] Using the RabbitMQ that RABBITMQ_URL names\n"
MADE = " [*] Python packages ... ready in .venv\n"
ALREADY = " [*] .venv already has the Python packages\n"
DOCKER = " [*] Starting RabbitMQ with docker compose ... "
DOCKER_READY = DOCKER + "ready on localhost:5672 (stop it with docker compose down)\n"
DOCKER_FAILED = DOCKER + "failed: Error: port 15672 is already allocated\n"
SERVER = " [*] Starting the installed rabbitmq-server ... "
SERVER_READY = "ready on localhost:5672 (stop it with sudo rabbitmqctl stop)\n"
BREW_READY = "ready on localhost:5672 (stop it with brew services stop rabbitmq)\n"
QUESTION = " [?] Run sudo apt-get install rabbitmq-server? [Y/n] "
INSTALLED = " [*] Installing RabbitMQ with apt-get ... " + SERVER_READY
NOTHING = " [!] could not start RabbitMQ: it takes Docker with compose, apt-get as root (or sudo), or Homebrew\n"

# What the stand-ins do. `rabbitmq` starts something that greets as RabbitMQ does, or with the words given, in turn.
UP = 'case "$*" in *up*) {}; esac'
WORKING_DOCKER = UP.format("rabbitmq")
FAILING_DOCKER = UP.format('echo Creating; echo "Error: port 15672 is already allocated" >&2; exit 1')
SLOW = r'trap "exit 1" INT; printf "Pulling\n\033[32mlayer 学习\033[0m 50 %%\r"; read -r </dev/tty; rabbitmq'
APT_GET = 'case "$*" in *install*) rabbitmq; esac'
RABBITMQ = """#!{python}
import contextlib, itertools, os, pathlib, socket, sys
server = socket.create_server(("localhost", {port}))
if child := os.fork():
    pathlib.Path({pid!r}).write_text(str(child))
    sys.exit()
os.setsid()  # it outlives the terminal
words = sys.argv[1:] or ["\\1"]
for word in itertools.chain(words, itertools.repeat(words[-1])):
    with contextlib.suppress(OSError), server.accept()[0] as client:
        client.recv(100)
        client.sendall(word.encode())
"""
WAYS = {  # what starts RabbitMQ: the stand-ins that are there, all that are called, and what is printed
    "docker comes first": (
        {"docker": WORKING_DOCKER, "brew": "", "rabbitmq_server": "", "apt_get": "", "sudo": ""},
        "docker",
        DOCKER_READY,
    ),
    "then Homebrew's RabbitMQ": (
        {"docker": FAILING_DOCKER, "brew": 'case "$*" in "services start rabbitmq") rabbitmq; esac', "apt_get": ""},
        "brew docker",
        DOCKER_FAILED + " [*] Starting Homebrew's RabbitMQ ... " + BREW_READY,
    ),
    "then the installed rabbitmq-server": (
        {"docker": FAILING_DOCKER, "brew": "exit 1", "rabbitmq_server": "rabbitmq", "apt_get": "", "sudo": '"$@"'},
        "brew docker rabbitmq-server sudo",
        DOCKER_FAILED + SERVER + SERVER_READY,
    ),
    "then apt-get": (
        {"docker": "exit 1", "brew": "exit 1", "apt_get": APT_GET, "sudo": '"$@"'},
        "apt-get brew docker sudo",
        DOCKER + "failed: Docker has no compose\n" + INSTALLED,
    ),
    "then Homebrew, where there is no sudo for apt-get": (
        {"brew": 'case "$*" in list*) exit 1;; "services start rabbitmq") rabbitmq; esac', "apt_get": ""},
        "brew",
        " [*] Installing RabbitMQ with Homebrew ... " + BREW_READY,
    ),
}


class Machine:
    """A copy of the project, and what is on PATH: basic tools, python3, and the stand-ins that the test adds."""

    def __init__(self, folder):
        self.port = get_port(None)
        self.project, self.bin, self.log, self.pid = (folder / name for name in ("my project", "bin", "log", "pid"))
        self.log.touch()
        script = (brokers.PROJECT / "setup.sh").read_text(encoding="utf-8").replace("5672", str(self.port))
        script = script.replace(":/usr/sbin:/sbin", "")
        assert "/sbin" not in script  # or it would find a real rabbitmq-server
        self.write(self.project / "setup.sh", script)
        shutil.copy(brokers.PROJECT / "requirements.txt", self.project)
        self.write(self.bin / "rabbitmq", RABBITMQ.format(python=sys.executable, port=self.port, pid=str(self.pid)))
        for name in BASIC:
            (self.bin / name).symlink_to(shutil.which(name))
        self.add(id="echo 1000", python3=f'exec "{sys.executable}" "$@"')  # not root

    def write(self, path, text):
        """Write a program."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def add(self, **bodies):
        """Add stand-ins: bash scripts that first note how they were called."""
        for name, body in bodies.items():
            name = name.replace("_", "-")
            self.write(self.bin / name, f'#!{BASH}\necho "{name} $*" >>"{self.log}"\n{body}\n')

    def called(self):
        """The stand-ins that were called."""
        names = {line.split()[0] for line in self.log.read_text().splitlines()}
        return " ".join(sorted(names - {"id", "python3"}))

    def terminal(self, command='exec "$0"', **environment):
        """Start setup.sh from another folder, with what the shell command puts round it, in a terminal."""
        environment = {**os.environ, "RABBITMQ_URL": "", "TERM": "xterm", **environment, "PATH": str(self.bin)}
        options = {"cwd": self.project.parent, "env": environment, "encoding": "utf-8", "timeout": 90}
        terminal = pexpect.spawn(BASH, ["-c", command, f"{self.project.name}/setup.sh"], **options)
        terminal.logfile_read = io.StringIO()
        return terminal

    def end(self, terminal):
        """Wait until setup.sh has ended. Returns its exit status, or minus a signal, and what is on the screen then."""
        terminal.expect(pexpect.EOF)
        terminal.close()
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.logfile_read.getvalue())
        screen = "".join(line.rpartition("\r")[2] + "\n" for line in text.split("\r\n"))[:-1]  # each \r draws anew
        status = terminal.exitstatus if terminal.signalstatus is None else -terminal.signalstatus
        return status, screen.replace(str(self.port), "5672")

    def setup(self, **environment):
        """Run setup.sh without a terminal. Returns its exit status and what it prints, on standard error too."""
        return self.end(self.terminal('set -o pipefail; "$0" </dev/null 2>&1 | cat', **environment))

    def question(self, answer):
        """Run setup.sh in a terminal, and answer its question."""
        terminal = self.terminal()
        terminal.expect("Y/n. ")
        terminal.send(answer)
        return self.end(terminal)


@pytest.fixture
def machine(tmp_path):
    """A machine without RabbitMQ, whose .venv seems to have all packages."""
    machine = Machine(tmp_path)
    machine.write(machine.project / ".venv/bin/pip", f"#!{BASH}\n")
    yield machine
    if machine.pid.exists():
        os.kill(int(machine.pid.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("there, called, printed", WAYS.values(), ids=WAYS)
def test_it_starts_rabbitmq_with_what_is_there(machine, there, called, printed):
    machine.add(**there)
    assert machine.setup() == (0, printed + ALREADY)
    assert machine.called() == called


def test_it_says_what_it_takes_where_nothing_can_start_rabbitmq(machine):
    assert machine.setup() == (1, NOTHING)


def test_what_apt_get_says_is_shown_if_it_fails(machine):
    machine.add(apt_get="echo E: no network; exit 1", sudo='"$@"')
    failed = " [*] Installing RabbitMQ with apt-get ... failed\nE: no network\nE: no network\n"
    assert machine.setup() == (1, failed + " [!] could not start RabbitMQ\n")


def test_nothing_runs_where_rabbitmq_answers(machine):
    machine.add(docker=WORKING_DOCKER, brew="", rabbitmq_server="", apt_get="", sudo="")
    subprocess.run([machine.bin / "rabbitmq"], check=True)
    assert machine.setup() == (0, " [*] RabbitMQ already answers on localhost:5672\n" + ALREADY)
    assert machine.called() == ""


@pytest.mark.parametrize("greeting", ["HTTP/1.1 400 Bad Request", ""], ids=["a web server", "one that hangs up"])
def test_a_port_that_something_else_holds_is_told_at_once(machine, greeting):
    machine.add(docker=WORKING_DOCKER, brew="", rabbitmq_server="", apt_get="", sudo="")
    subprocess.run([machine.bin / "rabbitmq", greeting], check=True)
    assert machine.setup() == (1, " [!] port 5672 is taken by something that is not RabbitMQ\n")
    assert machine.called() == "docker"  # whether it is its container, which is starting


def test_it_waits_for_its_container_that_is_starting_already(machine):
    machine.add(docker=f'case "$*" in *port*) echo 127.0.0.1:{machine.port}; esac')
    subprocess.run([machine.bin / "rabbitmq", "", "", "\1"], check=True)  # Docker's proxy hangs up at first
    assert machine.setup() == (0, DOCKER_READY + ALREADY)


@pytest.mark.parametrize("answer", ["\n", "y\n"])
def test_on_a_terminal_it_asks_before_it_installs(machine, answer):
    machine.add(docker=FAILING_DOCKER, apt_get=APT_GET, sudo='"$@"')
    assert machine.question(answer) == (0, DOCKER_FAILED + QUESTION + answer + INSTALLED + ALREADY)
    assert "docker compose -f docker-compose.yml stop\n" in machine.log.read_text()  # or it could still hold the port


def test_no_installs_nothing(machine):
    machine.add(apt_get=APT_GET, sudo='"$@"')
    assert machine.question("n\n") == (1, QUESTION + "n\n [!] not installed; docs/start-rabbitmq.md has other ways\n")
    assert machine.called() == ""


def test_ctrl_c_at_the_question_leaves_a_clean_line(machine):
    machine.add(apt_get=APT_GET, sudo='"$@"')
    assert machine.question("\3") == (-signal.SIGINT, QUESTION + "^C\n")
    assert machine.called() == ""


def test_a_key_that_was_pressed_earlier_is_no_answer(machine):
    machine.add(docker=UP.format("read -r </dev/tty; exit 1"), apt_get=APT_GET, sudo='"$@"')
    terminal = machine.terminal()
    terminal.send("\n\n")  # the first one is read by Docker, the second one is left over
    terminal.expect("Y/n. ")
    terminal.sendline("n")
    assert machine.end(terminal)[0] == 1
    assert machine.called() == "docker"


@pytest.mark.parametrize("command", ['exec "$0" </dev/null', 'set -o pipefail; "$0" | cat'], ids=["input", "output"])
def test_it_asks_nobody_who_is_not_at_the_terminal(machine, command):
    machine.add(apt_get=APT_GET, sudo='"$@"')
    assert machine.end(machine.terminal(command)) == (0, INSTALLED + ALREADY)


def test_one_question_is_for_all_that_apt_get_installs(machine):
    (machine.project / ".venv/bin/pip").unlink()
    python = '*ensurepip*) exit 1;; "-m venv"*) echo >.venv/bin/pip; exec chmod +x .venv/bin/pip;;'
    machine.add(python3=f'case "$*" in {python} esac\nexec "{sys.executable}" "$@"', apt_get=APT_GET, sudo='"$@"')
    question = QUESTION.replace("rabbitmq-server", "rabbitmq-server python3-venv")
    assert machine.question("\n") == (0, f"{question}\n{INSTALLED}{MADE}")


def test_a_slow_step_shows_that_it_lives_and_is_one_line_in_the_end(machine):
    machine.add(docker=UP.format(SLOW))
    terminal = machine.terminal()
    seconds = []
    for _ in range(2):
        terminal.expect(re.escape(DOCKER) + r"(\d+) s: layer 学习 50 %")
        seconds.append(int(terminal.match[1]))
    assert 1 <= seconds[0] < seconds[1]
    terminal.send("\n")
    status, screen = machine.end(terminal)
    assert (status, screen.splitlines(keepends=True)[-2:]) == (0, [DOCKER_READY, ALREADY])


def test_ctrl_c_in_a_step_ends_all_of_it_and_leaves_a_clean_line(machine):
    machine.add(docker=UP.format(SLOW), rabbitmq_server="rabbitmq", sudo='"$@"')  # this Docker takes it for a failure
    terminal = machine.terminal()
    terminal.expect("s: layer")
    terminal.sendintr()
    assert machine.end(terminal) == (-signal.SIGINT, DOCKER + "\n")
    assert machine.called() == "docker"


def test_nothing_is_drawn_while_sudo_asks_for_a_password(machine):
    asks = 'stty -echo; printf "[sudo] password: " >/dev/tty; read -r; stty echo; echo >/dev/tty'
    machine.add(rabbitmq_server="rabbitmq", sudo=f'{{ {asks}; }} </dev/tty; exec "$@"')
    terminal = machine.terminal()
    terminal.expect("password: ")
    assert terminal.expect([".", pexpect.TIMEOUT], timeout=1.5) == 1
    terminal.sendline("wonderland")
    assert machine.end(terminal) == (0, f"{SERVER}[sudo] password: \n{SERVER}{SERVER_READY}{ALREADY}")


@pytest.mark.parametrize("python", ["Python 3.8.10", "missing"])
def test_a_python_that_is_too_old_is_told_before_anything_starts(machine, python):
    (machine.project / ".venv/bin/pip").unlink()
    (machine.bin / "python3").unlink()
    if python != "missing":
        machine.add(python3=f'case "$*" in --version) echo {python};; *) exit 1; esac')
    machine.add(docker=WORKING_DOCKER)
    assert machine.setup() == (1, f" [!] Python 3.9 or newer is needed, and python3 is {python}\n")
    assert machine.called() == ""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A machine on which setup.sh has made .venv. RABBITMQ_URL names its RabbitMQ."""
    made = Machine(tmp_path_factory.mktemp("made"))
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + MADE)
    return made


def mends(made):
    """Assert that setup.sh mends .venv, and finds nothing to do the next time."""
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + MADE)
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + ALREADY)
    subprocess.run([made.project / ".venv/bin/python", "-c", "import pika"], check=True)


def test_a_venv_that_was_half_made_is_mended(made):
    shutil.rmtree(made.project / ".venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.project / ".venv"], check=True)
    mends(made)


def test_a_missing_package_is_installed_and_the_others_stay(made):
    subprocess.run([made.project / ".venv/bin/pip", "uninstall", "-qy", "pika"], check=True)
    other = made.project / ".venv/other"
    other.touch()
    mends(made)
    assert other.exists()


def test_what_pip_says_is_shown_if_it_fails(made):
    status, printed = made.setup(RABBITMQ_URL=URL, PIP_CONSTRAINT="/nonexistent")
    first, second, *words, last = printed.splitlines()
    assert (status, f"{first}\n", second) == (1, USING, " [*] Python packages ... failed")
    assert "/nonexistent" in "".join(words) and last == " [!] could not install the Python packages in .venv"
