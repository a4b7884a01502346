"""Other ways to write main(): what happens to them when a connection is lost."""

import re

from support.project import LOST_LINE, RECEIVED, WAITING

CONNECTS = "    connection = connect()\n"
CONSUMES = '    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)\n'
STARTS = "    channel.start_consuming()\n"


def test_close_in_finally_comes_back_and_tells_of_the_outage(start_receive, changed_copy, proxy):
    closes = (
        "    try:\n        channel.start_consuming()\n    finally:\n        connection.close()\n"
    )
    receiver = start_receive(changed_copy("receive.py", (STARTS, closes)), url=proxy.url)

    proxy.cut()

    receiver.wait_for_out(WAITING, times=2)
    assert re.fullmatch(LOST_LINE, receiver.err)


def test_with_connect_comes_back(start_receive, changed_copy, proxy):
    consumes = "    with connection:\n        channel.start_consuming()\n"
    receiver = start_receive(changed_copy("receive.py", (STARTS, consumes)), url=proxy.url)

    proxy.cut()

    receiver.wait_for_out(WAITING, times=2)
    assert re.fullmatch(LOST_LINE, receiver.err)


def test_channel_consume_comes_back(start_receive, changed_copy, proxy, hello_queue):
    loops = (
        '    for method, properties, body in channel.consume("hello", auto_ack=True):\n'
        "        callback(channel, method, properties, body)\n"
    )
    path = changed_copy("receive.py", (CONSUMES, ""), (STARTS, loops))
    receiver = start_receive(path, url=proxy.url)

    proxy.cut()

    receiver.wait_for_out(WAITING, times=2)
    assert re.fullmatch(LOST_LINE, receiver.err)
    hello_queue.publish("Hello World!")
    receiver.wait_for_out(RECEIVED)


def test_connect_outside_main_is_a_traceback_after_an_outage(start_python, changed_copy, proxy):
    """main() uses the old connection again: it must call connect() itself."""
    path = changed_copy(
        "receive.py", (CONNECTS, ""), ("def main():\n", "connection = connect()\n\n\ndef main():\n")
    )
    receiver = start_python(path, url=proxy.url)
    receiver.wait_for_out(WAITING)

    proxy.cut()

    assert receiver.wait_for_end() == 1
    assert "    channel = connection.channel()\n" in receiver.err
    assert "ConnectionWrongStateError" in receiver.err.splitlines()[-1]
