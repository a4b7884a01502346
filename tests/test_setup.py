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
from conftest import wait_for
from port_for import get_port

BASH = shutil.which("bash")
BASIC = ["bash", "cat", "dirname", "env", "mktemp", "rm", "sed", "sleep", "stty", "tail", "tr"]
# The tests compare all that is printed, so nothing of this is, which holds a password.
URL = "amqp://alice:wonderland@rabbit.example.com/tea"
USING = " [*] Using the RabbitMQ that RABBITMQ_URL names\n"
MADE = " [*] Python packages ... ready in .venv\n"
ALREADY = " [*] .venv already has the Python packages\n"
DOCKER = " [*] Starting RabbitMQ with docker compose ... "
DOCKER_READY = DOCKER + "ready on localhost:5672 (stop it with docker compose down)\n"
DOCKER_FAILED = DOCKER + "failed: Error: port 15672 is already allocated\n"
SERVER_READY = "ready on localhost:5672 (stop it with sudo rabbitmqctl stop)\n"
BREW_READY = "ready on localhost:5672 (stop it with brew services stop rabbitmq)\n"
QUESTION = " [?] Run sudo apt-get install rabbitmq-server? [Y/n] "
INSTALLED = " [*] Installing RabbitMQ with apt-get ... " + SERVER_READY
NOT_INSTALLED = " [!] not installed; docs/start-rabbitmq.md has other ways\n"

# What the stand-ins do. `rabbitmq` starts something that greets as RabbitMQ does, or with the words given, in turn.
DOCKER_UP = 'case "$*" in *up*) {}; esac'
WORKING_DOCKER = DOCKER_UP.format("rabbitmq")
FAILING_DOCKER = DOCKER_UP.format('echo Creating; echo "Error: port 15672 is already allocated" >&2; exit 1')
SLOW_DOCKER = DOCKER_UP.format(r'printf "Pulling\n\033[32mlayer 学习\033[0m 50 %%\r"; read -r </dev/tty; rabbitmq')
SUDO = 'exec "$@"'
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


class Machine:
    """A copy of the project, and what is on PATH: basic tools, python3, and the stand-ins that the test adds."""

    def __init__(self, folder):
        self.port = get_port(None)
        self.project, self.bin, self.calls, self.pid = (folder / name for name in ("my project", "bin", "calls", "pid"))
        self.calls.touch()
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
            self.write(self.bin / name, f'#!{BASH}\necho "{name} $*" >>"{self.calls}"\n{body}\n')

    def calls_of(self, *names):
        """How these stand-ins were called."""
        return [call for call in self.calls.read_text().splitlines() if call.split()[0] in names]

    def greet(self, *words):
        """Start something on RabbitMQ's port that greets with these words in turn."""
        subprocess.run([self.bin / "rabbitmq", *words], check=True)

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


@pytest.fixture
def machine(tmp_path):
    """A machine without RabbitMQ, whose .venv seems to have all packages."""
    machine = Machine(tmp_path)
    machine.write(machine.project / ".venv/bin/pip", f"#!{BASH}\n")
    yield machine
    if machine.pid.exists():
        os.kill(int(machine.pid.read_text()), signal.SIGKILL)


def test_docker_comes_first(machine):
    machine.add(docker=WORKING_DOCKER, brew="", rabbitmq_server="", apt_get="", sudo=SUDO)
    assert machine.setup() == (0, DOCKER_READY + ALREADY)
    assert machine.calls_of("brew", "rabbitmq-server", "apt-get", "sudo") == []


def test_it_says_what_docker_said_and_starts_the_rabbitmq_that_is_installed(machine):
    machine.add(docker=FAILING_DOCKER, brew="exit 1", rabbitmq_server="rabbitmq", apt_get="", sudo=SUDO)
    started = " [*] Starting the installed rabbitmq-server ... " + SERVER_READY
    assert machine.setup() == (0, DOCKER_FAILED + started + ALREADY)
    assert machine.calls_of("docker")[-1].endswith(" stop")  # or its container could still hold the port
    assert machine.calls_of("apt-get") == []


def test_homebrews_rabbitmq_is_started_so_that_homebrew_can_stop_it(machine):
    machine.add(brew='case "$*" in "services start rabbitmq") rabbitmq; esac', rabbitmq_server="", apt_get="")
    assert machine.setup() == (0, " [*] Starting Homebrew's RabbitMQ ... " + BREW_READY + ALREADY)
    assert machine.calls_of("rabbitmq-server", "apt-get") == []


def test_apt_get_comes_before_homebrew(machine):
    machine.add(docker="exit 1", brew="exit 1", apt_get=APT_GET, sudo=SUDO)
    assert machine.setup() == (0, DOCKER + "failed: Docker has no compose\n" + INSTALLED + ALREADY)


def test_homebrew_installs_where_there_is_no_sudo_for_apt_get(machine):
    machine.add(brew='case "$*" in list*) exit 1;; services*) rabbitmq; esac', apt_get="")
    assert machine.setup() == (0, " [*] Installing RabbitMQ with Homebrew ... " + BREW_READY + ALREADY)
    assert machine.calls_of("brew")[-2:] == ["brew install rabbitmq", "brew services start rabbitmq"]


def test_what_apt_get_says_is_shown_if_it_fails(machine):
    machine.add(apt_get="echo E: no network; exit 1", sudo=SUDO)
    failed = " [*] Installing RabbitMQ with apt-get ... failed\nE: no network\nE: no network\n"
    assert machine.setup() == (1, failed + " [!] could not start RabbitMQ\n")


def test_it_says_what_it_takes_where_nothing_can_start_rabbitmq(machine):
    takes = "it takes Docker with compose, apt-get as root (or sudo), or Homebrew"
    assert machine.setup() == (1, f" [!] could not start RabbitMQ: {takes}\n")


def test_nothing_runs_where_rabbitmq_answers(machine):
    machine.add(docker=WORKING_DOCKER, brew="", rabbitmq_server="", apt_get="", sudo=SUDO)
    machine.greet()
    assert machine.setup() == (0, " [*] RabbitMQ already answers on localhost:5672\n" + ALREADY)
    assert machine.calls_of("docker", "brew", "rabbitmq-server", "apt-get", "sudo") == []


@pytest.mark.parametrize("greeting", ["HTTP/1.1 400 Bad Request", ""], ids=["a web server", "one that hangs up"])
def test_a_port_that_something_else_holds_is_told_at_once(machine, greeting):
    machine.add(docker=WORKING_DOCKER, rabbitmq_server="", apt_get="", sudo=SUDO)
    machine.greet(greeting)
    assert machine.setup() == (1, " [!] port 5672 is taken by something that is not RabbitMQ\n")
    assert machine.calls_of("rabbitmq-server", "apt-get", "sudo") == []
    assert not any("up" in call for call in machine.calls_of("docker"))


def test_it_waits_for_its_container_that_is_starting_already(machine):
    machine.add(docker=f'case "$*" in *port*) echo 127.0.0.1:{machine.port}; esac')
    machine.greet("", "", "\1")  # Docker's proxy hangs up as long as RabbitMQ is not there
    assert machine.setup() == (0, DOCKER_READY + ALREADY)


@pytest.mark.parametrize("answer", ["", "y"])
def test_on_a_terminal_it_asks_before_it_installs(machine, answer):
    machine.add(docker=FAILING_DOCKER, apt_get=APT_GET, sudo=SUDO)
    terminal = machine.terminal()
    terminal.expect("Y/n")
    assert machine.calls_of("apt-get", "sudo") == []
    terminal.sendline(answer)
    assert machine.end(terminal) == (0, f"{DOCKER_FAILED}{QUESTION}{answer}\n{INSTALLED}{ALREADY}")
    assert machine.calls_of("apt-get", "sudo") != []


def test_no_installs_nothing_and_neither_does_a_key_that_was_pressed_earlier(machine):
    machine.add(docker=DOCKER_UP.format("read -r </dev/tty; exit 1"), apt_get=APT_GET, sudo=SUDO)
    terminal = machine.terminal()
    terminal.send("\n\n")  # the first one is read by Docker, the second one is left over
    terminal.expect("Y/n")
    terminal.sendline("n")
    status, screen = machine.end(terminal)
    assert status == 1 and screen.endswith(f"{QUESTION}n\n{NOT_INSTALLED}")
    assert machine.calls_of("apt-get", "sudo") == []


def test_ctrl_c_at_the_question_leaves_a_clean_line(machine):
    machine.add(apt_get=APT_GET, sudo=SUDO)
    terminal = machine.terminal()
    terminal.expect("Y/n. ")
    terminal.sendintr()
    assert machine.end(terminal) == (-signal.SIGINT, f"{QUESTION}^C\n")
    assert machine.calls_of("apt-get", "sudo") == []


@pytest.mark.parametrize("command", ['exec "$0" </dev/null', 'set -o pipefail; "$0" | cat'], ids=["input", "output"])
def test_it_asks_nobody_who_is_not_at_the_terminal(machine, command):
    machine.add(docker=FAILING_DOCKER, apt_get=APT_GET, sudo=SUDO)
    assert machine.end(machine.terminal(command)) == (0, DOCKER_FAILED + INSTALLED + ALREADY)


def test_one_question_is_for_all_that_apt_get_installs(machine):
    (machine.project / ".venv/bin/pip").unlink()
    python = '*ensurepip*) exit 1;; "-m venv"*) echo >.venv/bin/pip; exec chmod +x .venv/bin/pip;;'
    machine.add(python3=f'case "$*" in {python} esac\nexec "{sys.executable}" "$@"', apt_get=APT_GET, sudo=SUDO)
    (machine.bin / "chmod").symlink_to(shutil.which("chmod"))
    terminal = machine.terminal()
    terminal.expect("Y/n")
    terminal.sendline()
    question = QUESTION.replace("rabbitmq-server", "rabbitmq-server python3-venv")
    assert machine.end(terminal) == (0, f"{question}\n{INSTALLED}{MADE}")


def test_a_slow_step_shows_that_it_lives_and_is_one_line_in_the_end(machine):
    machine.add(docker=SLOW_DOCKER)
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
    machine.add(docker=SLOW_DOCKER, rabbitmq_server="rabbitmq", sudo=SUDO)
    terminal = machine.terminal()
    terminal.expect("s: layer")
    terminal.sendintr()
    assert machine.end(terminal) == (-signal.SIGINT, DOCKER + "\n")
    assert machine.calls_of("rabbitmq-server") == []


def test_after_ctrl_c_nothing_more_runs_even_if_the_tool_takes_it_for_a_failure(machine):
    machine.add(apt_get="case $1 in update) trap 'exit 1' INT; read -r </dev/tty; esac", sudo=SUDO)
    terminal = machine.terminal()
    terminal.expect("Y/n")
    terminal.sendline()
    wait_for(lambda: machine.calls_of("apt-get"))
    terminal.sendintr()
    assert machine.end(terminal)[0] == -signal.SIGINT
    assert machine.calls_of("apt-get") == ["apt-get update"]


def test_nothing_is_drawn_while_sudo_asks_for_a_password(machine):
    asks = 'stty -echo; printf "[sudo] password: " >/dev/tty; read -r; stty echo; echo >/dev/tty'
    machine.add(rabbitmq_server="rabbitmq", sudo=f'{{ {asks}; }} </dev/tty; exec "$@"')
    terminal = machine.terminal()
    terminal.expect("password: ")
    assert terminal.expect([".", pexpect.TIMEOUT], timeout=1.5) == 1
    terminal.sendline("wonderland")
    line = " [*] Starting the installed rabbitmq-server ... "
    assert machine.end(terminal) == (0, f"{line}[sudo] password: \n{line}{SERVER_READY}{ALREADY}")


@pytest.mark.parametrize("python", ["Python 3.8.10", "missing"])
def test_a_python_that_is_too_old_is_told_before_anything_starts(machine, python):
    (machine.project / ".venv/bin/pip").unlink()
    (machine.bin / "python3").unlink()
    if python != "missing":
        machine.add(python3=f'case "$*" in --version) echo {python};; *) exit 1; esac')
    machine.add(docker=WORKING_DOCKER)
    assert machine.setup() == (1, f" [!] Python 3.9 or newer is needed, and python3 is {python}\n")
    assert machine.calls_of("docker") == []


def imports_pika(made):
    """Whether the Python of .venv has pika."""
    return subprocess.run([made.project / ".venv/bin/python", "-c", "import pika"]).returncode == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A machine on which setup.sh has made .venv. RABBITMQ_URL names its RabbitMQ."""
    made = Machine(tmp_path_factory.mktemp("made"))
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + MADE)
    return made


def test_running_it_again_is_harmless(made):
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + ALREADY)
    assert imports_pika(made)


def test_a_venv_that_was_half_made_is_mended(made):
    shutil.rmtree(made.project / ".venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.project / ".venv"], check=True)
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + MADE)
    assert imports_pika(made)


def test_a_missing_package_is_installed_and_the_others_stay(made):
    subprocess.run([made.project / ".venv/bin/pip", "uninstall", "-qy", "pika"], check=True)
    other = made.project / ".venv/other"
    other.touch()
    assert made.setup(RABBITMQ_URL=URL) == (0, USING + MADE)
    assert imports_pika(made) and other.exists()


def test_what_pip_says_is_shown_if_it_fails(made):
    status, printed = made.setup(RABBITMQ_URL=URL, PIP_CONSTRAINT="/nonexistent")
    first, second, *words, last = printed.splitlines()
    assert (status, f"{first}\n", second) == (1, USING, " [*] Python packages ... failed")
    assert "/nonexistent" in "".join(words) and last == " [!] could not install the Python packages in .venv"
