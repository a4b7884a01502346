"""What someone sees whose connection is cut after any number of bytes: the truth, and no message is lost."""

import concurrent.futures
import queue
import re
import signal

import pika
import pytest
from conftest import QUEUE, STOP, WAITING, wait_for

AT_A_TIME = 4  # runs, each in a virtual host of its own
MESSAGES = ["one", "two", "three", "four", "five"]


@pytest.fixture
def vhosts(broker):
    """The URLs of so many virtual hosts, to be taken and given back."""
    names = [f"cuts{number}" for number in range(AT_A_TIME)]
    urls = queue.Queue()
    for name in names:
        broker.rabbitmqctl("add_vhost", name)
        broker.rabbitmqctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        urls.put(f"amqp://guest:guest@127.0.0.1:{{}}/{name}")
    yield urls
    for name in names:
        broker.rabbitmqctl("delete_vhost", name)


@pytest.fixture
def cut_everywhere(request, broker, proxy, vhosts):
    """Call check(url, channel) with connections that are cut after so many bytes; first with one that is not cut."""
    step = 1 if request.config.getoption("every_byte") else 53

    def run(check, *limits):
        between, url = proxy(None, limits), vhosts.get()
        try:
            with pika.BlockingConnection(pika.URLParameters(url.format(broker.port))) as connection:
                channel = connection.channel()
                channel.queue_declare(**QUEUE)
                channel.queue_purge("hello")
                check(url.format(between.port), channel)
        finally:
            vhosts.put(url)
            between.close(between.server, *between.sockets)
        return between.passed

    def cut_everywhere(check):
        to_broker, from_broker = map(len, run(check, None, None))
        cuts = [(number, None) for number in range(1, to_broker + 1, step)]
        cuts += [(None, number) for number in range(1, from_broker + 1, step)]
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            runs = {cut: pool.submit(run, check, *cut) for cut in cuts}
        assert {cut: done.exception() for cut, done in runs.items() if done.exception()} == {}
        print(f"{len(cuts)} cuts")

    return cut_everywhere


def test_sent_is_in_the_queue_and_what_may_be_there_is_called_so(cut_everywhere, start):
    def check(url, channel):
        sender = start("send.py", url=url)
        sender.status()
        body = channel.basic_get("hello", auto_ack=True)[2]
        if sender.returncode == 0:
            assert (sender.out, sender.err, body) == (" [x] Sent 'Hello World!'\n", "", b"Hello World!")
        else:
            assert (sender.returncode, sender.out) == (1, "")
            maybe = "the connection was lost; the message may or may not have arrived"
            assert re.fullmatch(rf" \[!\] (127.0.0.1:\d+: no RabbitMQ answers there|{maybe})\n", sender.err)
            assert body is None or maybe in sender.err

    cut_everywhere(check)


def test_all_messages_are_printed_in_whole_lines(cut_everywhere, start):
    received = [f" [x] Received {message!r}\n" for message in MESSAGES]

    def check(url, channel):
        for message in MESSAGES:
            channel.basic_publish(exchange="", routing_key="hello", body=message.encode())
        receiver = start("receive.py", "--ack", url=url)
        wait_for(lambda: receiver.poll() is not None or all(line in receiver.out for line in received))
        if receiver.poll() is not None:  # it was cut before it has ever waited
            assert (receiver.returncode, receiver.out) == (1, "")
            assert re.fullmatch(
                r" \[!\] (127.0.0.1:\d+: no RabbitMQ answers there|the connection was lost)\n", receiver.err
            )
            wait_for(lambda: channel.queue_declare("hello", passive=True).method.message_count == len(MESSAGES))
            return
        receiver.terminate()
        assert receiver.status(STOP) == -signal.SIGTERM
        assert set(receiver.out.splitlines(keepends=True)) == {WAITING, *received}
        assert receiver.err in ("", " [!] the connection was lost; connecting again\n")

    cut_everywhere(check)
