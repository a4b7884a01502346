"""What docker-compose.yml promises: RabbitMQ in Docker, for this machine only, whose messages survive."""

import json
import os
import shutil
import subprocess

import pytest
from machinery import COMPOSE, PROJECT, running, wait_for

IMAGE = "docker.io/library/rabbitmq:4-management"


@pytest.mark.skipif(not shutil.which("docker"), reason="there is no Docker here")
def test_a_message_survives_and_only_this_machine_gets_in_and_the_image_can_come_from_a_mirror(send, receive):
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode:
        pytest.skip(f"no Docker engine answers, or it does not have {IMAGE} yet")

    variables = {**os.environ, "AMQP_PORT": "", "UI_PORT": "", "RABBITMQ_IMAGE": "mirror.example.com/rabbitmq"}
    config = json.loads(subprocess.check_output([*COMPOSE, "config", "--format=json"], cwd=PROJECT, env=variables))
    service, here = config["services"]["rabbitmq"], "127.0.0.1"
    assert [(port["host_ip"], port["published"]) for port in service["ports"]] == [(here, "5672"), (here, "15672")]
    assert (config["name"], service["image"]) == ("hello-world", "mirror.example.com/rabbitmq")

    with running("docker", "hello-compose") as container:
        send("from before", url=container.url)
        subprocess.run([*COMPOSE, "down"], cwd=PROJECT, env=container.environment, check=True)
        container.start()
        receiver = receive(url=container.url)
        wait_for(lambda: receiver.out.endswith("\n [x] Received 'from before'\n"))
