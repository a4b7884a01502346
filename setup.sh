#!/usr/bin/env bash
# Installs pika in .venv. If no RabbitMQ answers, starts one on this machine: with Docker, else with Homebrew or apt-get, which
# install it if they must. If RABBITMQ_URL is set, starts none. It takes no arguments, and running it again is harmless.

cd "$(dirname "$0")" || exit
[ $# = 0 ] || { sed -n '2,3s/# //p' setup.sh; [ "$1" = --help ]; exit; }
if [ "$(id -u)" = 0 ]; then sudo=''; else sudo='sudo '; fi
PATH=$PATH:/usr/sbin      # where Debian has rabbitmq-server
trap 'echo; exit 130' INT # CTRL+C ends all of it, whatever the tool that is running makes of it

say() { echo " [*] $1"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }
as_root() { $sudo "$@" || { [ $? = 130 ] && echo && exit 130; return 1; }; } # sudo may keep CTRL+C to itself
answers() { .venv/bin/python -c 'from connection import connect, run; run(lambda: connect().close())' 2>&1; }

apt_install() { # PACKAGE, and what to say before
    have apt-get || return
    say "$2"
    local install=(apt-get install --no-install-recommends -o DPkg::Lock::Timeout=120) # a new machine installs updates
    [ -t 0 ] || install=(env DEBIAN_FRONTEND=noninteractive "${install[@]}" -y)       # nobody can answer its question
    as_root apt-get update # if only some other source fails, the next line works
    as_root "${install[@]}" "$1"
}
with_docker() {
    have docker || return
    say "Starting RabbitMQ with Docker"
    stop="docker compose down" log="docker compose logs"
    # 5672 is where connect() looks, whatever .env says. A container that has failed could still hold this port.
    AMQP_PORT=5672 docker compose up -d --wait || { docker compose stop >/dev/null 2>&1; return 1; }
}
with_homebrew() {
    have brew || return
    stop="brew services stop rabbitmq" log="$(brew --prefix)/var/log/rabbitmq"
    if brew list rabbitmq >/dev/null 2>&1; then say "Starting RabbitMQ with Homebrew"; else
        say "Installing and starting RabbitMQ with Homebrew"
        brew install rabbitmq || return
    fi
    brew services start rabbitmq
}
with_apt() { # or the RabbitMQ that is installed
    stop="${sudo}rabbitmqctl stop" log="/var/log/rabbitmq, or what ${sudo}rabbitmq-server says"
    if have rabbitmq-server; then say "Starting the installed RabbitMQ"; else
        apt_install rabbitmq-server "Installing RabbitMQ with apt-get; it then starts at each boot" || return
    fi
    if [ -d /run/systemd/system ]; then as_root systemctl start rabbitmq-server; else as_root rabbitmq-server -detached; fi
}

say "Installing pika in .venv"
if ! .venv/bin/pip --version >/dev/null 2>&1; then # it is missing, or broken
    { have python3 && python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'; } ||
        fail " [!] Python 3.9 or newer is needed, and python3 is $(python3 --version 2>/dev/null || echo missing)"
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv "Installing python3-venv with apt-get" # on Debian
    python3 -m venv --clear .venv || fail " [!] could not make .venv"
fi
.venv/bin/pip install -q -r requirements.txt || fail " [!] could not install pika in .venv"
.venv/bin/python -c 'import pika.exceptions' 2>/dev/null ||
    fail " [!] .venv has no pika: is PIP_TARGET set, or is there a file pika.py?"

reason=$(answers) && say "RabbitMQ is running" && exit
[ -z "$RABBITMQ_URL" ] || fail "$reason" " [!] without RABBITMQ_URL, setup.sh starts a RabbitMQ on this machine"
[[ $reason = *"nothing listens"* || $(docker compose ps -q 2>/dev/null) ]] || # its own container may just be starting
    fail "$reason" " [!] setup.sh can start RabbitMQ only where nothing else listens"
with_docker || with_homebrew || with_apt ||
    fail " [!] could not start RabbitMQ with Docker, Homebrew or apt-get; docs/start-rabbitmq.md has other ways"
for _ in {1..45}; do # about 60 seconds
    reason=$(answers) && say "RabbitMQ is running; to stop it: $stop" && exit
    sleep 1
done
fail "$reason" " [!] RabbitMQ was started, but does not answer: see $log"
