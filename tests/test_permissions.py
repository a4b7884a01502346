"""What RabbitMQ says to those whom it does not let in, or does not let do something."""

import pytest
from support.errors import the_error_line, the_only_line

PROGRAMS = ["send.py", "receive.py"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_password_is_wrong(run_python, server, program):
    url = f"amqp://learner:s3cret@localhost:{server.port}"

    line = the_only_line(run_python(program, url=url))

    assert line.startswith(
        f"cannot connect to localhost:{server.port}: RabbitMQ did not let us in "
        "(ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused"
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_virtual_host_is_not_there(run_python, broker, program):
    line = the_only_line(run_python(program, url=f"{broker.url}2"))

    assert line.startswith(f"cannot connect to localhost:{broker.port}: RabbitMQ did not let us in")
    assert f"NOT_ALLOWED - vhost {broker.name}2 not found" in line


def test_a_second_slash_is_a_virtual_host_without_a_name(run_send, server):
    line = the_only_line(run_send(url=f"amqp://localhost:{server.port}//"))

    assert "NOT_ALLOWED - vhost not found" in line


def test_the_user_has_no_permission_in_the_virtual_host(run_send, broker):
    broker.api("DELETE", "permissions", broker.name, "guest")

    line = the_only_line(run_send())

    assert f"NOT_ALLOWED - access to vhost '{broker.name}' refused for user 'guest'" in line


def test_the_virtual_host_takes_no_more_connections(run_send, broker):
    broker.set_limit("max-connections", 0)

    line = the_only_line(run_send())

    assert "NOT_ALLOWED - access to vhost" in line
    assert "connection limit (0) is reached" in line


@pytest.fixture
def user_without_connections(broker):
    """A user who may have no connection at all."""
    broker.api("PUT", "users", "limited", password="s3cret", tags="")
    broker.api("PUT", "permissions", broker.name, "limited", configure="", write="", read="")
    broker.api("PUT", "user-limits", "limited", "max-connections", value=0)
    yield
    broker.api("DELETE", "users", "limited")


def test_the_user_may_have_no_more_connections(run_send, broker, user_without_connections):
    url = broker.url.replace("guest:guest", "limited:s3cret")

    line = the_only_line(run_send(url=url))

    assert "NOT_ALLOWED - connection refused for user 'limited'" in line


def test_the_virtual_host_takes_no_more_queues(run_send, broker):
    broker.set_limit("max-queues", 0)

    line = the_only_line(run_send())

    assert line.startswith("PRECONDITION_FAILED - cannot declare queue 'hello': queue limit ")


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_user_may_not_configure_the_queue(run_python, broker, program):
    broker.allow_guest(configure="^$")

    line = the_only_line(run_python(program))

    assert line.startswith("ACCESS_REFUSED - ")
    assert f"access to queue 'hello' in vhost '{broker.name}' refused for user 'guest'" in line


def test_the_user_may_not_write_to_the_exchange(run_send, broker):
    broker.allow_guest(write="^$")

    line = the_only_line(run_send())

    assert line.startswith("ACCESS_REFUSED - ")
    assert f"in vhost '{broker.name}' refused for user 'guest'" in line
    assert "exchange" in line


def test_the_user_may_not_read_from_the_queue(run_python, broker):
    broker.allow_guest(read="^$")

    receiver = run_python("receive.py")

    line = the_error_line(receiver)
    assert receiver.status == 1
    assert line.startswith("ACCESS_REFUSED - ")
    assert f"access to queue 'hello' in vhost '{broker.name}' refused for user 'guest'" in line
