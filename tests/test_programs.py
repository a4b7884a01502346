"""What someone sees who runs send.py and receive.py, and who presses CTRL+C."""

import time

import pytest
from machinery import SENT, WAITING, publish, take, wait_for


@pytest.mark.parametrize("words", [[], ["Good", "morning"], ["你好，世界 🐇"], ["--help"]])
def test_it_says_sent_and_the_message_is_in_the_queue_of_the_official_tutorials(send, broker, hello, words):
    hello.queue_delete("hello")
    sent, message = send(*words), " ".join(words) or "Hello World!"
    assert (sent.out, sent.err, sent.returncode) == (f" [x] Sent {message!r}\n", "", 0)
    assert take(hello) == [message]
    queue = broker.api("GET", "queues", broker.vhost, "hello")
    assert (queue["type"], queue["durable"], queue["arguments"]) == ("quorum", True, {"x-queue-type": "quorum"})


@pytest.mark.parametrize("variable", ["RABBITMQ_URL=", "RABBITMQ_URL= ", "-uRABBITMQ_URL"])
def test_without_a_rabbitmq_url_it_goes_to_this_machine_as_guest(start, broker, copy, hello, variable):
    copied = copy("connection.py", ('"amqp://guest:guest@localhost"', repr(broker.url)))  # where the tests' RabbitMQ is
    sender = start(variable, "python", copied.with_name("send.py"), program="env")
    assert (sender.status(), sender.out, sender.err) == (0, SENT, "")
    assert take(hello) == ["Hello World!"]


@pytest.mark.parametrize("body, shown, encoding", [(b"caf\xe9", "caf\ufffd", "utf-8"), ("你", "\\u4f60", "ascii")])
def test_bytes_that_are_no_text_and_characters_that_the_terminal_lacks_are_replaced(receive, hello, body, shown, encoding):
    receiver = receive(PYTHONIOENCODING=encoding)
    hello.basic_publish(exchange="", routing_key="hello", body=body)
    wait_for(lambda: receiver.out == WAITING + f" [x] Received '{shown}'\n")
    assert receiver.err == ""


def ctrl_c_ends(program):
    """Press CTRL+C, and assert that it ends the program, with no traceback."""
    program.sendintr()
    program.expect_exact("^C")
    assert "Traceback" not in program.read()
    program.close()
    assert (program.exitstatus, program.signalstatus) == (130, None)


def test_ctrl_c_ends_it_while_messages_never_stop_coming_while_it_waits_for_some_and_while_it_waits_to_connect_again(
    terminal, proxy, hello
):
    publish(hello, *["on and on"] * 5_000)
    for shown in ("Received", WAITING.strip()):
        receiver = terminal("receive.py")
        receiver.expect_exact(shown)
        ctrl_c_ends(receiver)
    cable = proxy()
    receiver = terminal("receive.py", url=cable.url)
    receiver.expect_exact(WAITING.strip())
    cable.cut()
    receiver.expect_exact("again in 5 seconds\r\n")
    ctrl_c_ends(receiver)


def test_ctrl_c_ends_send_too_while_it_waits_for_rabbitmq(terminal, proxy):
    between, heard = proxy(), []
    between.hear = lambda data: b"Hello World!" in data and (heard.append(data) or time.sleep(90))
    sender = terminal("send.py", url=between.url)
    wait_for(lambda: heard)
    ctrl_c_ends(sender)
