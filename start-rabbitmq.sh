#!/usr/bin/env bash
# Make sure that RabbitMQ answers on localhost:5672, with what this machine has, and say in one line how:
# Docker, an installed rabbitmq-server, apt-get or Homebrew. Running it again is harmless.

exec </dev/null
PATH=$PATH:/usr/sbin:/sbin # where Debian has rabbitmq-server; not in every user's PATH
log=$(mktemp) || exit
trap 'rm -f "$log"' EXIT
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)

have() { command -v "$1" >/dev/null; }
run() { "$@" >>"$log" 2>&1; } # the tools' own words are shown only if something fails
say() { printf ' [*] %s ... ' "$1"; }
fail() {
    echo failed
    cat "$log" >&2
    echo " [!] $1" >&2
    exit 1
}

answers() ( # to the greeting of AMQP 0-9-1: Docker's proxy accepts connections before RabbitMQ is there
    exec 3<>/dev/tcp/localhost/5672 && printf 'AMQP\0\0\11\1' >&3 && read -r -n 1 -t 5 <&3
) 2>/dev/null

start_server() {
    id rabbitmq >/dev/null 2>&1 || sudo=() # Homebrew's RabbitMQ has no user of its own, it runs as you
    if [ -d /run/systemd/system ] && run "${sudo[@]}" systemctl start rabbitmq-server; then
        return
    fi
    run "${sudo[@]}" rabbitmq-server -detached || fail "could not start rabbitmq-server; try it as root"
}

if answers; then
    echo " [*] RabbitMQ already answers on localhost:5672"
    exit
elif have docker && { docker info && docker compose version; } >/dev/null 2>&1; then
    say "Starting RabbitMQ with docker compose"
    export AMQP_PORT=5672
    run docker compose -f "$(dirname "$0")/docker-compose.yml" up -d --wait || fail "docker compose failed"
elif have rabbitmq-server; then
    say "Starting the installed rabbitmq-server"
    start_server
elif have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; then
    say "Installing rabbitmq-server with apt-get and starting it"
    run "${sudo[@]}" apt-get update # if only some other source fails, the next line works
    run "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rabbitmq-server ||
        fail "apt-get could not install rabbitmq-server"
    answers || start_server # the installation starts it where services may start
elif have brew; then
    say "Installing rabbitmq with Homebrew and starting it"
    { run brew install rabbitmq && run brew services start rabbitmq; } || fail "Homebrew could not start rabbitmq"
else
    echo " [!] no way to start RabbitMQ: install Docker with compose, or rabbitmq-server (apt-get needs root)" >&2
    exit 1
fi

end=$((SECONDS + 60))
until answers; do
    [ $SECONDS -lt $end ] || fail "RabbitMQ does not answer on localhost:5672; is the port taken? See RabbitMQ's log"
    sleep 1
done
echo "ready on localhost:5672"
