"""What someone sees who lists three nodes of a RabbitMQ cluster in RABBITMQ_URL."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from machinery import REFUSED, Node, wait_for

TICK = " -kernel net_ticktime 8"  # seconds, not 60: how long a node is silent until it is taken for down


@pytest.fixture
def cluster(pytestconfig, tmp_path_factory):
    """Three nodes that have found each other, and a RABBITMQ_URL with all of them, and before them a host that is gone."""
    if pytestconfig.kind != "native":
        pytest.skip("needs nodes of this machine, not of Docker")
    os.environ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] += TICK
    settings = "cluster_formation.peer_discovery_backend = classic_config\n"
    for name in (names := ["one", "two", "three"]):
        settings += f"cluster_formation.classic_config.nodes.{name} = {name}@localhost\n"
    nodes = [Node(name, tmp_path_factory.mktemp(name), settings) for name in names]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: node.start(), nodes))
        wait_for(lambda: len(nodes[0].api("GET", "nodes")) == 3)
        yield nodes, " ".join(["amqp://gone.invalid", *(node.url for node in nodes)])
        list(pool.map(lambda node: node.remove(), nodes))


def test_a_killed_leader_loses_no_message_and_without_a_majority_nothing_is_called_sent(cluster, send, receive):
    nodes, url = cluster
    receiver, sent = receive(url=url), []

    def sends():
        message = f"message {len(sent)}"
        while (sender := send(message, url=url)).returncode:
            assert (sender.out, sender.err) == ("", REFUSED)  # as RabbitMQ 3 may, while a leader is elected
        sent.append(f" [x] Received {message!r}\n")

    sends()
    wait_for(lambda: sent[0] in receiver.out)
    leader = nodes[0].api("GET", "queues", "/", "hello")["leader"]
    (killed,) = (node for node in nodes if node.name == leader)
    killed.kill()
    for _ in range(4):
        sends()
    wait_for(lambda: all(line in receiver.out for line in sent))

    (another, _) = (node for node in nodes if node is not killed)
    another.kill()
    sender = send("without a majority", url=url)
    assert (sender.out, sender.err, sender.returncode) == ("", REFUSED, 1)
    killed.start()
    sends()
    wait_for(lambda: all(line in receiver.out for line in sent))
