"""The connection behind send.py and receive.py: where RabbitMQ is, and what happens when something goes wrong.

The environment variable RABBITMQ_URL says where: amqp://user:password@host:port/vhost, or amqps:// for TLS, with the
options of https://pika.readthedocs.io/en/stable/modules/parameters.html#urlparameters; several nodes with commas.
"""

import os
import signal

# CTRL+C shows no traceback, not even during the imports, which take longer than all the rest.
signal.signal(signal.SIGINT, lambda *_: os._exit(130))

# ruff: noqa: E402
import contextlib
import logging
import re
import select
import sys
import threading
import time
from urllib.parse import urlsplit

import pika
from pika.exceptions import AMQPConnectionError, AMQPError

DEFAULT_URL = "amqp://guest:guest@localhost:5672/%2F"
CONFIRM_TIMEOUT = 60  # seconds
pika.connection.Parameters.DEFAULT_BLOCKED_CONNECTION_TIMEOUT = CONFIRM_TIMEOUT
pika.connection.Parameters.DEFAULT_STACK_TIMEOUT = 9  # seconds for each address of a host; localhost often has two

MEANINGS = {  # what pika or RabbitMQ says, as a regular expression: what it means
    "ConnectionRefusedError": "nothing listens there; start RabbitMQ with ./start-rabbitmq.sh",
    "gaierror|UnicodeError": "the host name is unknown",
    "AMQPConnector|IncompatibleProtocol": "no RabbitMQ answers there",
    "SSL": "TLS failed: {}",
    "Login was refused": "wrong user or password (guest may connect from localhost only): {}",
    "inequivalent arg": "the queue exists with other settings, to delete it: rabbitmqctl delete_queue hello: {}",
    "UnroutableError": "not sent, because the queue 'hello' is gone",
    "NackError": "not sent, because RabbitMQ refuses the message; the queue 'hello' may be full",
    "": "{}",
}

_connection = None
_node = None  # the pika.URLParameters tried last
_phase = "starting"  # then "running", "lost" during an outage, "stopping"


def connect():
    """Return a pika.BlockingConnection to the first node of RABBITMQ_URL that answers.

    Raises pika.exceptions.AMQPConnectionError with the reason of each node.
    """
    global _connection, _node
    _connection, failures = None, []
    urls = [url.strip() for url in os.environ.get("RABBITMQ_URL", "").split(",") if url.strip()]
    for _node in [_parameters(url) for url in urls or [DEFAULT_URL]]:
        try:  # one by one: pika gives up on a list at the first host name that is unknown
            _connection = pika.BlockingConnection(_node)
            return _connection
        except Exception as error:  # AMQPError, AMQPConnectorException, OSError or UnicodeError: no narrower base
            failures.append(_explain(error))
    raise AMQPConnectionError("; ".join(failures))


def announce(line):
    """Print line: the program does what it was started for. After an outage, say that it is over instead."""
    global _phase
    if _phase == "starting":
        print(line)
    elif _phase == "lost":
        _say(f"{_node.host}:{_node.port}: connected again")
    if _phase != "stopping":
        _phase = "running"


def run(main, keep_going=False):
    """Call main(); if something goes wrong, say so in one line on standard error and exit with status 1.

    With keep_going, an outage after the announcement leads to another call of main(), about once a second, until
    CTRL+C or SIGTERM (status 0) or a refusal that waiting cannot mend (status 1).
    """
    global _phase
    if sys.stdout:  # each line at once; what the terminal cannot show is escaped
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    if keep_going:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGTERM, _stop)
        threading.Thread(target=_end_with_reader, daemon=True).start()
    else:
        logging.getLogger("pika.connection").addFilter(_say_blocked)
        _end_after(
            CONFIRM_TIMEOUT, f"no confirm from RabbitMQ within {CONFIRM_TIMEOUT} s; the message may still arrive"
        )
    try:
        while True:
            try:
                main()
                if not keep_going:
                    return
                reason = "RabbitMQ cancelled the consumer (was the queue deleted?)"
            except AMQPError as error:
                reason = _explain(error) if _connection else str(error)
                if not keep_going and _phase == "running":  # only close() failed
                    return
                if not keep_going and _connection and isinstance(error, AMQPConnectionError):
                    reason += "; the message may or may not have arrived"
            if _phase == "starting" or (_phase == "lost" and _is_refusal(reason)):
                sys.exit(f" [!] {reason}")
            if _phase == "running":
                _say(f"{reason}; connecting again")
                _phase = "lost"
            _close()
            time.sleep(1)
    except OSError as error:  # of print(): a full disk, or a pipe that nobody reads any more
        if not isinstance(error, BrokenPipeError):
            _say(f"standard output: {error.strerror}")
        os._exit(1)
    finally:
        _close()


def _parameters(url):
    """Return the pika.URLParameters of url. Raises SystemExit, without showing a password, if it is malformed."""
    problem = "bad host or port; in a user or password write @ : / ? # , as %40 %3A %2F %3F %23 %2C"
    with contextlib.suppress(ValueError):  # its text may hold a piece of the password
        parts = urlsplit(url)
        if not re.match("amqps?://", url, re.IGNORECASE):
            problem = "it does not begin with amqp:// or amqps://; in a user or password write , as %2C"
        elif parts.port != 0 and "@" not in parts.path + parts.query + parts.fragment:
            if parts.username is not None and parts.password is None:
                problem = "a user without a password"
            else:
                try:
                    return pika.URLParameters(url)
                except Exception as error:  # ValueError, TypeError, SyntaxError, OSError: as the option has it
                    problem = f"bad option ({', '.join(re.findall('([a-z_]+)=', parts.query))}): {error}"
    sys.exit(f" [!] RABBITMQ_URL is malformed: {problem}")


def _explain(error):
    cause = getattr(error.args[0], "exception", error) if error.args else error
    text = f"{type(cause).__name__}: {cause} {cause!r}"
    reply = re.search(r"""ClosedByBroker: \(\d+\) (['"])(.*?)\1""", text)
    where = f"{_node.host}:{_node.port}"
    if reply:
        where += f", user {_node.credentials.username!r}, virtual host {_node.virtual_host!r}"
    meaning = next(words for pattern, words in MEANINGS.items() if re.search(pattern, text))
    return f"{where}: {meaning.format(reply[2] if reply else cause)}"


def _is_refusal(reason):
    return re.search("ACCESS_REFUSED|NOT_ALLOWED|PRECONDITION_FAILED", reason) and "limit" not in reason


def _say(words):
    print(f" [!] {words}", file=sys.stderr)


def _say_blocked(record):
    """Tell of a memory or disk alarm. While basic_publish() waits for the confirm, only pika's log knows."""
    if "Connection.Blocked" in record.getMessage():
        _say(f"RabbitMQ blocks publishers (memory or disk alarm), waiting up to {CONFIRM_TIMEOUT} s")
    return True


def _stop(*_):
    """End the program after the messages that pika has handed over; at once if it hangs, or the second time."""
    global _phase
    if _phase == "stopping" or not _connection or _connection.is_closed:
        os._exit(0)
    _phase = "stopping"
    _end_after(1.5)
    _connection.add_callback_threadsafe(sys.exit)


def _end_after(seconds, words=None):
    def end():
        if words and _phase == "starting":
            _say(words)
            os._exit(1)
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _end_with_reader():
    """End the program when nobody reads its output any more, as in: python receive.py | head -1."""
    if sys.stdout and hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sys.stdout, 0)
        if poller.poll()[0][1] & (select.POLLERR | select.POLLHUP):
            os._exit(1)


def _close():
    if _connection and _connection.is_open:
        with contextlib.suppress(AMQPError):
            _connection.close()
