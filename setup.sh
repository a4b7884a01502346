#!/usr/bin/env bash
# Sets up, with what this machine has, what send.py and receive.py need: RabbitMQ on localhost:5672 (unless RABBITMQ_URL
# names another one), and the Python packages in .venv. Says in one line each how. Running it again is harmless.

cd "$(dirname "$0")" || exit
PATH=$PATH:/usr/sbin:/sbin # where Debian has rabbitmq-server; not in every user's PATH
sudo='sudo '
[ "$(id -u)" = 0 ] && sudo=''
log=$(mktemp) || exit # what the tool says that is running
line='' drawing=''    # what is on the screen: the line of this step, and the process that draws it
trap 'rm -f "$log"' EXIT
trap 'trap - INT; settle; echo; kill -INT $$' INT # CTRL+C ends all of it; or docker alone would end, and the next way begin

have() { command -v "$1" >/dev/null; }
as_root() { $sudo "$@"; }
fail() {
    echo " [!] $1" >&2
    exit 1
}

last_line() ( # of the log, without what moves the cursor or changes the colour
    export LC_ALL=C
    tail -c 999 "$log" | tr -s '\r' '\n' | tail -n 1 | sed $'s/\033\\[[0-9;?]*[A-Za-z]//g; s/[[:cntrl:]]/ /g; s/^ *//'
)
draw() { # each second, in place: how long it takes and what the tool says; cut at the edge (?7l), not wrapped
    local said start=$SECONDS
    while sleep 1 >/dev/null && kill -0 $$; do
        [[ $(stty -a </dev/tty) = *[[:space:]]-echo[[:space:]]* ]] && continue # sudo is asking for a password
        said=$(last_line)
        printf '\r\033[?7l%s%d s%s\033[K\033[?7h' "$line" $((SECONDS - start)) "${said:+: $said}"
    done
}
settle() { # the line is again as it was before it was drawn
    [ "$drawing" ] || return
    { kill -KILL "$drawing" && wait "$drawing"; } 2>/dev/null # TERM, if it is young, runs the trap that removes the log
    drawing=''
    printf '\r\033[K%s' "$line"
}

# step WORDS COMMAND...: run the command, and leave it to the caller to end the line.
step() {
    line=" [*] $1 ... "
    : >"$log"
    if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
        printf '\033[?7l%s\033[?7h' "$line"
        draw 2>/dev/null &
        drawing=$!
    else
        printf %s "$line"
    fi
    (trap exit INT && "${@:2}") </dev/null >>"$log" 2>&1 # many a tool takes CTRL+C for a failure of its own
    local status=$?
    settle
    return $status
}
failed() {
    echo failed
    cat "$log" >&2
    fail "$1"
}

ask() { # on a terminal, before the command installs something for the whole machine
    [ -t 0 ] && [ -t 1 ] || return 0
    python3 -c 'import termios; termios.tcflush(0, termios.TCIFLUSH)' 2>/dev/null # drop keys pressed earlier
    local answer
    printf ' [?] Run %s? [Y/n] ' "$1"
    read -r answer || { echo && answer=no; }
    [[ ! $answer || $answer = [yY]* ]] || fail "not installed; docs/start-rabbitmq.md has other ways"
}

# Whether RabbitMQ answers, with a frame of type 1: Docker's proxy accepts connections before RabbitMQ is there, and a web
# server says something else (at once, if it gets the line's end that it waits for).
answers() (
    exec 3<>/dev/tcp/localhost/5672 && printf 'AMQP\0\0\11\1\n' >&3 && read -r -n 1 -t 5 byte <&3 && [ "$byte" = $'\1' ]
) 2>/dev/null
port_is_taken() { (exec 3<>/dev/tcp/localhost/5672) 2>/dev/null; }
is_starting() { have docker && [ "$(compose port rabbitmq 5672 2>/dev/null)" = 127.0.0.1:5672 ]; }

compose() { AMQP_PORT=5672 docker compose -f docker-compose.yml "$@"; }
docker_server() {
    docker compose version >/dev/null 2>&1 || { echo "Docker has no compose" && return 1; }
    compose up -d
}
start_server() {
    { [ -d /run/systemd/system ] && as_root systemctl start rabbitmq-server; } || as_root rabbitmq-server -detached
}
can_install() { have apt-get && { [ ! "$sudo" ] || have sudo; }; }
install() {
    as_root apt-get update # if only some other source fails, the next line works
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" # seconds: a new machine may be installing its updates
}
install_server() { install "$@" && { answers || start_server; }; } # it runs already where services may start
brew_server() { brew install rabbitmq && brew services start rabbitmq; }

# try WORDS STOP COMMAND...: start RabbitMQ with the command, wait until it answers, and say what stops it.
try() { step "$1" await "${@:3}" && echo "ready on localhost:5672 (stop it with $2)"; }
await() {
    "$@" || return
    local end=$((SECONDS + 60))
    until answers; do
        [ $SECONDS -lt $end ] || { echo "RabbitMQ does not answer on localhost:5672; see its log" && return 1; }
        sleep 1
    done
}

start_rabbitmq() {
    if have docker; then
        try "Starting RabbitMQ with docker compose" "docker compose down" docker_server && return
        echo "failed: $(last_line)"
        compose stop >/dev/null 2>&1 # the next way needs the port
    fi
    if have brew && brew list rabbitmq >/dev/null 2>&1; then
        try "Starting Homebrew's RabbitMQ" "brew services stop rabbitmq" brew services start rabbitmq && return
    elif have rabbitmq-server; then
        try "Starting the installed rabbitmq-server" "${sudo}rabbitmqctl stop" start_server && return
    elif can_install; then
        apt=(rabbitmq-server "${apt[@]}")
        ask "${sudo}apt-get install ${apt[*]}"
        try "Installing RabbitMQ with apt-get" "${sudo}rabbitmqctl stop" \
            install_server "${apt[@]}" && apt=() && return
    elif have brew; then
        ask "brew install rabbitmq"
        try "Installing RabbitMQ with Homebrew" "brew services stop rabbitmq" brew_server && return
    else
        fail "could not start RabbitMQ: it takes Docker with compose, apt-get as root (or sudo), or Homebrew"
    fi
    failed "could not start RabbitMQ"
}

fill_venv() { # there may be no .venv yet, or a broken one
    .venv/bin/pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv || return
    .venv/bin/pip install -r requirements.txt
}

apt=() # what apt-get has to install
if .venv/bin/pip install --no-index -r requirements.txt >/dev/null 2>&1; then
    packages=there
elif ! python3 -c "import sys; sys.exit(sys.version_info < (3, 9))" 2>/dev/null; then
    version=$(python3 --version 2>/dev/null)
    fail "Python 3.9 or newer is needed, and python3 is ${version:-missing}"
else
    packages=missing
    python3 -c "import ensurepip" 2>/dev/null || apt=(python3-venv) # Debian and Ubuntu keep it apart
fi

if [[ ${RABBITMQ_URL:-} = *[![:space:],]* ]]; then
    echo " [*] Using the RabbitMQ that RABBITMQ_URL names"
elif answers; then
    echo " [*] RabbitMQ already answers on localhost:5672"
elif port_is_taken && ! is_starting; then
    fail "port 5672 is taken by something that is not RabbitMQ"
else
    start_rabbitmq
fi

if [ $packages = there ]; then
    echo " [*] .venv already has the Python packages"
    exit
fi
if [ "${apt[*]}" ] && can_install; then
    ask "${sudo}apt-get install ${apt[*]}"
    step "Installing ${apt[*]} with apt-get" install "${apt[@]}" || failed "could not install ${apt[*]}"
    echo ready
fi
step "Python packages" fill_venv || failed "could not install the Python packages in .venv"
echo "ready in .venv"
