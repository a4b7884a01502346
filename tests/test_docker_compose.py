"""What docker-compose.yml promises: checked as text everywhere, and for real with --broker docker."""

import json
import urllib.request

import brokers
import pytest
from conftest import WAITING, wait_for


def test_rabbitmq_is_open_to_this_machine_only_and_keeps_its_data():
    text = (brokers.PROJECT / "docker-compose.yml").read_text()
    ports = [line.strip(' -"') for line in text.splitlines() if ":5672" in line or ":15672" in line]
    assert ports == ["127.0.0.1:${AMQP_PORT:-5672}:5672", "127.0.0.1:${UI_PORT:-15672}:15672"]
    for setting in (
        "image: ${RABBITMQ_IMAGE:-rabbitmq:4-management}",
        "hostname: rabbitmq",
        "- data:/var/lib/rabbitmq",
        "rabbitmq-diagnostics -q check_port_connectivity",
    ):
        assert setting in text


@pytest.fixture
def container(broker):
    """The broker, if it is the container of docker-compose.yml."""
    if not isinstance(broker, brokers.DockerBroker):
        pytest.skip("needs --broker docker")
    return broker


def test_a_message_survives_down_and_up(container, send, receive):
    send("from before")
    container.compose("down")
    container.start()
    receiver = receive()
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'from before'\n")


def test_the_management_page_shows_the_queue(container, send):
    send()
    page = f"http://localhost:{container.ui_port}"
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, page, "guest", "guest")
    browser = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    queue = json.load(browser.open(f"{page}/api/queues/%2F/hello"))
    assert (queue["name"], queue["type"], queue["durable"]) == ("hello", "quorum", True)
