"""Three nodes of a RabbitMQ cluster, all in RABBITMQ_URL: one may die, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.broker import ERLANG_OPTIONS, Node
from support.errors import the_only_line
from support.waiting import wait_until

NAMES = ["one", "two", "three"]
TICK = " -kernel net_ticktime 8"  # seconds, not 60: how long a node is silent until it is down
REFUSED = "RabbitMQ refused the message (NackError)"


class Cluster:
    """Three nodes of this machine, which have found each other."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.url = " ".join(["amqp://gone.invalid", *(node.url() for node in nodes)])

    def start_all(self):
        stopped = [node for node in self.nodes if not node.is_running()]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Node.start, stopped))
        wait_until(self.running_nodes, lambda names: len(names) == 3, "three running nodes")

    def running_nodes(self):
        nodes = self.nodes[0].api("GET", "nodes")
        return [node["name"] for node in nodes if node["running"]]

    def leader(self):
        """Return the node that leads the queue hello."""
        name = self.nodes[0].api("GET", "queues", "/", "hello")["leader"]
        return next(node for node in self.nodes if node.name == name)

    def followers(self):
        leader = self.leader()
        return [node for node in self.nodes if node is not leader]


@pytest.fixture(scope="module")
def three_nodes(broker_kind, epmd_port, tmp_path_factory):
    """A cluster that is killed when the tests of this file end."""
    if broker_kind != "native":
        pytest.skip("needs nodes of this machine, not of Docker")
    settings = "cluster_formation.peer_discovery_backend = classic_config\n"
    for name in NAMES:
        settings += f"cluster_formation.classic_config.nodes.{name} = {name}@localhost\n"
    home = tmp_path_factory.mktemp("home")
    nodes = []
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        nodes.append(Node(name, folder, epmd_port, home, settings, ERLANG_OPTIONS + TICK))
    yield Cluster(nodes)
    for node in nodes:
        node.kill()


@pytest.fixture
def cluster(three_nodes):
    """A cluster whose three nodes all run: those that a test has killed are started again."""
    three_nodes.start_all()
    return three_nodes


@pytest.fixture
def send_until_accepted(cluster, run_send):
    """Send a message, again if it is refused, as RabbitMQ 3 may while a leader is elected."""

    def send(message):
        sender = run_send(message, url=cluster.url)
        while sender.status != 0:
            assert the_only_line(sender) == REFUSED
            sender = run_send(message, url=cluster.url)

    return send


def test_a_leader_that_is_killed_loses_no_message(cluster, send_until_accepted, start_receive):
    receiver = start_receive(url=cluster.url)
    send_until_accepted("before")
    receiver.wait_for_out("'before'")

    cluster.leader().kill()

    messages = [f"after {number}" for number in range(4)]
    for message in messages:
        send_until_accepted(message)
    for message in messages:
        receiver.wait_for_out(f" [x] Received {message!r}\n")


def test_without_a_majority_nothing_is_sent_until_there_is_one_again(
    cluster, run_send, send_until_accepted, start_receive
):
    receiver = start_receive(url=cluster.url)
    send_until_accepted("while all are up")
    receiver.wait_for_out("'while all are up'")
    killed = cluster.followers()
    for node in killed:
        node.kill()

    line = the_only_line(run_send("without a majority", url=cluster.url))
    assert line == REFUSED

    killed[0].start()
    send_until_accepted("with a majority again")
    receiver.wait_for_out(" [x] Received 'with a majority again'\n")
