"""send.py: "Sent" is true, and the queue is the one that the tutorials of all languages share."""

import re

import pytest
from support.errors import the_error_line, the_only_line
from support.project import SENT

PUBLISHES = "    channel.basic_publish("


def test_hello_world_is_sent_and_is_in_the_queue(run_send, hello_queue):
    sender = run_send()

    assert sender.out == SENT
    assert sender.err == ""
    assert sender.status == 0
    assert hello_queue.take_all() == ["Hello World!"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Good", "morning"], "Good morning"),
        (["你好，世界 🐇"], "你好，世界 🐇"),
        (["it's"], "it's"),
        (["--help"], "--help"),
        ([""], "Hello World!"),
    ],
)
def test_the_words_after_send_py_are_the_message(run_send, hello_queue, words, message):
    sender = run_send(*words)

    assert sender.out == f" [x] Sent {message!r}\n"
    assert sender.err == ""
    assert hello_queue.take_all() == [message]


@pytest.mark.parametrize("program", ["send.py", "receive.py"])
def test_the_queue_is_that_of_the_official_tutorials(start_python, broker, program):
    start_python(program).wait_for_out(" [")

    queue = broker.api("GET", "queues", broker.name, "hello")
    assert queue["type"] == "quorum"
    assert queue["durable"] is True
    assert queue["arguments"] == {"x-queue-type": "quorum"}


def test_no_queue_takes_a_message_with_another_routing_key(run_python, changed_copy):
    path = changed_copy("send.py", ('routing_key="hello"', 'routing_key="helo"'))

    line = the_only_line(run_python(path))

    assert line == "no queue takes the message; RabbitMQ drops it (UnroutableError)"


def test_no_queue_takes_the_message_if_it_was_just_deleted(run_send, proxy, hello_queue):
    proxy.when_client_sends(b"Hello World!", hello_queue.delete)

    line = the_only_line(run_send(url=proxy.url))

    assert line.startswith("no queue takes the message; RabbitMQ drops it")


def test_a_full_queue_refuses_the_message(run_send, broker, hello_queue):
    broker.set_policy("^hello$", **{"max-length": 1, "overflow": "reject-publish"})
    hello_queue.fill("one", "two")

    line = the_only_line(run_send())

    assert line == "RabbitMQ refused the message (NackError)"


def test_a_queue_of_another_type_is_refused(run_send, hello_queue):
    hello_queue.delete()
    hello_queue.declare(durable=True)

    line = the_only_line(run_send())

    assert line.startswith("PRECONDITION_FAILED - inequivalent arg ")


def test_a_queue_of_one_connection_alone_is_refused(run_send, hello_queue):
    hello_queue.delete()
    hello_queue.declare(exclusive=True)

    line = the_only_line(run_send())

    assert line.startswith("RESOURCE_LOCKED - ")


def test_an_exchange_that_is_not_there_is_told_in_one_line(run_python, changed_copy):
    path = changed_copy("send.py", ('exchange=""', 'exchange="none"'))

    line = the_only_line(run_python(path))

    assert line.startswith("NOT_FOUND - no exchange 'none' in vhost 'test ")


def test_what_rabbitmq_has_not_implemented_is_told_in_one_line(run_python, changed_copy):
    path = changed_copy(
        "send.py", (PUBLISHES, f"    channel.basic_qos(prefetch_size=1)\n{PUBLISHES}")
    )

    line = the_only_line(run_python(path))

    assert line.startswith("NOT_IMPLEMENTED - prefetch_size!=0")


def test_a_connection_that_breaks_before_the_confirm_is_told(run_send, proxy):
    proxy.when_client_sends(b"Hello World!", proxy.cut)

    line = the_only_line(run_send(url=proxy.url))

    assert line.startswith("the connection was lost, perhaps with messages on the way (")


def test_a_connection_that_breaks_after_the_confirm_is_told_after_sent(
    run_send, proxy, hello_queue
):
    proxy.when_client_sends(b"Normal shutdown", proxy.cut)  # pika's words when it closes

    sender = run_send(url=proxy.url)

    assert sender.out == SENT
    assert the_error_line(sender).startswith("the connection was lost")
    assert sender.status == 1
    assert hello_queue.take_all() == ["Hello World!"]


@pytest.mark.parametrize("variable", ["RABBITMQ_URL=", "RABBITMQ_URL= ", "--unset=RABBITMQ_URL"])
def test_without_a_url_it_goes_to_this_machine_as_guest(
    start_program, changed_copy, broker, hello_queue, variable
):
    """The default URL of the copy leads to the broker of the test, not to port 5672."""
    path = changed_copy("connection.py", ('"amqp://guest:guest@localhost"', repr(broker.url)))

    sender = start_program("env", variable, "python", "send.py", cwd=path.parent)

    assert sender.wait_for_end() == 0
    assert sender.out == SENT
    assert hello_queue.take_all() == ["Hello World!"]


def test_the_default_url_is_this_machine_as_guest(changed_copy, start_program):
    """RabbitMQ's default user, password, port and virtual host, as pika reads the URL."""
    path = changed_copy("send.py")
    code = (
        "import connection\n"
        "node = connection.read_url(connection.DEFAULT_URL)\n"
        "print(node.host, node.port, node.virtual_host)\n"
        "print(node.credentials.username, node.credentials.password)"
    )

    program = start_program("python", "-c", code, cwd=path.parent, url=None)

    program.wait_for_end()
    assert program.out == "localhost 5672 /\nguest guest\n"


def test_the_queue_of_2018_is_taken_or_refused_in_one_line(run_python, changed_copy):
    """A queue that is neither durable nor exclusive: older versions take it."""
    path = changed_copy("send.py", (', durable=True, arguments={"x-queue-type": "quorum"}', ""))

    sender = run_python(path)

    if sender.status == 0:
        assert sender.out == SENT
    else:
        assert re.match(
            r"INTERNAL_ERROR - .*transient_nonexcl_queues.* is deprecated", the_only_line(sender)
        )
