"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import signal

import pytest
from conftest import WAITING, wait_for

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


def test_no_message_called_sent_is_lost_though_the_leaders_are_killed(cluster, url, leader, start):
    receiver = start("receive.py", "--ack", url=url)
    wait_for(lambda: receiver.out == WAITING)
    sent, refused = [], []

    def send(count):
        for _ in range(count):
            message = f"message {len(sent) + len(refused)}"
            program = start("send.py", message, url=url)
            (sent if program.status(90) == 0 else refused).append(message)
            assert ("Sent" in program.out) == (program.returncode == 0)

    send(5)
    first = leader(cluster[0])
    first.kill()
    send(15)
    first.start()
    send(5)
    second = leader(first)
    assert second is not first
    second.kill()
    send(15)
    second.start()
    send(5)

    wait_for(lambda: all(f" [x] Received {message!r}\n" in receiver.out for message in sent))
    receiver.send_signal(signal.SIGINT)
    assert receiver.status(2) == 0
    assert len(refused) <= 5, refused


def test_without_a_majority_nothing_is_called_sent(cluster, url, start):
    assert start("send.py", url=url).status(90) == 0
    cluster[1].kill()
    cluster[2].kill()
    sender = start("send.py", url=url)
    assert sender.status(90) == 1
    assert sender.out == ""
    assert sender.err.startswith(" [!] ") and sender.err.count("\n") == 1
    cluster[1].start()
    cluster[2].start()


def test_when_no_node_can_be_reached_one_line_names_them_all(start):
    sender = start("send.py", url="amqp://localhost:1,amqp://localhost:2/%2F,amqp://nowhere.invalid:3")
    assert sender.status() == 1
    assert sender.err.count("\n") == 1
    assert all(node in sender.err for node in ("localhost:1", "localhost:2", "nowhere.invalid:3"))
