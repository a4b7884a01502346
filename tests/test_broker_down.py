"""What someone sees when RabbitMQ itself is stopped and started, or lacks memory."""

import re
import time

import pytest
from support.broker import VirtualHost
from support.errors import the_only_line
from support.project import AGAIN, SENT, WAITING


@pytest.fixture(scope="module")
def own_server(make_server):
    """A RabbitMQ that only these tests use."""
    server = make_server("hello-down")
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def broker(own_server):
    """A virtual host of it, in place of the one of conftest.py."""
    vhost = VirtualHost(own_server, "test")
    vhost.create()
    yield vhost
    vhost.delete()


@pytest.fixture
def memory_alarm(own_server):
    """RabbitMQ believes that it lacks memory, until the test ends or end_memory_alarm()."""
    own_server.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    yield
    end_memory_alarm(own_server)


def end_memory_alarm(server):
    server.rabbitmqctl("set_vm_memory_high_watermark", "0.6")


def test_receive_comes_back_when_rabbitmq_was_stopped_and_started(
    own_server, start_receive, run_send
):
    receiver = start_receive()
    run_send("before")
    receiver.wait_for_out(" [x] Received 'before'\n")

    own_server.stop()
    own_server.start()

    receiver.wait_for_out(WAITING, times=2)
    run_send("after")
    receiver.wait_for_out(" [x] Received 'after'\n")
    first, *others = receiver.err.splitlines(keepends=True)
    assert first == (
        " [!] CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'; "
        "connecting again in 5 seconds\n"
    )
    for line in others:
        assert re.fullmatch(rf" \[!\] cannot connect to localhost:\d+: .*{AGAIN}", line)


def test_send_gives_up_after_ten_seconds_without_memory(hello_queue, memory_alarm, run_send):
    start = time.monotonic()

    line = the_only_line(run_send())

    assert line.startswith("RabbitMQ lacks memory or disk; messages may still arrive (")
    assert time.monotonic() - start > 10


def test_zero_seconds_in_the_url_stay_zero(broker, hello_queue, memory_alarm, run_send):
    """For pika, 0 is no wait at all."""
    start = time.monotonic()

    line = the_only_line(run_send(url=f"{broker.url}?blocked_connection_timeout=0"))

    assert line.startswith("RabbitMQ lacks memory or disk; messages may still arrive (")
    assert time.monotonic() - start < 10


def test_send_waits_as_long_as_the_url_says(
    own_server, broker, hello_queue, memory_alarm, start_python
):
    sender = start_python("send.py", url=f"{broker.url}?blocked_connection_timeout=90")
    time.sleep(11)
    assert sender.is_running

    end_memory_alarm(own_server)

    assert sender.wait_for_end() == 0
    assert sender.out == SENT
    assert sender.err == ""
