"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import Node, wait_for

REFUSED = " [!] RabbitMQ refused the message (is the queue full, or a node down?)\n"
# After this time (60 s unless set) a node takes another one for down; 5 s later it refuses a message.
TICK = "-kernel net_ticktime 8"  # seconds


@pytest.fixture(scope="module")
def cluster(pytestconfig, tmp_path_factory):
    """Three nodes that have found each other."""
    if pytestconfig.shared["kind"] != "native":
        pytest.skip("needs nodes of this machine, not of Docker")
    names = ["one", "two", "three"]
    peers = "".join(f"cluster_formation.classic_config.nodes.{name} = {name}@localhost\n" for name in names)
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


def test_each_message_is_sent_and_received_though_three_leaders_are_killed_in_turn(cluster, url, send, receive):
    receiver, sent = receive(url=url), []

    def sends(count):
        while count:
            sender = send(f"message {len(sent)}", url=url)
            if sender.returncode == 0:
                sent.append(f" [x] Received 'message {len(sent)}'\n")
                count -= 1
            else:  # RabbitMQ 3 may refuse a message while a leader is elected
                assert (sender.out, sender.err) == ("", REFUSED)

    for _ in range(3):
        sends(3)
        wait_for(lambda: all(line in receiver.out for line in sent))
        leader = cluster[0].api("GET", "queues", "/", "hello")["leader"]
        (killed,) = (node for node in cluster if node.name == leader)
        killed.kill()
        sends(3)
        killed.start()
    wait_for(lambda: all(line in receiver.out for line in sent))


def test_without_a_majority_nothing_is_called_sent_and_receive_comes_back(cluster, url, send, receive):
    receiver = receive(url=url)
    assert send("before", url=url).returncode == 0
    wait_for(lambda: "'before'" in receiver.out)
    for node in cluster[1:]:
        node.kill()
    sender = send("without", url=url)
    for node in cluster[1:]:
        node.start()
    assert (sender.out, sender.err, sender.returncode) == ("", REFUSED, 1)
    wait_for(lambda: send("after", url=url).returncode == 0)
    wait_for(lambda: "'after'" in receiver.out)
    assert receiver.poll() is None
