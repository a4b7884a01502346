"""docker-compose.yml: RabbitMQ in Docker, for this machine only, whose messages survive."""

import json
import os
import shutil
import subprocess

import pytest
from support.broker import COMPOSE, COMPOSE_IMAGE, Container, docker_has_the_image
from support.project import PROJECT


@pytest.fixture
def read_compose_file():
    """Return docker-compose.yml as Compose reads it, with these variables set."""
    if not shutil.which("docker"):
        pytest.skip("there is no Docker here")

    def read(**variables):
        environment = {**os.environ, "AMQP_PORT": "", "UI_PORT": "", **variables}
        words = [*COMPOSE, "config", "--format=json"]
        return json.loads(subprocess.check_output(words, cwd=PROJECT, env=environment))

    return read


@pytest.fixture
def container():
    """The RabbitMQ of docker-compose.yml, running, and removed when the test ends."""
    if not docker_has_the_image():
        pytest.skip(f"no Docker engine answers, or it does not have {COMPOSE_IMAGE} yet")
    container = Container("hello-compose")
    try:
        container.start()
        yield container
    finally:
        container.remove()


def test_a_message_survives_down_and_up(container, run_send, start_receive):
    run_send("from before", url=container.url())

    container.compose("down")
    container.start()

    receiver = start_receive(url=container.url())
    receiver.wait_for_out(" [x] Received 'from before'\n")


def test_only_this_machine_gets_in(read_compose_file):
    service = read_compose_file()["services"]["rabbitmq"]

    ports = [(port["host_ip"], port["published"], port["target"]) for port in service["ports"]]
    assert ports == [("127.0.0.1", "5672", 5672), ("127.0.0.1", "15672", 15672)]


def test_the_ports_can_be_others(read_compose_file):
    service = read_compose_file(AMQP_PORT="5673", UI_PORT="15673")["services"]["rabbitmq"]

    assert [port["published"] for port in service["ports"]] == ["5673", "15673"]


def test_the_image_is_the_official_one(read_compose_file):
    assert read_compose_file(RABBITMQ_IMAGE="")["services"]["rabbitmq"]["image"] == COMPOSE_IMAGE


def test_the_image_can_come_from_a_mirror(read_compose_file):
    compose_file = read_compose_file(RABBITMQ_IMAGE="mirror.example.com/rabbitmq")

    assert compose_file["services"]["rabbitmq"]["image"] == "mirror.example.com/rabbitmq"


def test_its_name_does_not_depend_on_the_folder(read_compose_file):
    assert read_compose_file()["name"] == "hello-world"
