"""What is not the lesson: where RabbitMQ is, what an error means, what follows an outage."""

import signal

if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback at CTRL+C, even amid the imports
import contextlib
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable

import pika
from pika.exceptions import AMQPConnectionError, AMQPError, NackError, UnroutableError


def connect() -> pika.BlockingConnection:
    """Connect to the first node of RABBITMQ_URL that answers. Raises AMQPError if none does."""
    urls = re.findall("[^ ,]+", os.environ.get("RABBITMQ_URL", "")) or ["amqp://localhost"]
    nodes, reasons = [], []
    with contextlib.suppress(Exception):  # a wrong option, or no match
        nodes = [pika.URLParameters(re.fullmatch(URL, url)[0]) for url in urls]
    for node in nodes:
        node.blocked_connection_timeout = node.blocked_connection_timeout or 60  # seconds
        try:
            return _Connection(node)
        except Exception as error:  # of pika, the system or TLS
            reasons.append(f"{node.host}:{node.port}: {_why(error, 'no RabbitMQ answers there')}")
    raise AMQPError("; ".join(reasons) or f"RABBITMQ_URL is malformed: write {FORM}")


def run(main: Callable[[], None]) -> None:
    """Call main(), which sends. If it fails, say why in one line and exit with status 1."""
    with _one_line("; the message may or may not have arrived", "; the message was sent"):
        notice = threading.Timer(5, print, [NOTICE], {"file": sys.stderr})  # seconds
        notice.daemon = True
        notice.start()
        main()


def keep_running(main: Callable[[], None]) -> None:
    """Call main(), which ends in start_consuming(), and again a second after each outage."""
    told = None  # the reasons told in this outage; None until main() has waited for messages
    with _one_line():
        while True:
            try:
                main()
                told, reason = [], "RabbitMQ cancelled the consumer (was the queue deleted?)"
            except AMQPError as error:
                told = [] if "in start_consuming" in traceback.format_exc() else told
                if told is None or getattr(error, "reply_code", None) in (403, 405, 406):
                    raise
                reason = _why(error)
            if reason not in told:
                print(f" [!] {reason}; connecting again", file=sys.stderr)
                told.append(reason)
            time.sleep(1)


class _Connection(pika.BlockingConnection):
    def close(self):
        with contextlib.suppress(AMQPError):  # the other side may have gone
            super().close()


@contextlib.contextmanager
def _one_line(cut_off="", not_shown=""):
    sys.stdout, sys.stderr = (  # one line is one write, also with PYTHONUNBUFFERED
        f and open(f.fileno(), "w", 1, f.encoding, "backslashreplace", closefd=False)
        for f in (sys.stdout, sys.stderr)
    )
    try:
        yield
    except AMQPError as error:
        sys.exit(f" [!] {_why(error)}{cut_off if isinstance(error, AMQPConnectionError) else ''}")
    except OSError as error:  # of print()
        if not isinstance(error, BrokenPipeError):
            print(f" [!] standard output: {error.strerror}{not_shown}", file=sys.stderr)
        os._exit(1)  # a normal exit would print again


def _why(error, otherwise="the connection was lost"):
    login = re.search(r"ClosedByBroker: \(\d+\) .(.*?).( \(host=.*)?$", str(error))
    words = login[1] if login else getattr(error, "reply_text", getattr(error, "strerror", None))
    return " ".join((words or MEANINGS.get(type(error), "").format(error) or otherwise).split())


URL = "amqps?://[^/?#]*([/?#][^@]*)?"  # an @ after / ? or # is that of a password
FORM = "amqp://user:password@host:port/vhost, with @ : / ? # , as %40 %3A %2F %3F %23 %2C"
NOTICE = " [!] still waiting (memory or disk alarm, no majority of nodes?); CTRL+C gives up"
MEANINGS = {
    AMQPError: "{}",  # of connect()
    AMQPConnectionError: "nothing listens there; start RabbitMQ with ./setup.sh",
    pika.exceptions.ConnectionBlockedTimeout: "RabbitMQ is short of memory or disk",
    UnroutableError: "not sent: the queue is gone",
    NackError: "not sent: the queue may be full, or the nodes that hold it are down",
}
