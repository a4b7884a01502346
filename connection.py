"""connect() to RabbitMQ, and run() a program: errors in one line, and back after an outage.

Not part of the lesson: skip it at first. It is for small programs like these; a larger one
calls connect(), and catches pika.exceptions.AMQPError where it knows what to do about it.
"""

import os
import re
import sys
import time

import pika
from pika import exceptions
from pika.adapters.utils import connection_workflow

DEFAULT_URL = "amqp://guest:guest@localhost"
URL_FORM = "amqp://user:password@host:port/vhost?options (@ in a name or password as %40)"
BLOCKED_SECONDS = 10  # how long a sender waits while RabbitMQ lacks memory or disk
RETRY_SECONDS = 5

# What RabbitMQ or the network does. All other errors are mistakes in a program: a traceback.
RABBITMQ_ERRORS = (
    exceptions.AMQPConnectionError,
    exceptions.ChannelClosedByBroker,
    exceptions.NackError,
    exceptions.UnroutableError,
)
# Mistakes, too, although pika counts them among the AMQPConnectionErrors.
MISTAKES = (exceptions.ConnectionWrongStateError, exceptions.NoFreeChannels)

# RabbitMQ closes a connection with these codes when it is stopped or fails, and with others for
# what the program has done. https://www.rabbitmq.com/amqp-0-9-1-reference#constants
CONNECTION_FORCED = 320
INTERNAL_ERROR = 541

PLAIN_WORDS = {
    connection_workflow.AMQPConnectorStackTimeout: "something listens there, but does not answer",
    exceptions.ConnectionBlockedTimeout: "RabbitMQ lacks memory or disk; messages may still arrive",
    exceptions.IncompatibleProtocolError: "something listens there, but no RabbitMQ answers",
    exceptions.NackError: "RabbitMQ refused the message",
    exceptions.ProbableAccessDeniedError: "RabbitMQ did not let us in",
    exceptions.ProbableAuthenticationError: "RabbitMQ did not let us in",
    exceptions.StreamLostError: "the connection was lost, perhaps with messages on the way",
    exceptions.UnroutableError: "no queue takes the message; RabbitMQ drops it",
}


class CannotConnect(exceptions.AMQPConnectionError):
    """No URL of RABBITMQ_URL lets us in, or one is malformed; the text says why."""


class Connection(pika.BlockingConnection):
    """As in pika, but `finally: connection.close()` does not fail after an outage."""

    def close(self, *args, **kwargs):
        if self.is_open:
            super().close(*args, **kwargs)


def connect():
    """Open a connection to the URL in RABBITMQ_URL, or else to this machine, as guest.

    Of several URLs, with blanks between them, the first that lets us in is taken.
    Raises CannotConnect.
    """
    urls = os.environ.get("RABBITMQ_URL", "").split()
    if not urls:
        urls = [DEFAULT_URL]
    nodes = [read_url(url) for url in urls]

    reasons = []
    for node in nodes:
        try:
            return Connection(node)
        except Exception as error:  # pika's, the system's, TLS's: whatever it is, try the next one
            reasons.append(f"{node.host}:{node.port}: {explain(error)}")
    raise CannotConnect("cannot connect to " + "; ".join(reasons))


def read_url(url):
    """Return pika's connection parameters. Raises CannotConnect, which shows no password."""
    wrong_form = CannotConnect(f"RABBITMQ_URL: write {URL_FORM}")
    if not url.startswith(("amqp://", "amqps://")):
        raise wrong_form
    if re.search("//.*[/?#].*@", url):  # a / ? or # in a password would end the host
        raise wrong_form

    address = url.partition("?")[0]
    try:
        pika.URLParameters(address)
    except Exception:
        raise wrong_form from None  # pika's own words may show the password

    try:
        parameters = pika.URLParameters(url)
    except Exception as error:  # an option is unknown, or has a wrong value
        raise CannotConnect(f"RABBITMQ_URL, after the ?: {explain(error)}") from error
    if parameters.blocked_connection_timeout is None:
        parameters.blocked_connection_timeout = BLOCKED_SECONDS
    return parameters


def run(main, reconnect=False):
    """Call main(). If RabbitMQ or the network fails: one line on stderr, and exit status 1.

    With reconnect=True, wait out a lost connection, and call main() again, from its first line.
    So main() must call connect() itself.
    """
    try:
        if reconnect:
            call_until_it_returns(main)
        else:
            main()
    except MISTAKES:
        raise
    except RABBITMQ_ERRORS as error:
        print(f" [!] {explain(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # the usual status after CTRL+C


def call_until_it_returns(main):
    """Call main(), and again after each lost connection."""
    was_connected = False
    while True:
        try:
            main()
            return
        except MISTAKES:
            raise
        except exceptions.AMQPConnectionError as error:
            never_connected = isinstance(error, CannotConnect) and not was_connected
            if never_connected or is_refusal(error):
                raise
            reason = explain(error)
        was_connected = True
        print(f" [!] {reason}; connecting again in {RETRY_SECONDS} seconds", file=sys.stderr)
        time.sleep(RETRY_SECONDS)


def is_refusal(error):
    """Tell whether RabbitMQ has closed the connection for what the program has done."""
    if not isinstance(error, exceptions.ConnectionClosedByBroker):
        return False
    return error.reply_code not in (CONNECTION_FORCED, INTERNAL_ERROR)


def explain(error):
    """Say in one line what happened: in plain words, and in RabbitMQ's, pika's or the system's."""
    words = own_words(error)
    words = " ".join(words.split())  # RabbitMQ may send several lines
    if type(error) in PLAIN_WORDS:
        return f"{PLAIN_WORDS[type(error)]} ({words})"
    return words


def own_words(error):
    if isinstance(error, (exceptions.ConnectionClosed, exceptions.ChannelClosed)):
        return error.reply_text
    if isinstance(error, (exceptions.NackError, exceptions.UnroutableError)):
        return type(error).__name__  # pika's text has a number that misleads
    if has_system_error(error):
        return str(error.args[0].exception)  # such as "Connection refused"
    return str(error) or repr(error)


def has_system_error(error):
    """Tell whether pika has put an error of the system, of connecting, inside its own."""
    wrapper = connection_workflow.AMQPConnectorSocketConnectError
    return bool(error.args) and isinstance(error.args[0], wrapper)
