"""send.py, whose connection is cut after each so many bytes: "Sent" is true wherever that is."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.broker import VirtualHost
from support.errors import the_error_line
from support.project import SENT
from support.proxy import Proxy
from support.queue import HelloQueue

EACH = 53  # bytes: no divisor of anything
AT_ONCE = 8

LOST = r"the connection was lost, perhaps with messages on the way \(.*\)"
NOT_CONNECTED = r"cannot connect to 127\.0\.0\.1:\d+: .*"


@pytest.fixture
def send_through_a_cut(server, start_python, broker):
    """Run send.py to a virtual host of its own, through a proxy that cuts after so many bytes.

    Returns the program, the proxy, and the messages that are in the queue then.
    """

    def send(**limits):
        vhost = VirtualHost(server, f"{broker.name} {limits}")
        vhost.create()
        queue = HelloQueue(vhost.url)
        proxy = Proxy(vhost)
        proxy.cut_after(**limits)
        sender = start_python("send.py", url=proxy.url)
        sender.wait_for_end()
        messages = queue.take_all()
        queue.connection.close()
        proxy.close()
        vhost.delete()
        return sender, proxy, messages

    return send


def assert_it_says_what_it_knows(sender, messages):
    if sender.out:
        assert sender.out == SENT
        assert messages == ["Hello World!"]
    if sender.status == 0:
        assert sender.out == SENT
        assert sender.err == ""
    elif sender.out or messages:
        assert re.fullmatch(LOST, the_error_line(sender))
    else:
        assert re.fullmatch(f"{LOST}|{NOT_CONNECTED}", the_error_line(sender))


def test_sent_is_true_wherever_the_connection_is_cut(send_through_a_cut):
    _, whole, _ = send_through_a_cut()
    cuts = [{"bytes_to_broker": count} for count in range(1, whole.bytes_to_broker, EACH)]
    cuts += [{"bytes_from_broker": count} for count in range(1, whole.bytes_from_broker, EACH)]
    assert len(cuts) > 20

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda cut: send_through_a_cut(**cut), cuts))

    for sender, _, messages in results:
        assert_it_says_what_it_knows(sender, messages)
