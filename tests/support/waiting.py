"""Wait for what another program does."""

import time

TIMEOUT = 90  # seconds: much more than anything takes, for a busy machine


def wait_until(see, is_right, awaited):
    """Call see() again and again until is_right() is true of its value, and return that value.

    Raises AssertionError after TIMEOUT, which says what was awaited and what was seen last.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + TIMEOUT
    while True:
        seen = see()
        if is_right(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"awaited for {TIMEOUT} seconds: {awaited}\nseen last: {seen!r}")
        time.sleep(0.02)
