#!/usr/bin/env bash
# Puts pika into .venv and, if no RabbitMQ answers yet, starts one on this machine.

if [ -z "$BASH_VERSION" ]; then # it was called as `sh setup.sh`
    exec bash "$0" "$@"
fi

usage="usage: ./setup.sh

Puts pika into the folder .venv. If no RabbitMQ answers yet, starts one on this machine:
with Docker, else with Homebrew, else the one that is installed, else with apt-get.
If RABBITMQ_URL is set, starts none. You can run it as often as you like."

port=5672 # where connect() looks for RabbitMQ, unless RABBITMQ_URL is set

main() {
    if [ "$1" = --help ]; then
        echo "$usage"
        exit
    fi
    if [ $# -gt 0 ]; then
        echo "$usage" >&2
        exit 1
    fi

    cd "$(dirname "$0")" || exit
    PATH=$PATH:/usr/sbin      # where Debian has rabbitmq-server
    trap 'echo; exit 130' INT # CTRL+C ends all of it, whatever the tool that is running makes of it
    sudo="sudo "              # before what only root may do; with a blank, for what we print
    if [ "$(id -u)" = 0 ]; then
        sudo=""
    fi

    install_pika
    find_or_start_rabbitmq
}

# pika

install_pika() {
    say "Installing pika in .venv"
    if ! venv_works; then
        make_venv
    fi
    if ! .venv/bin/pip install --requirement requirements.txt; then
        fail "could not install pika in .venv"
    fi
    if ! .venv/bin/python -c 'import connection'; then
        fail "connection.py does not run: see above (is PIP_TARGET set, or is there a file such as pika.py or socket.py here?)"
    fi
}

venv_works() {
    .venv/bin/pip --version >/dev/null 2>&1
}

make_venv() {
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
        fail "Python 3.9 or newer is needed, and python3 is $(python3 --version 2>/dev/null || echo missing)"
    fi
    if ! python3 -c 'import ensurepip' 2>/dev/null; then # Debian has it in a package of its own
        apt_install python3-venv "Installing python3-venv with apt-get" # if it fails, venv says what is missing
    fi
    if ! python3 -m venv --clear .venv; then
        fail "could not make .venv"
    fi
}

# RabbitMQ

find_or_start_rabbitmq() {
    local why_not
    say "Looking for RabbitMQ"
    if why_not=$(ask_rabbitmq); then
        say "RabbitMQ is running"
        return
    fi
    if [ -n "$RABBITMQ_URL" ]; then
        echo "$why_not" >&2
        fail "without RABBITMQ_URL, setup.sh starts a RabbitMQ on this machine"
    fi
    # our own container may be what listens: it is still starting, or hangs
    if something_listens && ! our_container_exists; then
        echo "$why_not" >&2
        fail "setup.sh can start RabbitMQ only where nothing else listens"
    fi

    # each one succeeds, or returns 1 to let the next one try, or ends setup.sh
    local start
    for start in start_with_docker start_with_homebrew start_what_is_installed start_with_apt; do
        if $start; then
            return
        fi
    done
    fail "could not start RabbitMQ with Docker, Homebrew or apt-get; docs/start-rabbitmq.md has other ways"
}

ask_rabbitmq() { # succeeds if RabbitMQ lets us in; else prints why not
    .venv/bin/python -c 'from connection import connect, run; run(lambda: connect().close())' 2>&1
}

something_listens() { # bash connects when it reads /dev/tcp/HOST/PORT
    (: <"/dev/tcp/localhost/$port") 2>/dev/null
}

our_container_exists() { # running or not
    [ -n "$(docker compose ps --all --quiet 2>/dev/null)" ]
}

start_with_docker() {
    if ! has docker; then
        return 1
    fi
    say "Starting RabbitMQ with Docker"
    if AMQP_PORT=$port docker compose up --detach --wait; then # this port, whatever .env says
        wait_for_rabbitmq "docker compose down" "docker compose logs"
        return
    fi
    if our_container_exists; then # another RabbitMQ would not have its messages
        fail "Docker could not start RabbitMQ: see above, docker compose logs, and docs/start-rabbitmq.md#docker-fails"
    fi
    return 1
}

start_with_homebrew() {
    if ! has brew; then
        return 1
    fi
    if ! brew list rabbitmq >/dev/null 2>&1; then
        say "Installing RabbitMQ with Homebrew"
        if ! brew install rabbitmq; then
            return 1
        fi
    fi
    say "Starting RabbitMQ with Homebrew"
    local log
    log=$(brew --prefix)/var/log/rabbitmq
    if ! brew services start rabbitmq; then # another RabbitMQ would not have its messages
        fail "Homebrew could not start RabbitMQ: see above, and $log"
    fi
    wait_for_rabbitmq "brew services stop rabbitmq" "$log"
}

start_what_is_installed() {
    if ! has rabbitmq-server; then
        return 1
    fi
    start_server
}

start_with_apt() {
    if ! apt_install rabbitmq-server "Installing RabbitMQ with apt-get; it then starts at each boot"; then
        return 1
    fi
    start_server
}

start_server() {
    local log="/var/log/rabbitmq, or what ${sudo}rabbitmq-server says"
    say "Starting RabbitMQ"
    if ! run_server; then
        fail "could not start RabbitMQ: see above, and $log"
    fi
    wait_for_rabbitmq "${sudo}rabbitmqctl stop" "$log"
}

run_server() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl start rabbitmq-server
    else
        as_root rabbitmq-server -detached
    fi
}

wait_for_rabbitmq() { # HOW_TO_STOP WHERE_THE_LOG_IS
    local how_to_stop=$1
    local where_the_log_is=$2
    local why_not
    say "Waiting until RabbitMQ answers"
    for _ in {1..60}; do
        if why_not=$(ask_rabbitmq); then
            say "RabbitMQ is running; to stop it: $how_to_stop"
            return
        fi
        sleep 1
    done
    echo "$why_not" >&2
    fail "RabbitMQ was started, but does not answer: see $where_the_log_is"
}

# Tools

apt_install() { # PACKAGE WHAT_TO_SAY
    if ! has apt-get; then
        return 1
    fi
    say "$2"
    local wait_for_others=DPkg::Lock::Timeout=120 # seconds: a new machine may be installing its updates
    as_root apt-get update                        # may fail for a source that we do not need
    if [ -t 0 ]; then
        as_root apt-get install --no-install-recommends -o $wait_for_others "$1" # asks before it installs
    else
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install --no-install-recommends -o $wait_for_others --yes "$1"
    fi
}

as_root() {
    $sudo "$@"
    local status=$?
    if [ $status = 130 ]; then # sudo may keep CTRL+C to itself
        echo
        exit 130
    fi
    return $status
}

has() {
    command -v "$1" >/dev/null
}

say() {
    echo " [*] $1"
}

fail() {
    echo " [!] $1" >&2
    exit 1
}

main "$@"
