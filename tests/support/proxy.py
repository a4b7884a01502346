"""A TCP proxy between a program and RabbitMQ, which can cut, hold and count."""

import contextlib
import socket
import sys
import threading
import time
from urllib.parse import quote

NO_LIMIT = sys.maxsize


class Proxy:
    """A TCP proxy to a virtual host's broker, with TLS if it has an ssl.SSLContext."""

    def __init__(self, vhost, tls_context=None):
        self.vhost = vhost
        self.accepted_at = []  # time.monotonic() of each connection that was tried
        self.bytes_to_broker = 0
        self.bytes_from_broker = 0
        self.held = threading.Event()  # set once hold() has been called
        self._limits = (NO_LIMIT, NO_LIMIT)
        self._lets_in = True
        self._reactions = {}
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(vhost.name, safe='')}"
        if tls_context:
            self._listener = tls_context.wrap_socket(self._listener, server_side=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def when_client_sends(self, words, reaction):
        """Call reaction() each time that these bytes come from the client, before they go on."""
        self._reactions[words] = reaction

    def cut_after(self, bytes_to_broker=NO_LIMIT, bytes_from_broker=NO_LIMIT):
        """Cut the next connection after so many bytes there or back."""
        self._limits = (bytes_to_broker, bytes_from_broker)

    def cut(self):
        """Cut all connections, without a word."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            hang_up(each)

    def hold(self):
        """As a reaction: keep what the client has sent, and all that comes after it."""
        self.held.set()
        threading.Event().wait()

    def let_nobody_in(self):
        """Hang up whenever somebody connects."""
        self._lets_in = False

    def let_in(self):
        self._lets_in = True

    def close(self):
        hang_up(self._listener)
        self.cut()

    def _serve(self):
        while self._listener.fileno() != -1:  # until it is closed
            with contextlib.suppress(OSError):  # also a TLS handshake that fails
                client, _ = self._listener.accept()
                self.accepted_at.append(time.monotonic())
                if self._lets_in:
                    self._connect(client)
                else:
                    hang_up(client)

    def _connect(self, client):
        try:
            broker = socket.create_connection(("127.0.0.1", self.vhost.port))
        except OSError:  # the broker is gone
            hang_up(client)
            return
        self._sockets += [client, broker]
        to_broker, from_broker = self._limits
        self._limits = (NO_LIMIT, NO_LIMIT)
        for copy, limit in [(self._copy_to_broker, to_broker), (self._copy_back, from_broker)]:
            threading.Thread(target=copy, args=[client, broker, limit], daemon=True).start()

    def _copy_to_broker(self, client, broker, limit):
        for data in read(client, limit):
            for words, reaction in list(self._reactions.items()):
                if words in data:
                    reaction()
            if not send(broker, data):
                break
            self.bytes_to_broker += len(data)
        hang_up(client)
        hang_up(broker)

    def _copy_back(self, client, broker, limit):
        for data in read(broker, limit):
            if not send(client, data):
                break
            self.bytes_from_broker += len(data)
        hang_up(client)
        hang_up(broker)


def read(source, limit):
    """Yield what comes from a socket, until it ends or so many bytes have come."""
    while limit > 0:
        try:
            data = source.recv(min(limit, 65536))
        except OSError:
            return
        if not data:
            return
        limit -= len(data)
        yield data


def send(target, data):
    """Send data. Return whether that was possible."""
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


def hang_up(connected):
    """Close a socket so that the other end notices it at once."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()
