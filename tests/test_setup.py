"""What setup.sh prints and what it calls, on a machine with stand-ins for all that installs or starts something."""

import os
import shutil
import subprocess
import sys

import pytest
from machinery import PROJECT

# What stand-ins do. RabbitMQ is there once the file url, which the copy of connection.py reads, holds the URL of one.
UP, UP_SOON = "cp up url", "cp up soon"  # at the next `sleep`
BREW = {"brew": 'case "$*" in --prefix) echo /brew;; list*) echo no; exit 1;; services*) cp up url; esac'}
ASK = "read -r key; [ $key = y ] || exit 1"
APT_GET = f"case $* in update) echo no net; exit 100;; *-y*) ;; *) {ASK};; esac; mv ../later ../sbin; echo unpacked"
SUDO = {"sudo": 'printf "sudo " >>../log; exec env -i PATH="$PATH" "$@"'}
DEBIAN = {"apt-get": APT_GET, "later/rabbitmq-server": UP_SOON, **SUDO}
NO_SPACE = {**DEBIAN, "docker": "[ $2 = stop ] || { echo no space >&2; exit 1; }; echo not shown"}
SYSTEMD = {**DEBIAN, "sbin/rabbitmq-server": "exit 1", "systemd/runs": "", "systemctl": UP}
PYTHON = f'exec "{sys.executable}" -c "import sys; sys.version_info = (3, %s); $2"'
OLD = {".venv/bin/pip": "exit 1", "python3": "[ $1 = -c ] || { echo Python 3.8.10; exit; }; " + PYTHON % "8, 10"}
BARE = 'case "$*" in *ensurepip*) exit 1;; -m*) mv ../new/pip .venv/bin;; *) ' + PYTHON % 9 + "; esac"
BROKEN = {**DEBIAN, "docker": UP, ".venv/bin/pip": "exit 1", "python3": BARE, "new/pip": ""}
REAL = f'exec "{sys.executable}" "$@"'
BASIC = {".venv/bin/pip": "", ".venv/bin/python": REAL, "id": "echo 1000", "sleep": "[ ! -e soon ] || mv soon url"}
# What is printed, by setup.sh (marked lines) and by stand-ins, and a line for each call, with two variables at its end.
SAYS, PIP = " [*] Installing pika in .venv\n", "pip install -q -r requirements.txt\n"
PIKA, RUNS, STOP = SAYS + PIP, " [*] RabbitMQ is running\n", " [*] RabbitMQ is running; to stop it: "
DOWN = " [!] localhost:1, vhost /: nothing listens there, or it is out of reach\n"
SILENT = f"sleep 1\nsleep 1\n{DOWN} [!] RabbitMQ was started, but does not answer: see "
SERVER_LOG = f"{SILENT}/var/log/rabbitmq, or what sudo rabbitmq-server says\n"
DOCKER = f"{PIKA} [*] Starting RabbitMQ with Docker\ndocker compose up -d --wait 5672\n"
BY_DOCKER = f"{DOCKER}{STOP}docker compose down\n"
LIST = f"{PIKA}brew list rabbitmq\n [*] "
BREWED = f"brew services start rabbitmq\n{STOP}brew services stop rabbitmq\n"
NEW_BREW = f"{LIST}Installing and starting RabbitMQ with Homebrew\nbrew install rabbitmq\n{BREWED}"
SERVER = f"{PIKA} [*] Starting the installed RabbitMQ\nsudo "
DETACHED, CTL = "rabbitmq-server -detached\n", f"{STOP}sudo rabbitmqctl stop\n"
SERVED = f"unpacked\nsudo {DETACHED}sleep 1\n{CTL}"
UPDATE = " [*] Installing RabbitMQ with apt-get; it then starts at each boot\nsudo apt-get update\n"
INSTALL = "sudo apt-get install --no-install-recommends -o DPkg::Lock::Timeout=120 "
BY_APT = f"{UPDATE}no net\n{INSTALL}-y rabbitmq-server noninteractive\n{SERVED}"
FOR_VENV = f" [*] Installing python3-venv with apt-get\nsudo apt-get update\nno net\n{INSTALL}-y python3-venv"
NEW_VENV = BY_DOCKER.replace(PIP, f"{FOR_VENV} noninteractive\nunpacked\npython3 -m venv --clear .venv\n{PIP}")
NONE = " [!] could not start RabbitMQ with Docker, Homebrew or apt-get; docs/start-rabbitmq.md has other ways\n"
TOO_OLD = f"{SAYS} [!] Python 3.9 or newer is needed, and python3 is "
ELSEWHERE = f"{PIKA} [!] .venv has no pika: is PIP_TARGET set, or is there a file pika.py?\n"
SCREENS = {  # what is there, the exit status, and all that happens
    "Docker is used where it works": ({**DEBIAN, **BREW, "docker": UP}, 0, BY_DOCKER),
    "Homebrew is used before apt-get": ({**DEBIAN, **BREW}, 0, NEW_BREW),
    "Homebrew does not install it again": ({"brew": UP}, 0, f"{LIST}Starting RabbitMQ with Homebrew\n{BREWED}"),
    "the installed RabbitMQ is used": ({**DEBIAN, "sbin/rabbitmq-server": UP}, 0, SERVER + DETACHED + CTL),
    "systemd starts it where it runs": (SYSTEMD, 0, f"{SERVER}systemctl start rabbitmq-server\n{CTL}"),
    "apt-get is used where Docker fails": (NO_SPACE, 0, f"{DOCKER}no space\ndocker compose stop\n{BY_APT}"),
    "root needs no sudo": ({**DEBIAN, "id": "echo 0"}, 0, (PIKA + BY_APT).replace("sudo ", "")),
    "nothing here can start it": ({}, 1, PIKA + NONE),
    "a container that is silent has a log": ({"docker": ""}, 1, f"{DOCKER}{SILENT}docker compose logs\n"),
    "a server that is silent has a log": ({**SUDO, "sbin/rabbitmq-server": ""}, 1, SERVER + DETACHED + SERVER_LOG),
    "CTRL+C is not a failure of Docker": ({**DEBIAN, "docker": "trap 'exit 1' INT; kill -INT 0"}, 130, f"{DOCKER}\n"),
    "CTRL+C that sudo keeps ends all of it": ({**SUDO, "apt-get": "exit 130"}, 130, f"{PIKA}{UPDATE}\n"),
    "a Python that is too old changes nothing": ({**OLD, "docker": UP}, 1, f"{TOO_OLD}Python 3.8.10\n"),
    "no Python changes nothing": ({"docker": UP, ".venv/bin/pip": "exit 1"}, 1, f"{TOO_OLD}missing\n"),
    "a broken .venv is made anew": (BROKEN, 0, NEW_VENV),
    "pip fails": ({".venv/bin/pip": "[ $1 = --version ]"}, 1, f"{PIKA} [!] could not install pika in .venv\n"),
    "pip puts pika elsewhere": ({"docker": UP, ".venv/../pika.py": ""}, 1, ELSEWHERE),
}


@pytest.fixture
def setup(tmp_path, broker):
    """Run setup.sh with the stand-ins that are there. Returns its exit status, and all that happens."""
    log, path, folder = tmp_path / "log", tmp_path / "bin", tmp_path / "学习 hello"
    changes = [
        ("connection.py", '"amqp://guest:guest@localhost"', 'open("url").read()'),
        ("setup.sh", "{1..45}", "{1..2}"),
        ("setup.sh", "/usr/sbin", f"{tmp_path}/sbin"),
        ("setup.sh", "/run/systemd/system", f"{tmp_path}/systemd"),
    ]

    def setup(there, *words, url=None, stdin=subprocess.DEVNULL, **environment):
        shutil.rmtree(tmp_path)
        for tool, body in {**BASIC, **there}.items():
            file = folder / tool if tool[0] == "." else tmp_path / tool if "/" in tool else path / tool
            file.parent.mkdir(parents=True, exist_ok=True)
            # Not noted: what only looks (-c, -u, --version), and sudo, which notes itself with what it calls.
            note = f"[[ $1 = -[cu-]* || {tool} = sudo ]] || echo {file.name} $* $AMQP_PORT $DEBIAN_FRONTEND >>../log"
            file.write_text(f"#!{shutil.which('bash')}\n{note}\n{body}\n")
            file.chmod(0o755)
        for tool in ("bash", "cp", "dirname", "env", "mv", "sed"):
            (path / tool).symlink_to(shutil.which(tool))
        for copied in ("connection.py", "requirements.txt", "setup.sh"):
            shutil.copy(PROJECT / copied, folder)
        for file, old, new in changes:
            assert old in (folder / file).read_text()
            (folder / file).write_text((folder / file).read_text().replace(old, new))
        (folder / "up").write_text(broker.url)
        (folder / "url").write_text(url or "amqp://guest:guest@localhost:1")
        with log.open("a") as out:
            options = {"cwd": tmp_path, "env": {**environment, "PATH": str(path)}, "start_new_session": True}
            status = subprocess.call([folder / "setup.sh", *words], stdin=stdin, stdout=out, stderr=out, **options)
        return status, log.read_text()

    return setup


@pytest.mark.parametrize("there, status, happens", SCREENS.values(), ids=SCREENS)
def test_what_is_on_the_screen(setup, there, status, happens):
    assert setup(there) == (status, happens)


@pytest.mark.parametrize("key, ends", {"y": SERVED, "n": NONE}.items())
def test_on_a_terminal_apt_get_asks(setup, key, ends):
    person, terminal = os.openpty()
    os.write(person, f"{key}\n".encode())
    assert setup(DEBIAN, stdin=terminal) == (int(key == "n"), f"{PIKA}{UPDATE}no net\n{INSTALL}rabbitmq-server\n{ends}")


def test_nothing_is_started_if_rabbitmq_answers_or_rabbitmq_url_is_set(setup, broker):
    assert setup(NO_SPACE, url=broker.url) == setup(NO_SPACE, RABBITMQ_URL=broker.url) == (0, PIKA + RUNS)
    ends = " [!] without RABBITMQ_URL, setup.sh starts a RabbitMQ on this machine\n"
    assert setup(NO_SPACE, RABBITMQ_URL="amqp://alice:wonderland@localhost:1") == (1, PIKA + DOWN + ends)


def test_where_something_else_listens_only_its_own_container_is_waited_for(setup, proxy):
    other = proxy()
    other.hear = lambda data: True  # hang up
    url, asked = f"amqp://guest:guest@localhost:{other.port}", f"{PIP}docker compose ps -q\n"
    ends = f" [!] localhost:{other.port}, vhost /: no RabbitMQ answers there yet (with TLS: amqps://)\n"
    ends += " [!] setup.sh can start RabbitMQ only where nothing else listens\n"
    assert setup({**DEBIAN, "docker": ""}, url=url) == (1, SAYS + asked + ends)
    assert setup({"docker": "[ $2 = ps ] && echo id || cp up url"}, url=url) == (0, BY_DOCKER.replace(PIP, asked))


def test_help_says_in_two_lines_what_it_does_and_does_nothing(setup):
    status, said = setup({"docker": UP}, "--help")
    assert (status, said.count("\n"), said.split()[:2]) == (0, 2, ["Installs", "pika"])
    assert setup({"docker": UP}, "--now") == (1, said)
