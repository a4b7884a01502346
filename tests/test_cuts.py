"""send.py, whose connection is cut after each so many bytes: "Sent" is true wherever that is."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.broker import VirtualHost
from support.errors import the_error_line
from support.project import SENT
from support.proxy import Proxy
from support.queue import HelloQueue

EACH = 53  # bytes between two cuts
AT_ONCE = 8

LOST_WORDS = r"the connection was lost, perhaps with messages on the way \(.*\)"
NOT_CONNECTED = r"cannot connect to 127\.0\.0\.1:\d+: .*"


@pytest.fixture
def send_through_a_cut(server, start_python, broker):
    """Run send.py in a virtual host of its own, through a proxy that cuts after so many bytes.

    Returns the program, the messages that are in the queue then, and how many bytes went through.
    """

    def send(**limits):
        vhost = VirtualHost(server, f"{broker.name} {limits}")
        vhost.create()
        proxy = Proxy(vhost)
        proxy.cut_after(**limits)
        try:
            queue = HelloQueue(vhost.url)
            sender = start_python("send.py", url=proxy.url)
            sender.wait_for_end()
            messages = queue.take_all()
            queue.connection.close()
        finally:
            proxy.close()
            vhost.delete()
        return sender, messages, (proxy.bytes_to_broker, proxy.bytes_from_broker)

    return send


def assert_it_says_what_it_knows(cut, sender, messages):
    """Assert that "Sent" is true, and that whatever else happened is told in one line."""
    if sender.out:
        assert sender.out == SENT, cut
        assert messages == ["Hello World!"], cut
    if sender.status == 0:
        assert sender.out == SENT, cut
        assert sender.err == "", cut
    elif messages:
        assert re.fullmatch(LOST_WORDS, the_error_line(sender)), cut
    else:
        assert re.fullmatch(f"{LOST_WORDS}|{NOT_CONNECTED}", the_error_line(sender)), cut


def test_sent_is_true_wherever_the_connection_is_cut(send_through_a_cut):
    _, _, (to_broker, from_broker) = send_through_a_cut()
    cuts = [{"bytes_to_broker": count} for count in range(1, to_broker, EACH)]
    cuts += [{"bytes_from_broker": count} for count in range(1, from_broker, EACH)]
    assert len(cuts) > 20

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda cut: send_through_a_cut(**cut), cuts))

    for cut, (sender, messages, _) in zip(cuts, results):
        assert_it_says_what_it_knows(cut, sender, messages)
    sent = [sender for sender, _, _ in results if sender.out]
    assert 0 < len(sent) < len(cuts), "some cuts come before the confirm, and some after it"
