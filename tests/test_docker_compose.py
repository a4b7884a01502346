"""What docker-compose.yml promises: what docker compose reads in it, and for real with --broker docker."""

import json
import os
import shutil
import subprocess
import urllib.request

import brokers
import pytest
from conftest import WAITING, wait_for

VARIABLES = ["AMQP_PORT", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "RABBITMQ_IMAGE", "UI_PORT"]


@pytest.fixture
def config(tmp_path):
    """What docker compose reads in a folder whose name it would not take for its own. It takes no Docker engine."""
    folder = tmp_path / "学习"
    folder.mkdir()
    shutil.copy(brokers.PROJECT / "docker-compose.yml", folder)
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}

    def config(image=None, **environment):
        (folder / ".env").write_text(f"RABBITMQ_IMAGE={image}\n" if image else "")
        command = ["docker", "compose", "config", "--format", "json"]
        return json.loads(subprocess.check_output(command, cwd=folder, env={**kept, **environment}))

    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("there is no docker compose here")
    return config


def test_rabbitmq_and_its_page_are_open_to_this_machine_only(config):
    ports = config()["services"]["rabbitmq"]["ports"]
    found = [(port["host_ip"], port["published"], port["target"]) for port in ports]
    assert found == [("127.0.0.1", "5672", 5672), ("127.0.0.1", "15672", 15672)]


def test_the_project_has_its_own_name_unless_the_environment_gives_another(config):
    assert config()["name"] == "hello-world"
    assert config(COMPOSE_PROJECT_NAME="hello-tests")["name"] == "hello-tests"


def test_the_file_env_can_name_the_image_of_a_mirror(config):
    assert config()["services"]["rabbitmq"]["image"] == "rabbitmq:4-management"
    mirror = "mirror.example.com/library/rabbitmq:4-management"
    assert config(mirror)["services"]["rabbitmq"]["image"] == mirror


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
