"""What someone sees whose connection is lost while receive.py runs: why, in one line, and messages again later."""

import re
import signal
import time

from machinery import AGAIN, LOST, RECEIVED, WAITING, state, wait_for

DELETED = " [!] main() has ended (was the queue deleted?)" + AGAIN


def test_it_goes_on_after_it_was_frozen_past_its_heartbeat(receive, send, broker, hello):
    receiver = receive(url=broker.url + "?heartbeat=2")
    receiver.send_signal(signal.SIGSTOP)
    wait_for(lambda: state(hello).consumer_count == 0)
    receiver.send_signal(signal.SIGCONT)
    wait_for(lambda: receiver.out == WAITING * 2)
    assert receiver.err == LOST + AGAIN
    assert send().returncode == 0
    wait_for(lambda: receiver.out == WAITING * 2 + RECEIVED)


def test_a_deleted_queue_is_declared_again_with_one_connection_left_unless_another_program_has_it(broker, receive, hello):
    receiver = receive()
    hello.queue_delete("hello")
    wait_for(lambda: receiver.out == WAITING * 2)
    connections = broker.ctl("-q", "list_connections", "vhost").splitlines()
    assert connections.count(broker.vhost) == 2  # that of the test, and one of receive.py
    hello.queue_delete("hello")
    hello.queue_declare("hello", exclusive=True)
    assert (receiver.status(), receiver.out) == (1, WAITING * 2)
    assert re.fullmatch(re.escape(DELETED * 2) + r" \[!\] RESOURCE_LOCKED - .*\n", receiver.err)


def test_it_tells_of_each_outage_and_each_try_and_tries_after_five_seconds(receive, proxy):
    cable, tries, lost = proxy(), [], re.escape(LOST) + AGAIN
    receiver, cut = receive(url=cable.url), time.monotonic()
    cable.hear = lambda data: data.startswith(b"AMQP") and not tries.append(time.monotonic())  # nobody gets in any more
    cable.cut()
    refused = rf" \[!\] 127.0.0.1:{cable.port}, vhost test .*: no RabbitMQ answers there .*{AGAIN}"
    wait_for(lambda: re.fullmatch(lost + refused, receiver.err))
    cable.hear = lambda data: False
    wait_for(lambda: receiver.out == WAITING * 2)
    cable.cut()
    wait_for(lambda: receiver.out == WAITING * 3)
    assert re.fullmatch(f"{lost}({refused})+{lost}", receiver.err) and tries[0] - cut > 5
