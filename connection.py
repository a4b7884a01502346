"""Beside the lesson: a connection, errors in one line, and a way back after an outage."""

import os
import sys
import time
from urllib.parse import urlsplit

import pika

WORDS = {  # where pika's own say little
    pika.exceptions.ConnectionBlockedTimeout: "RabbitMQ lacks memory or disk; messages may arrive",
    pika.exceptions.IncompatibleProtocolError: "no RabbitMQ answers there yet (with TLS: amqps://)",
    pika.exceptions.NackError: "RabbitMQ refused the message (is the queue full, or a node down?)",
    pika.exceptions.StreamLostError: "the connection was lost, perhaps with messages on the way",
    pika.exceptions.UnroutableError: "no queue takes the message; RabbitMQ drops it",
}


def connect() -> pika.BlockingConnection:
    """Connect to the first URL in RABBITMQ_URL that answers, or raise AMQPConnectionError."""
    urls = os.environ.get("RABBITMQ_URL", "").split() or ["amqp://guest:guest@localhost"]
    reasons = []
    for node in [_parse(url) for url in urls]:
        node.blocked_connection_timeout = node.blocked_connection_timeout or 10  # seconds
        try:
            return pika.BlockingConnection(node)
        except Exception as error:  # of pika, the system or TLS
            reasons.append(f"{node.host}:{node.port}, vhost {node.virtual_host}: {explain(error)}")
    raise pika.exceptions.AMQPConnectionError("; ".join(reasons))


def _parse(url):
    try:
        if not url.startswith(("amqp://", "amqps://")) or "@" in "".join(urlsplit(url)[2:]):
            raise ValueError  # a / ? or # in the password
        return pika.URLParameters(url)
    except Exception as error:  # may show a password
        reason = getattr(error, "strerror", "write amqp://user:password@host:port/vhost (@ as %40)")
        raise pika.exceptions.AMQPConnectionError(f"RABBITMQ_URL: {reason}") from None


def run(main):
    """Call main(). If RabbitMQ fails or refuses, say why in one line and exit with status 1."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main()
    except pika.exceptions.AMQPError as error:
        print(f" [!] {explain(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def keep_running(main):
    """Do as run(), but call main() again 5 s after it has ended or lost its connection."""
    run(lambda: _repeat(main))


def _repeat(main):
    start, reason = time.monotonic(), None
    while True:
        try:
            main()
            reason = "main() has ended (was the queue deleted?)"
        except pika.exceptions.AMQPConnectionError as error:
            refused = getattr(error, "reply_code", 320) != 320 and time.monotonic() < start + 5
            if not reason and (refused or type(error) is pika.exceptions.AMQPConnectionError):
                raise  # from the start (320: an outage)
            reason = explain(error)
        print(f" [!] {reason}; connecting again in 5 seconds", file=sys.stderr)
        time.sleep(5)


def explain(error):
    """What an error means, in RabbitMQ's words if it sent some."""
    words = WORDS.get(type(error), getattr(error, "reply_text", str(error)))
    return " ".join(words.split()) or "nothing listens there, or it is out of reach"
