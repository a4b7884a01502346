"""Where RabbitMQ is, and what happens when something goes wrong: the part of the two programs that is not the lesson.
RABBITMQ_URL=amqp://user:password@host:port/vhost says where; amqps:// for TLS, several nodes with commas.
"""

import contextlib
import os
import re
import signal
import sys
import threading
import time

signal.signal(signal.SIGINT, signal.SIG_DFL)  # CTRL+C shows no traceback, not even while pika is imported
import pika
from pika.exceptions import AMQPConnectionError, AMQPError, ConsumerCancelled, NackError

DEFAULT_URL = "amqp://guest:guest@localhost:5672/%2F"
URL_FORM = r"amqps?://([^:@/?#]+:[^/?#]*@)?([^:@/?#[\]]*|\[[^]]+\])(:[1-9][0-9]*)?(/[^/?#@]*)?(\?[^?#@]*)?"
REFUSAL = r"ACCESS_REFUSED|RESOURCE_LOCKED|NOT_ALLOWED(?!.*connection limit \()|inequivalent arg"  # for good
MEANINGS = {  # what pika, RabbitMQ or the system says, as a regular expression: what it means
    "ConnectionRefused": "nothing listens there; start RabbitMQ with ./setup.sh",
    "^(gaierror|Unicode)": "the host name is unknown",
    "^SSL": "TLS failed: {}",
    "^Unroutable": "not sent, because the queue 'hello' is gone",
    "^Nack": "not sent, because RabbitMQ refuses the message; the queue 'hello' may be full",
    "^ConsumerCancelled": "RabbitMQ cancelled the consumer (was the queue deleted?)",
    "Login was refused": "wrong user or password (guest may connect from localhost only): {}",
    "inequivalent arg": "the queue has other settings, to delete it: rabbitmqctl delete_queue hello -p {1!r}: {0}",
    "ClosedBy|OSError": "{}",
}
_connection = None  # the one that connect() has returned, until it is closed


class _Connection(pika.BlockingConnection):
    def close(self):
        global _connection
        _connection = None
        with contextlib.suppress(AMQPError):  # the other side may have closed it already
            super().close()


def connect():
    """Return a pika.BlockingConnection to the first node of RABBITMQ_URL that answers. Raises AMQPConnectionError."""
    global _connection
    urls = [url.strip() for url in os.environ.get("RABBITMQ_URL", "").split(",") if url.strip()]
    reasons = []
    for node in [_parameters(url) for url in urls or [DEFAULT_URL]]:
        try:  # one by one: pika gives up on a list at the first host name that is unknown
            _connection = _Connection(node)
            _connection.node = node
            return _connection
        except Exception as error:  # AMQPError, AMQPConnectorException, OSError or UnicodeError: no narrower base
            reasons.append(_explain(error, node, "no RabbitMQ answers there"))
    raise AMQPConnectionError("; ".join(reasons))


def run(main, keep_going=False):
    """Call main(). If something goes wrong, say so in one line on standard error and exit with status 1.

    A message that RabbitMQ refuses is sent again, for 10 s. With keep_going, an outage makes main() start again.
    """
    for stream in filter(None, [sys.stdout, sys.stderr]):  # one line is one write, also with PYTHONUNBUFFERED
        stream.reconfigure(line_buffering=True, write_through=False, errors="backslashreplace")
    if keep_going:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGTERM, _stop)
    else:
        threading.Thread(target=_lose_patience, daemon=True).start()
    end = time.monotonic() + 10
    outage = False
    while True:
        try:
            main()
            if not keep_going:
                return
            raise ConsumerCancelled  # receive.py comes back only then
        except AMQPError as error:
            reason = _explain(error, _connection.node, "the connection was lost") if _connection else str(error)
            outage = keep_going and (outage or _connection) and not re.search(REFUSAL, reason)
            if outage and _connection:
                print(f" [!] {reason}; connecting again", file=sys.stderr)
            elif not outage and (not isinstance(error, NackError) or time.monotonic() > end):
                unsure = _connection and not keep_going and isinstance(error, AMQPConnectionError)
                sys.exit(f" [!] {reason}{'; the message may or may not have arrived' if unsure else ''}")
        except OSError as error:  # of print(): a full disk, or a pipe that nobody reads any more
            if not isinstance(error, BrokenPipeError):
                print(f" [!] standard output: {error.strerror}", file=sys.stderr)
            os._exit(1)
        finally:
            if _connection:
                _connection.close()
        time.sleep(1)


def _parameters(url):
    with contextlib.suppress(Exception):  # of whatever type: the option has it
        if re.fullmatch(URL_FORM, url, re.IGNORECASE):
            return pika.URLParameters(url)  # https://pika.readthedocs.io/en/stable/modules/parameters.html
    form = "amqp://user:password@host:port/vhost, with @ : / ? # , inside a part as %40 %3A %2F %3F %23 %2C"
    sys.exit(f" [!] RABBITMQ_URL is malformed: write {form}")


def _explain(error, node, otherwise):
    text = f"{type(error).__name__} {error} {error!r}"
    who = f", user {node.credentials.username!r}, virtual host {node.virtual_host!r}" if "ClosedBy" in text else ""
    words = re.search(r"""\(\d+[,)] (['"])(.*?)( \(_ssl.*)?\1""", text)  # (403) 'ACCESS_REFUSED ...'
    meaning = next((meaning for pattern, meaning in MEANINGS.items() if re.search(pattern, text)), otherwise)
    return f"{node.host}:{node.port}{who}: {meaning.format(words and words[2], node.virtual_host)}"


def _stop(signum, _frame):
    """End the program after the messages that pika has handed over, within 1.5 s; at once while connecting."""
    signal.signal(signum, signal.SIG_DFL)  # the second time ends it at once, too
    if not _connection or _connection.is_closed:
        os._exit(0)
    hang = threading.Timer(1.5, os._exit, [0])
    hang.daemon = True
    hang.start()
    _connection.add_callback_threadsafe(sys.exit)


def _lose_patience():
    time.sleep(5)
    if _connection:
        print(" [!] no confirm yet, waiting up to 60 s (memory or disk alarm, no majority of nodes?)", file=sys.stderr)
    time.sleep(55)
    while not _connection:  # still connecting, or closing
        time.sleep(1)
    print(" [!] no confirm from RabbitMQ within 60 s; the message may still arrive", file=sys.stderr)
    os._exit(1)
