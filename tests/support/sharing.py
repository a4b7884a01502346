"""One RabbitMQ for all workers of pytest-xdist, which are processes of their own."""

import contextlib
import fcntl
import json
import time


class SharedServer:
    """A server that the first worker who asks for it starts, and stops when all others are done.

    What the workers tell each other is in a folder: the facts of the server, and who uses it.
    """

    def __init__(self, folder, worker):
        self.facts_file = folder / "server.json"
        self.lock_file = folder / "server.lock"
        self.user_file = (folder / f"{worker}.user").open("w")
        self.started = None  # the server, if it was this worker who started it

    def join(self, make_server):
        """Return the facts of the running server. Start the one that make_server() returns, if
        there is none yet."""
        with self._lock():
            fcntl.flock(self.user_file, fcntl.LOCK_EX)  # until leave(), or until this process dies
            if not self.facts_file.exists():
                self.started = make_server()
                self.started.start()
                self.facts_file.write_text(json.dumps(self.started.facts()))
            return json.loads(self.facts_file.read_text())

    def leave(self):
        """Use it no more. Whoever has started it waits until nobody does, and removes it."""
        self.user_file.close()
        if self.started is None:
            return
        while not self._is_given_up():
            time.sleep(0.1)
        self.started.remove()

    def _is_given_up(self):
        with self._lock():
            if any(is_locked(path) for path in self.facts_file.parent.glob("*.user")):
                return False
            self.facts_file.unlink(missing_ok=True)  # the next who asks starts another one
            return True

    @contextlib.contextmanager
    def _lock(self):
        with self.lock_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def is_locked(path):
    """Tell whether a process holds the lock of this file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
