"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import WAITING, Node, wait_for

REFUSED = " [!] RabbitMQ refused the message (is the queue full, or a node down?)\n"
# A node takes another one for down after this time (60 s unless set), and refuses a message some 5 s later.
TICK = "-kernel net_ticktime 8"  # seconds


@pytest.fixture(scope="module")
def cluster(kind, tmp_path_factory):
    """Three nodes that have found each other."""
    if kind != "native":
        pytest.skip("needs nodes of this machine, not of Docker")
    names = ["one", "two", "three"]
    peers = "".join(f"cluster_formation.classic_config.nodes.{each} = {each}@localhost\n" for each in names)
    settings = f"cluster_formation.peer_discovery_backend = classic_config\n{peers}"
    os.environ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = TICK
    nodes = [Node(name, tmp_path_factory.mktemp(name), settings) for name in names]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: node.start(), nodes))
        wait_for(lambda: len(nodes[0].api("GET", "nodes")) == 3)
        yield nodes
        list(pool.map(lambda node: node.remove(), nodes))


@pytest.fixture
def url(cluster):
    """RABBITMQ_URL with all three nodes, and before them a host that is gone."""
    return " ".join(["amqp://gone.invalid", *(node.url for node in cluster)])


def test_each_message_is_sent_and_received_though_three_leaders_are_killed_in_turn(cluster, url, start, receive):
    receiver = receive(url=url)
    sent = []

    def send(count):
        while count:
            message = f"message {len(sent)}"
            program = start("send.py", message, url=url)
            if program.status() == 0:
                sent.append(f" [x] Received '{message}'\n")
                count -= 1
            else:  # RabbitMQ 3 may refuse a message while a leader is elected
                assert program.err == REFUSED

    for _ in range(3):
        send(3)
        wait_for(lambda: all(line in receiver.out for line in sent))
        name = cluster[0].api("GET", "queues", "/", "hello")["leader"]
        leader = next(node for node in cluster if node.name == name)
        leader.kill()
        send(3)
        leader.start()
        wait_for(lambda: receiver.out.endswith(WAITING) or all(line in receiver.out for line in sent))
    send(3)
    wait_for(lambda: all(line in receiver.out for line in sent))


def test_without_a_majority_nothing_is_called_sent_and_receive_comes_back(cluster, url, start, receive):
    receiver = receive(url=url)
    assert start("send.py", "before", url=url).status() == 0
    wait_for(lambda: "'before'" in receiver.out)
    for node in cluster[1:]:
        node.kill()
    sender = start("send.py", "without", url=url)
    try:
        assert (sender.status(), sender.out, sender.err) == (1, "", REFUSED)
    finally:
        for node in cluster[1:]:
            node.start()
    wait_for(lambda: start("send.py", "after", url=url).status() == 0)
    wait_for(lambda: "'after'" in receiver.out)
    assert receiver.poll() is None
