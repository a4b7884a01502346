"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import contextlib
import re
import shlex

import brokers
import pytest
from conftest import STILL, WAITING, wait_for


@pytest.fixture(scope="session")
def nodes(request, tmp_path_factory):
    """Three RabbitMQ nodes, each on its own."""
    if request.config.broker != "native":
        pytest.skip("needs nodes of this machine, not of Docker")
    with contextlib.ExitStack() as stack:
        names = ("one", "two", "three")
        yield [stack.enter_context(brokers.running("native", name, tmp_path_factory.mktemp(name))) for name in names]


@pytest.fixture(scope="session")
def cluster(nodes):
    """The three nodes as a cluster, grown out of the first one, which had a message, as docs/cluster.md says."""
    brokers.fill(nodes[0].port, 1)
    for node in nodes[1:]:
        for words in (["stop_app"], ["reset"], ["join_cluster", nodes[0].name], ["start_app"]):
            node.rabbitmqctl(*words)
    page = (brokers.DOCS / "cluster.md").read_text(encoding="utf-8")
    for node, command in zip(nodes[1:], re.findall("^sudo rabbitmq-queues (.*)$", page, re.MULTILINE)):
        nodes[0].rabbitmq_queues(*shlex.split(re.sub(r"rabbit@\w+", node.name, command)))
    return nodes


@pytest.fixture
def url(cluster):
    """RABBITMQ_URL with all three nodes, which hold the queue again, and before them a host that is gone."""
    wait_for(lambda: cluster[0].rabbitmqctl("list_queues", "--silent", "online").count("@") == len(cluster))
    return "amqp://gone.invalid," + ", ".join(f"amqp://guest:guest@localhost:{node.port}" for node in cluster)


@pytest.fixture
def leader(cluster):
    """Tell which node leads the queue, as the first one says."""

    def leader():
        name = cluster[0].rabbitmqctl("list_queues", "--silent", "leader").strip()
        return next(node for node in cluster if node.name == name)

    return leader


@pytest.fixture
def refusals(cluster):
    """The line with which RabbitMQ 3 may refuse a message while a leader is elected, and none later on."""
    old = cluster[0].rabbitmqctl("version").startswith("3.")
    return [" [!] not sent: the queue may be full, or the nodes that hold it are down\n"] if old else []


def test_a_message_from_before_the_cluster_grew_survives_the_first_node(cluster, url, start):
    cluster[0].kill()
    try:
        receiver = start("receive.py", "--ack", url=url)
        wait_for(lambda: receiver.out == WAITING + " [x] Received '0'\n")
    finally:
        cluster[0].start()


def test_each_message_is_sent_and_received_though_three_leaders_are_killed_in_turn(
    cluster, url, leader, refusals, start, receive
):
    receiver = receive("--ack", url=url)
    sent = []

    def send(count):
        while count:
            message = f"message {len(sent)}"
            program = start("send.py", message, url=url)
            if program.status() == 0:
                sent.append(f" [x] Received '{message}'\n")
                count -= 1
            else:
                assert program.err in refusals

    for _ in range(3):
        send(5)
        killed = leader()
        killed.kill()
        send(15)
        killed.start()
    send(5)

    wait_for(lambda: all(line in receiver.out for line in sent))
    assert receiver.poll() is None


def test_without_a_majority_nothing_is_called_sent(cluster, url, refusals, start):
    assert start("send.py", url=url).status() == 0
    cluster[1].kill()
    cluster[2].kill()
    sender = start("send.py", url=url)
    try:
        wait_for(lambda: sender.err in [STILL, *refusals])
        assert sender.out == ""
        assert refusals or sender.poll() is None
    finally:
        sender.kill()
        cluster[1].start()
        cluster[2].start()
