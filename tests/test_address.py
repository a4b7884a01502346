"""RABBITMQ_URL: where it leads, and the line that says what is wrong there or in it."""

import re
import socket

import pytest
from support.errors import PASSWORD, the_only_line
from support.project import PIKA_IS_1_4, SENT

WRITE_IT_SO = (
    "RABBITMQ_URL: write amqp://user:password@host:port/vhost?options "
    "(in a name or password, / as %2F, ? as %3F, # as %23, @ as %40)"
)


def test_nothing_listens_there(run_send):
    line = the_only_line(run_send(url="amqp://learner:s3cret@localhost:1/team"))

    assert re.fullmatch(r"cannot connect to localhost:1: \[Errno \d+\] Connection refused", line)


def test_receive_ends_as_well_if_nothing_listens_from_the_start(run_python):
    line = the_only_line(run_python("receive.py", url="amqp://learner:s3cret@localhost:1"))

    assert line.startswith("cannot connect to localhost:1: ")
    assert "again" not in line


def test_the_host_is_unknown(run_send):
    line = the_only_line(run_send(url="amqp://learner:s3cret@no-such-host.invalid"))

    assert re.fullmatch(
        r"cannot connect to no-such-host\.invalid:5672: \[Errno -?\d+\] [\w ,]+", line
    )


def test_something_that_is_no_rabbitmq_listens_there(run_send, server):
    line = the_only_line(run_send(url=f"amqp://learner:s3cret@localhost:{server.management_port}"))

    assert line.startswith(
        f"cannot connect to localhost:{server.management_port}: "
        "something listens there, but no RabbitMQ answers ("
    )


def test_what_listens_there_says_nothing(run_send):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        line = the_only_line(
            run_send(url=f"amqp://learner:s3cret@localhost:{port}/?stack_timeout=2")
        )

    assert line.startswith(
        f"cannot connect to localhost:{port}: something listens there, but does not answer ("
    )


def test_no_node_lets_us_in_and_the_line_says_why_for_each(run_send):
    urls = "amqp://learner:s3cret@no-such-host.invalid  amqp://localhost:1"

    line = the_only_line(run_send(url=urls))

    assert re.fullmatch(
        r"cannot connect to no-such-host\.invalid:5672: .*; "
        r"localhost:1: \[Errno \d+\] Connection refused",
        line,
    )


def test_the_first_node_that_lets_us_in_is_taken(run_send, broker, hello_queue):
    another = f"{broker.url}2"  # a virtual host that is not there
    urls = f"amqp://no-such-host.invalid amqp://localhost:1 {another}\n{broker.url} {another}"

    sender = run_send(url=urls)

    assert sender.out == SENT
    assert sender.err == ""
    assert hello_queue.take_all() == ["Hello World!"]


@pytest.mark.parametrize(
    "url",
    [
        "localhost/s3cret",
        "http://me:s3cret@localhost",
        "amqp:/me:s3cret@localhost",
        "amqp://me:s3cret",
        "amqp://localhost:99999",
        "amqp://localhost:often",
        "amqp://me:1/s3cret@localhost",
        "amqp://me:1?s3cret@localhost",
        "amqp://me:1#s3cret@localhost",
        "amqp://me:1[s3cret@localhost",
        "amqp://me:1 s3cret@localhost",
        "amqp://localhost:1 me:s3cret@localhost",
        '"amqp://me:s3cret@localhost"',
    ],
)
def test_the_url_has_not_the_right_form(run_send, url):
    assert the_only_line(run_send(url=url)) == WRITE_IT_SO


@pytest.mark.parametrize("url", ["amqp://bob:1/2@h", "amqp://bob:1#@h"])
def test_not_even_one_digit_of_a_password_is_shown(run_send, url):
    """pika would read the user as a host, and the password's beginning as its port."""
    line = the_only_line(run_send(url=url))

    assert line == WRITE_IT_SO


@pytest.mark.parametrize("url", ["amqp://me:1[s3cret@localhost", "amqp://me:s3cret"])
def test_a_malformed_url_is_not_shown_in_a_traceback_either(start_program, url):
    code = "from connection import connect; connect()"

    program = start_program("python", "-c", code, url=url)

    assert program.wait_for_end() == 1
    assert f"connection.CannotConnect: {WRITE_IT_SO}" in program.err
    assert PASSWORD not in program.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("heartbeats=30", "Unknown URL parameter: 'heartbeats'"),
        ("heartbeat=often", "Invalid heartbeat value 'often'"),
        ("heartbeat=1&heartbeat=2", "Expected exactly one value for URL parameter heartbeat"),
        ("ssl_options={'cafile':'no.pem'}", "[Errno 2] No such file or directory"),
    ],
)
def test_a_wrong_option_is_told_in_the_words_of_pika(run_send, options, words):
    line = the_only_line(run_send(url=f"amqps://me:s3cret@localhost/?{options}"))

    assert line.startswith(f"RABBITMQ_URL, after the ?: {words}")


@pytest.mark.parametrize(
    "options",
    [
        "ssl_options={'certfile':'no.pem','password':'s3cret'}",
        "ssl_options={'password':'s3cret'}&ssl_options={}",
    ],
)
def test_the_password_of_a_key_is_not_shown(run_send, options):
    line = the_only_line(run_send(url=f"amqps://localhost/?{options}"))

    assert line == "RABBITMQ_URL, after the ?: an option is wrong"


def test_a_user_without_a_password_is_not_the_right_form_for_pika_1_4(run_send, server):
    line = the_only_line(run_send(url=f"amqp://learner@localhost:{server.port}"))

    if PIKA_IS_1_4:
        assert line == WRITE_IT_SO
    else:
        assert "RabbitMQ did not let us in" in line


@pytest.fixture
def user_with_signs(broker):
    """A user whose password has signs that a URL must have as codes."""
    broker.api("PUT", "users", "signs", password="p@ss/word?", tags="")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    broker.api("PUT", "permissions", broker.name, "signs", **everything)
    yield
    broker.api("DELETE", "users", "signs")


def test_signs_in_a_password_can_be_written_as_codes(run_send, broker, user_with_signs):
    sender = run_send(url=broker.url.replace("guest:guest", "signs:p%40ss%2Fword%3F"))

    assert sender.out == SENT
    assert sender.err == ""


def test_each_url_is_read_before_the_first_is_tried(run_send, broker):
    line = the_only_line(run_send(url=f"{broker.url} localhost"))

    assert line == WRITE_IT_SO
