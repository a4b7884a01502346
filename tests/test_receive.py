"""What someone sees who runs receive.py."""

import signal
import time

import pytest
from machinery import WAITING, consumers, publish, wait_for


def test_it_waits_and_prints_a_message_that_is_sent_later(receive, send):
    receiver = receive()
    send()
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello World!'\n")
    assert (receiver.err, receiver.poll()) == ("", None)


def test_it_prints_messages_that_were_sent_before_in_their_order(receive, send):
    send("one")
    send("two")
    receiver = receive()
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'one'\n [x] Received 'two'\n")


def test_it_says_that_it_waits_when_it_is_a_consumer(receive, hello):
    receive()
    assert consumers(hello) == 1


def test_many_senders_and_receivers_share_one_queue(receive, start):
    receivers = [receive(), receive()]
    senders = [start("send.py", str(number)) for number in range(8)]
    assert [sender.status() for sender in senders] == [0] * 8
    wait_for(lambda: sum(receiver.out.count("Received") for receiver in receivers) == 8)
    lines = [line for receiver in receivers for line in receiver.out.splitlines()[1:]]
    assert sorted(lines) == [f" [x] Received '{number}'" for number in range(8)]


@pytest.mark.parametrize("body, shown", [(b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"), (b"two\nlines", "two\\nlines")])
def test_one_message_is_one_line_whatever_bytes_it_has(receive, hello, body, shown):
    receiver = receive()
    publish_one = hello.basic_publish
    publish_one(exchange="", routing_key="hello", body=body)
    wait_for(lambda: receiver.out == WAITING + f" [x] Received '{shown}'\n")
    assert receiver.err == ""


def test_a_terminal_without_the_characters_gets_them_escaped(receive, send):
    receiver = receive(PYTHONIOENCODING="ascii")
    send("你好")
    wait_for(lambda: receiver.out == WAITING + " [x] Received '\\u4f60\\u597d'\n")


def ends(program):
    """Press CTRL+C, and assert that it ends the program without another word."""
    program.sendintr()
    assert program.read().replace("^C", "").strip() == ""
    program.close()
    assert (program.exitstatus, program.signalstatus) == (130, None)


def test_ctrl_c_ends_it_while_it_waits_for_messages(terminal):
    receiver = terminal("receive.py")
    receiver.expect_exact(WAITING.strip())
    receiver.expect_exact("\r\n")
    ends(receiver)


def test_ctrl_c_ends_it_while_messages_never_stop_coming(terminal, hello):
    publish(hello, *["on and on"] * 20_000)
    receiver = terminal("receive.py")
    receiver.expect_exact("Received")
    receiver.sendintr()
    receiver.expect_exact("^C")
    assert "Traceback" not in receiver.read()
    receiver.close()
    assert receiver.exitstatus == 130


def test_ctrl_c_ends_it_while_it_waits_to_connect_again(terminal, proxy):
    cable = proxy()
    receiver = terminal("receive.py", url=cable.url)
    receiver.expect_exact(WAITING.strip())
    cable.remove()
    receiver.expect_exact("again in 5 seconds\r\n")
    ends(receiver)


def test_ctrl_c_ends_send_too_while_it_waits_for_rabbitmq(terminal, proxy):
    between, heard = proxy(), []

    def hold(data):
        if b"Hello World!" in data:
            heard.append(data)
            time.sleep(90)

    between.hear = hold
    sender = terminal("send.py", url=between.url)
    wait_for(lambda: heard)
    ends(sender)
