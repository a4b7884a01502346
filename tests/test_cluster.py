"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import re
import signal

import pytest
from conftest import STOP, WAITING, wait_for

pytestmark = pytest.mark.cluster


@pytest.fixture
def url(cluster):
    """RABBITMQ_URL with all three nodes, and before them a host that is gone."""
    return "amqp://gone.invalid," + ", ".join(f"amqp://guest:guest@localhost:{node.port}" for node in cluster)


@pytest.fixture
def leader(cluster):
    """Tell which node leads the queue, as the node `asked` says."""

    def leader(asked):
        name = asked.rabbitmqctl("list_queues", "--silent", "leader").strip()
        return next(node for node in cluster if node.name == name)

    return leader


def test_each_message_is_sent_and_received_though_three_leaders_are_killed_in_turn(cluster, url, leader, start):
    receiver = start("receive.py", "--ack", url=url)
    wait_for(lambda: receiver.out == WAITING)
    sent, killed = [], []

    def send(count):
        for number in range(len(sent), len(sent) + count):
            program = start("send.py", f"message {number}", url=url)
            assert program.status() == 0, program.err
            sent.append(f" [x] Received 'message {number}'\n")

    while len(killed) < 3:
        send(5)
        killed.append(leader(cluster[0]))
        killed[-1].kill()
        send(15)
        killed[-1].start()
    send(5)

    wait_for(lambda: all(line in receiver.out for line in sent))
    receiver.send_signal(signal.SIGINT)
    assert receiver.status(STOP) == 0


def test_without_a_majority_nothing_is_called_sent(cluster, url, start):
    assert start("send.py", url=url).status() == 0
    cluster[1].kill()
    cluster[2].kill()
    sender = start("send.py", url=url)
    try:
        assert sender.status() == 1
        assert sender.out == ""
        assert re.fullmatch(r"( \[!\] no confirm yet, .*\n)? \[!\] .*\n", sender.err)
    finally:
        cluster[1].start()
        cluster[2].start()


def test_when_no_node_can_be_reached_one_line_names_them_all(start):
    sender = start("send.py", url="amqp://localhost:1,amqp://localhost:2/%2F,amqp://nowhere.invalid:3")
    assert sender.status() == 1
    assert sender.err.count("\n") == 1
    assert all(node in sender.err for node in ("localhost:1", "localhost:2", "nowhere.invalid:3"))
