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
BLOCKED_SECONDS = 10  # how long a sender waits while RabbitMQ lacks memory or disk
RETRY_SECONDS = 5  # how long run() waits before it calls main() again


# Connecting


class CannotConnect(exceptions.AMQPConnectionError):
    """No URL of RABBITMQ_URL lets us in, or one is malformed; the text says why."""


class Connection(pika.BlockingConnection):
    """As in pika, but closing it twice is no error.

    So a `finally: connection.close()` after an outage leaves the error of the outage as it is.
    """

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
    wrong_form = CannotConnect(
        "RABBITMQ_URL: write amqp://user:password@host:port/vhost?options "
        "(in a name or password, / as %2F, ? as %3F, # as %23, @ as %40)"
    )
    if not url.startswith(("amqp://", "amqps://")):
        raise wrong_form
    if re.search("//.*[/?#].*@", url):  # an @ after them: they are probably part of a password
        raise wrong_form

    without_options, _, options = url.partition("?")
    try:
        pika.URLParameters(without_options)
    except Exception:
        raise wrong_form from None  # these words of pika's may show the password

    try:
        parameters = pika.URLParameters(url)
    except Exception as error:  # an option is unknown, or has a wrong value
        if "password" in options:  # that of a certificate's key
            raise CannotConnect("RABBITMQ_URL, after the ?: an option is wrong") from None
        raise CannotConnect(f"RABBITMQ_URL, after the ?: {explain(error)}") from error
    if parameters.blocked_connection_timeout is None:
        parameters.blocked_connection_timeout = BLOCKED_SECONDS
    return parameters


# Running a program

# What RabbitMQ or the network does. All other errors are mistakes in a program: a traceback.
RABBITMQ_ERRORS = (
    exceptions.AMQPConnectionError,
    exceptions.ChannelClosedByBroker,
    exceptions.NackError,
    exceptions.UnroutableError,
)
# pika calls these connection errors, too, but a program makes them: it uses a closed connection,
# or never closes its channels.
MISTAKES = (exceptions.ConnectionWrongStateError, exceptions.NoFreeChannels)

# RabbitMQ closes a connection with these codes if it is stopped, has failed, or an operator says
# so; with others, mostly for what the program has done. They are among the constants of
# https://github.com/rabbitmq/amqp-0.9.1-spec/blob/main/docs/amqp-0-9-1-reference.md
CONNECTION_FORCED = 320
INTERNAL_ERROR = 541


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
        raise  # a traceback
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
        except exceptions.AMQPConnectionError as error:
            never_connected = isinstance(error, CannotConnect) and not was_connected
            if never_connected or not is_outage(error):
                raise
            was_connected = True  # for only a connection that was open can be lost
            print(
                f" [!] {explain(error)}; connecting again in {RETRY_SECONDS} seconds",
                file=sys.stderr,
            )
            time.sleep(RETRY_SECONDS)


def is_outage(error):
    """Tell whether RabbitMQ or the network failed, rather than the program."""
    if isinstance(error, exceptions.ConnectionClosedByBroker):
        return error.reply_code in (CONNECTION_FORCED, INTERNAL_ERROR)
    return not isinstance(error, MISTAKES)


# Explaining an error

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


def explain(error):
    """Say in one line what happened: in plain words, and in RabbitMQ's, pika's or the system's."""
    words = original_words(error)
    words = " ".join(words.split())  # RabbitMQ may send several lines
    if type(error) in PLAIN_WORDS:
        return f"{PLAIN_WORDS[type(error)]} ({words})"
    return words


def original_words(error):
    """Return the words of RabbitMQ, the system or pika; the error's name if there are none."""
    if isinstance(error, (exceptions.ConnectionClosed, exceptions.ChannelClosed)):
        return error.reply_text
    if isinstance(error, (exceptions.NackError, exceptions.UnroutableError)):
        return type(error).__name__  # pika's text has a number that misleads
    if is_wrapped(error):
        return str(error.args[0].exception)  # such as "Connection refused"
    return str(error) or repr(error)


def is_wrapped(error):
    """Tell whether pika has put the system's error inside its own, whose text is empty then."""
    wrapper = connection_workflow.AMQPConnectorSocketConnectError
    return bool(error.args) and isinstance(error.args[0], wrapper)
