"""What docker-compose.yml promises: what docker compose reads in it, and what RabbitMQ does for real."""

import json
import os
import shutil
import subprocess

import pytest
from machinery import PROJECT, Container, wait_for

COMPOSE = ["docker", "compose"]
VARIABLES = ["AMQP_PORT", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "RABBITMQ_IMAGE", "UI_PORT"]


@pytest.fixture
def config(tmp_path):
    """What docker compose reads in a folder whose name it would not take for its own. It takes no Docker engine."""
    if not shutil.which("docker") or subprocess.run([*COMPOSE, "version"], capture_output=True).returncode:
        pytest.skip("there is no docker compose here")
    folder = tmp_path / "学习"
    folder.mkdir()
    shutil.copy(PROJECT / "docker-compose.yml", folder)

    def config(image=""):
        (folder / ".env").write_text(image)
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        return json.loads(subprocess.check_output([*COMPOSE, "config", "--format=json"], cwd=folder, env=environment))

    return config


@pytest.fixture
def container(config, request):
    """The container of docker-compose.yml, under another name and on other ports."""
    image = config()["services"]["rabbitmq"]["image"]
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode:
        pytest.skip(f"no Docker engine answers, or it does not have {image} yet")
    container = Container("hello-compose")
    request.addfinalizer(container.remove)
    container.start()
    return container


def test_only_this_machine_gets_in_and_the_file_env_can_name_the_image_of_a_mirror(config):
    usual, mirror = config(), config("RABBITMQ_IMAGE=mirror.example.com/rabbitmq")
    ports = [(port["host_ip"], port["published"]) for port in usual["services"]["rabbitmq"]["ports"]]
    assert (usual["name"], ports) == ("hello-world", [("127.0.0.1", "5672"), ("127.0.0.1", "15672")])
    assert usual["services"]["rabbitmq"]["image"] == "docker.io/library/rabbitmq:4-management"
    assert mirror["services"]["rabbitmq"]["image"] == "mirror.example.com/rabbitmq"


def test_a_message_survives_down_and_up_and_the_management_page_shows_its_queue(container, send, receive):
    send("from before", url=container.url)
    queue = container.api("GET", "queues", "/", "hello")
    assert (queue["type"], queue["durable"]) == ("quorum", True)
    subprocess.run([*COMPOSE, "down"], cwd=PROJECT, env=container.environment, check=True)
    container.start()
    receiver = receive(url=container.url)
    wait_for(lambda: receiver.out.endswith("\n [x] Received 'from before'\n"))
