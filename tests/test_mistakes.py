"""A mistake in the code of a reader: Python's traceback with their line, nothing hidden."""

import pytest
from support.errors import assert_traceback
from support.project import PIKA_IS_1_4, RECEIVED, SENT, WAITING

PRINTS = '        print(f" [x] Received {text!r}", flush=True)\n'
PUBLISHES = "    channel.basic_publish("
CLOSES = "    connection.close()\n"
DECLARES = "    channel.queue_declare("


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('open("missing.txt")', "FileNotFoundError"),
        ('raise TimeoutError("timed out")', "TimeoutError: timed out"),
        ("raise ValueError", "ValueError"),
        ("mesage", "NameError: name 'mesage' is not defined"),
    ],
)
def test_a_mistake_in_send_is_a_traceback_and_nothing_is_sent(
    run_python, changed_copy, hello_queue, line, error
):
    path = changed_copy("send.py", (PUBLISHES, f"    {line}\n{PUBLISHES}"))

    sender = run_python(path)

    assert_traceback(sender, line, error)
    assert sender.out == ""
    assert hello_queue.take_all() == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('open("missing.txt")', "FileNotFoundError"),
        ("int(text)", "ValueError: invalid literal for int() with base 10: 'Hello World!'"),
        ("mesage", "NameError: name 'mesage' is not defined"),
    ],
)
def test_a_mistake_in_the_callback_is_a_traceback(
    start_receive, changed_copy, hello_queue, line, error
):
    receiver = start_receive(changed_copy("receive.py", (PRINTS, f"{PRINTS}        {line}\n")))

    hello_queue.publish("Hello World!")

    receiver.wait_for_end()
    assert_traceback(receiver, line, error)
    assert receiver.out == WAITING + RECEIVED


def test_a_routing_key_over_255_bytes_is_a_traceback(run_python, changed_copy):
    line = 'channel.basic_publish(exchange="", routing_key="h" * 256, body=message, mandatory=True)'
    path = changed_copy("send.py", (PUBLISHES, f"    {line}\n{PUBLISHES}"))

    sender = run_python(path)

    assert_traceback(sender, line, "ShortStringTooLong")


def test_a_float_in_a_header_is_a_traceback_if_pika_cannot_send_it(
    run_python, changed_copy, hello_queue
):
    line = 'properties = pika.BasicProperties(headers={"price": 21.7})'
    path = changed_copy(
        "send.py",
        ("import sys\n", "import sys\n\nimport pika\n"),
        (PUBLISHES, f"    {line}\n{PUBLISHES}"),
        ("mandatory=True)", "mandatory=True, properties=properties)"),
    )

    sender = run_python(path)

    publishes = (
        'channel.basic_publish(exchange="", routing_key="hello", body=message, '
        "mandatory=True, properties=properties)"
    )
    if PIKA_IS_1_4:
        assert_traceback(sender, publishes, "UnsupportedAMQPFieldException")
    else:
        assert sender.out == SENT


def test_a_consumer_tag_that_is_taken_is_a_traceback(run_python, changed_copy):
    consumes = 'channel.basic_consume("hello", callback, auto_ack=True, consumer_tag="twice")'
    starts = "    channel.start_consuming()\n"
    path = changed_copy("receive.py", (starts, f"    {consumes}\n    {consumes}\n{starts}"))

    receiver = run_python(path)

    assert_traceback(receiver, consumes, "DuplicateConsumerTag: twice")


def test_a_channel_that_rabbitmq_has_closed_is_a_traceback(run_python, changed_copy):
    fails = (
        "    try:\n"
        '        channel.queue_declare("none", passive=True)\n'
        "    except Exception:\n"
        "        pass\n"
    )
    path = changed_copy("send.py", (DECLARES, fails + DECLARES))

    sender = run_python(path)

    line = (
        'channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})'
    )
    assert_traceback(sender, line, "ChannelWrongStateError: Channel is closed.")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('channel.basic_publish("", "hello", "second")', "ChannelWrongStateError"),
        ("channel = connection.channel()", "ConnectionWrongStateError"),
    ],
)
def test_what_comes_after_close_is_a_traceback(run_python, changed_copy, line, error):
    path = changed_copy("send.py", (CLOSES, f"{CLOSES}    {line}\n"))

    sender = run_python(path)

    assert_traceback(sender, line, error)
    assert sender.out == SENT


def test_main_with_parentheses_is_a_traceback_of_python(run_python, changed_copy):
    path = changed_copy("send.py", ("    run(main)\n", "    run(main())\n"))

    sender = run_python(path)

    assert_traceback(sender, "run(main())", "TypeError: 'NoneType' object is not callable")
    assert sender.out == SENT


def test_a_closed_connection_is_a_traceback_also_with_reconnect(
    run_python, changed_copy, hello_queue
):
    line = "channel = connection.channel()"
    path = changed_copy(
        "send.py",
        (CLOSES, f"{CLOSES}    {line}\n"),
        ("    run(main)\n", "    run(main, reconnect=True)\n"),
    )

    sender = run_python(path)

    assert_traceback(sender, line, "ConnectionWrongStateError")


def test_too_many_channels_are_a_traceback_also_with_reconnect(run_python, changed_copy, broker):
    line = "another = connection.channel()"
    path = changed_copy(
        "send.py",
        (CLOSES, f"    {line}\n{CLOSES}"),
        ("    run(main)\n", "    run(main, reconnect=True)\n"),
    )

    sender = run_python(path, url=f"{broker.url}?channel_max=1")

    assert_traceback(sender, line, "NoFreeChannels")
