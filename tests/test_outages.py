"""receive.py and a connection that is lost: why, in one line, and messages again later."""

import re
import signal
from datetime import datetime, timezone

import pika
from support.errors import the_error_line
from support.project import AGAIN, LOST_LINE, PIKA_IS_1_4, RECEIVED, WAITING

PRINTS = '        print(f" [x] Received {text!r}", flush=True)\n'


def close_connections_of(broker, reason):
    """Close the connections of a virtual host, as an operator does."""
    broker.rabbitmqctl("close_all_connections", "--vhost", broker.name, reason)


class InMilliseconds(datetime):
    """A time as some clients write it into a header. AMQP has seconds: it is the year 58118."""

    def utctimetuple(self):
        return (1970, 1, 1, 0, 0, int(self.timestamp()) * 1000)


def test_it_connects_again_and_prints_what_comes_later(start_receive, proxy, hello_queue):
    receiver = start_receive(url=proxy.url)

    proxy.cut()

    receiver.wait_for_out(WAITING, times=2)
    assert re.fullmatch(LOST_LINE, receiver.err)
    hello_queue.publish("Hello World!")
    receiver.wait_for_out(RECEIVED)
    assert receiver.out == WAITING + WAITING + RECEIVED


def test_it_tells_of_each_try_and_tries_every_five_seconds(start_receive, proxy):
    receiver = start_receive(url=proxy.url)
    proxy.let_nobody_in()

    proxy.cut()
    receiver.wait_for_err("no RabbitMQ answers", times=2)
    proxy.let_in()
    receiver.wait_for_out(WAITING, times=2)

    refused = (
        rf" \[!\] cannot connect to 127\.0\.0\.1:{proxy.port}: "
        r"something listens there, but no RabbitMQ answers \(.+\)" + re.escape(AGAIN)
    )
    assert re.fullmatch(f"{LOST_LINE}({refused}){{2,}}", receiver.err)
    first_try, second_try = proxy.accepted_at[1:3]
    assert second_try - first_try >= 5


def test_it_comes_back_after_each_of_two_outages(start_receive, proxy):
    receiver = start_receive(url=proxy.url)

    proxy.cut()
    receiver.wait_for_out(WAITING, times=2)
    proxy.cut()
    receiver.wait_for_out(WAITING, times=3)

    assert re.fullmatch(f"{LOST_LINE}{LOST_LINE}", receiver.err)


def test_it_comes_back_after_it_was_frozen_past_its_heartbeat(
    start_receive, run_send, broker, hello_queue
):
    receiver = start_receive(url=f"{broker.url}?heartbeat=2")
    hello_queue.wait_for_consumers(1)

    receiver.send_signal(signal.SIGSTOP)
    hello_queue.wait_for_consumers(0)
    receiver.send_signal(signal.SIGCONT)

    receiver.wait_for_out(WAITING, times=2)
    assert re.fullmatch(LOST_LINE, receiver.err)
    run_send()
    receiver.wait_for_out(RECEIVED)


def test_what_rabbitmq_has_not_implemented_ends_it(start_receive, changed_copy, hello_queue):
    """RabbitMQ closes the whole connection for that, and would do so again."""
    path = changed_copy("receive.py", (PRINTS, f"{PRINTS}        ch.basic_qos(prefetch_size=1)\n"))
    receiver = start_receive(path)

    hello_queue.publish("Hello World!")

    assert receiver.wait_for_end() == 1
    assert the_error_line(receiver).startswith("NOT_IMPLEMENTED - prefetch_size")


def test_an_operator_who_closes_the_connection_is_waited_out(start_receive, broker, hello_queue):
    receiver = start_receive()
    hello_queue.wait_for_consumers(1)

    close_connections_of(broker, "an operator")

    receiver.wait_for_out(WAITING, times=2)
    assert receiver.err == f" [!] CONNECTION_FORCED - an operator{AGAIN}"


def test_it_does_not_wait_for_a_queue_that_another_program_has_meanwhile(
    start_receive, proxy, hello_queue
):
    receiver = start_receive(url=proxy.url)

    proxy.let_nobody_in()
    proxy.cut()
    hello_queue.wait_for_consumers(0)
    hello_queue.delete()
    hello_queue.declare(exclusive=True)
    proxy.let_in()

    assert receiver.wait_for_end() == 1
    assert "RESOURCE_LOCKED" in receiver.err.splitlines()[-1]


def test_the_cause_is_told_if_pika_cannot_read_a_message(start_receive, hello_queue):
    """pika 1.4 cannot read such a header, and calls it a lost connection; pika 1.5 can."""
    receiver = start_receive()

    headers = {"sent": InMilliseconds(2026, 2, 24, tzinfo=timezone.utc)}
    hello_queue.channel.basic_publish("", "hello", "late", pika.BasicProperties(headers=headers))

    if PIKA_IS_1_4:
        receiver.wait_for_err("58118")
        assert "year 58118 is out of range" in receiver.err or (
            "year must be in 1..9999, not 58118" in receiver.err  # since Python 3.14
        )
        assert re.fullmatch(LOST_LINE, receiver.err)
    else:
        receiver.wait_for_out(" [x] Received 'late'\n")
        assert receiver.err == ""


def test_a_sender_whose_connection_is_lost_ends(run_send, proxy):
    proxy.when_client_sends(b"hello", proxy.cut)

    sender = run_send(url=proxy.url)

    assert sender.status == 1
    assert the_error_line(sender).startswith("the connection was lost")
