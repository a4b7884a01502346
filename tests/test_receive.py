"""What someone sees who runs receive.py, and who presses CTRL+C."""

import time

import pytest
from machinery import WAITING, publish, state, wait_for

BODIES = {  # what a message holds, what of it is shown, and where
    "not UTF-8": (b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}", "utf-8"),
    "two lines": (b"two\nlines", "two\\nlines", "utf-8"),
    "a terminal without the characters": ("你好".encode(), "\\u4f60\\u597d", "ascii"),
}


def test_it_says_that_it_waits_and_prints_messages_of_before_and_of_later(receive, send, hello):
    publish(hello, "one", "two")
    receiver = receive()
    assert state(hello).consumer_count == 1
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'one'\n [x] Received 'two'\n")
    send("three")
    wait_for(lambda: receiver.out.endswith("'two'\n [x] Received 'three'\n"))
    assert (receiver.err, receiver.poll()) == ("", None)


def test_many_senders_and_receivers_share_one_queue(receive, start):
    receivers = [receive(), receive()]
    senders = [start("send.py", str(number)) for number in range(8)]
    assert [sender.status() for sender in senders] == [0] * 8
    wait_for(lambda: sum(receiver.out.count("Received") for receiver in receivers) == 8)
    lines = [line for receiver in receivers for line in receiver.out.splitlines()[1:]]
    assert sorted(lines) == [f" [x] Received '{number}'" for number in range(8)]


@pytest.mark.parametrize("body, shown, encoding", BODIES.values(), ids=BODIES)
def test_one_message_is_one_line_whatever_it_holds(receive, hello, body, shown, encoding):
    receiver = receive(PYTHONIOENCODING=encoding)
    hello.basic_publish(exchange="", routing_key="hello", body=body)
    wait_for(lambda: receiver.out == WAITING + f" [x] Received '{shown}'\n")
    assert receiver.err == ""


def ends(program):
    """Press CTRL+C, and assert that it ends the program, with no traceback."""
    program.sendintr()
    program.expect_exact("^C")
    assert "Traceback" not in program.read()
    program.close()
    assert (program.exitstatus, program.signalstatus) == (130, None)


def test_ctrl_c_ends_it_while_it_waits_and_while_messages_never_stop_coming(terminal, hello):
    receiver = terminal("receive.py")
    receiver.expect_exact(f"{WAITING.strip()}\r\n")
    ends(receiver)
    publish(hello, *["on and on"] * 20_000)
    receiver = terminal("receive.py")
    receiver.expect_exact("Received")
    ends(receiver)


def test_ctrl_c_ends_it_while_it_waits_to_connect_again(terminal, proxy):
    cable = proxy()
    receiver = terminal("receive.py", url=cable.url)
    receiver.expect_exact(WAITING.strip())
    cable.cut()
    receiver.expect_exact("again in 5 seconds\r\n")
    ends(receiver)


def test_ctrl_c_ends_send_too_while_it_waits_for_rabbitmq(terminal, proxy):
    between, heard = proxy(), []
    between.hear = lambda data: b"Hello World!" in data and (heard.append(data) or time.sleep(90))
    sender = terminal("send.py", url=between.url)
    wait_for(lambda: heard)
    ends(sender)
