#!/usr/bin/env bash
# Sets up, with what this machine has, what send.py and receive.py need: RabbitMQ on localhost:5672 (unless RABBITMQ_URL
# names another one), and the Python packages in .venv. Says in one line each how. Running it again is harmless.

exec </dev/null
cd "$(dirname "$0")" || exit
PATH=$PATH:/usr/sbin:/sbin # where Debian has rabbitmq-server; not in every user's PATH
log=$(mktemp) || exit
trap 'rm -f "$log"' EXIT
trap 'trap - INT; kill -INT $$' INT # CTRL+C ends all of it; or docker alone would end, and the next way begin

have() { command -v "$1" >/dev/null; }
run() { "$@" >>"$log" 2>&1; } # the tools' own words are shown only if something fails
say() { printf ' [*] %s ... ' "$1"; }
ready() { echo ready "$@" && : >"$log"; }
fail() {
    cat "$log" >&2
    echo " [!] $1" >&2
    exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
can_install() { have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; }
install() {
    as_root apt-get update # if only some other source fails, the next line works
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$1" # seconds: a new machine may be installing its updates
}

answers() ( # to the greeting of AMQP 0-9-1: Docker's proxy accepts connections before RabbitMQ is there
    exec 3<>/dev/tcp/localhost/5672 && printf 'AMQP\0\0\11\1' >&3 && read -r -n 1 -t 5 <&3
) 2>/dev/null

compose() { AMQP_PORT=5672 docker compose -f docker-compose.yml "$@"; }
start_server() {
    if ! id rabbitmq >/dev/null 2>&1; then
        rabbitmq-server -detached # Homebrew's RabbitMQ has no user of its own, it runs as you
    elif ! { [ -d /run/systemd/system ] && as_root systemctl start rabbitmq-server; }; then
        as_root rabbitmq-server -detached
    fi
}
install_server() { install rabbitmq-server && { answers || start_server; }; } # it runs already where services may start
brew_server() { brew install rabbitmq && brew services start rabbitmq; }

# try WORDS COMMAND...: start RabbitMQ with the command, and wait until it answers.
try() {
    say "$1"
    echo "$1:" >>"$log"
    if run "${@:2}"; then
        local end=$((SECONDS + 60))
        while [ $SECONDS -lt $end ]; do
            answers && ready on localhost:5672 && return
            sleep 1
        done
        echo "RabbitMQ does not answer on localhost:5672; is the port taken? See RabbitMQ's log" >>"$log"
    fi
    echo failed
    return 1
}

start_rabbitmq() {
    if have docker && docker compose ls >/dev/null 2>>"$log"; then
        try "Starting RabbitMQ with docker compose" compose up -d && return
        run compose logs --tail 20
        compose down >/dev/null 2>&1 # the next way needs the port
    fi
    if have rabbitmq-server; then
        try "Starting the installed rabbitmq-server" start_server && return
    elif can_install; then
        try "Installing rabbitmq-server with apt-get and starting it" install_server && return
    fi
    have brew && try "Installing rabbitmq with Homebrew and starting it" brew_server
}

if [[ ${RABBITMQ_URL:-} = *[![:space:],]* ]]; then
    echo " [*] Using the RabbitMQ that RABBITMQ_URL names"
elif answers; then
    echo " [*] RabbitMQ already answers on localhost:5672"
else
    start_rabbitmq ||
        fail "could not start RabbitMQ: it takes a free port 5672, and Docker with compose, or root (sudo)"
fi

if .venv/bin/pip install --no-index -r requirements.txt >/dev/null 2>&1; then
    echo " [*] .venv already has the Python packages"
    exit
fi

fill_venv() { # there may be no .venv yet, or a broken one
    .venv/bin/pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv || return
    .venv/bin/pip install -r requirements.txt
}

if ! python3 -c "import ensurepip" >/dev/null 2>&1 && can_install; then # Debian and Ubuntu keep it apart
    say "Installing python3-venv with apt-get"
    run install python3-venv || { echo failed; fail "apt-get could not install python3-venv"; }
    ready
fi
if ! python3 -c "import sys; sys.exit(sys.version_info < (3, 9))" 2>/dev/null; then
    version=$(python3 --version 2>/dev/null)
    fail "Python 3.9 or newer is needed, and python3 is ${version:-missing}"
fi

say "Python packages"
run fill_venv || { echo failed; fail "could not install the Python packages in .venv"; }
ready in .venv
