"""CTRL+C, typed in a real terminal: status 130, no traceback, and files are in order."""

import io
import socket

from support.project import WAITING
from support.waiting import TIMEOUT

PRINTS = '        print(f" [x] Received {text!r}", flush=True)\n'
STARTS = "    channel.start_consuming()\n"


def type_ctrl_c_and_read_the_rest(program):
    """Type CTRL+C, wait for the end, and return what was printed after ^C."""
    program.sendintr()
    program.expect_exact("^C")
    rest = program.read()
    program.wait()  # for close() would kill a program that is only just ending
    program.close()
    return rest


def assert_interrupted(program, rest):
    assert "Traceback" not in rest
    assert program.exitstatus == 130
    assert program.signalstatus is None


def test_ctrl_c_ends_a_receiver_that_waits(terminal):
    receiver = terminal("receive.py")
    receiver.expect_exact(WAITING.strip())

    rest = type_ctrl_c_and_read_the_rest(receiver)

    assert_interrupted(receiver, rest)
    assert rest.strip() == ""


def test_ctrl_c_ends_a_receiver_whose_messages_never_stop(terminal, hello_queue):
    hello_queue.fill(*["on and on"] * 5_000, "the last")
    receiver = terminal("receive.py")
    receiver.logfile_read = screen = io.StringIO()
    receiver.expect_exact("Received")

    rest = type_ctrl_c_and_read_the_rest(receiver)

    assert_interrupted(receiver, rest)
    assert "the last" not in screen.getvalue()


def test_ctrl_c_ends_a_receiver_that_waits_to_connect_again(terminal, proxy):
    receiver = terminal("receive.py", url=proxy.url)
    receiver.expect_exact(WAITING.strip())
    proxy.cut()
    receiver.expect_exact("connecting again in 5 seconds\r\n")

    rest = type_ctrl_c_and_read_the_rest(receiver)

    assert_interrupted(receiver, rest)


def test_ctrl_c_ends_a_sender_that_waits_for_the_confirm(terminal, proxy):
    proxy.when_client_sends(b"Hello World!", proxy.hold)
    sender = terminal("send.py", url=proxy.url)
    assert proxy.held.wait(TIMEOUT)

    rest = type_ctrl_c_and_read_the_rest(sender)

    assert_interrupted(sender, rest)
    assert "Sent" not in rest


def test_a_file_that_main_has_opened_is_whole_after_ctrl_c(
    terminal, changed_copy, hello_queue, tmp_path
):
    opens = f"    with open({str(tmp_path / 'saved.txt')!r}, 'w') as file:\n    {STARTS}"
    writes = f"        print(text, file=file)\n{PRINTS}"
    receiver = terminal(changed_copy("receive.py", (PRINTS, writes), (STARTS, opens)))
    receiver.expect_exact(WAITING.strip())
    hello_queue.publish("one")
    receiver.expect_exact("'one'\r\n")

    rest = type_ctrl_c_and_read_the_rest(receiver)

    assert_interrupted(receiver, rest)
    assert (tmp_path / "saved.txt").read_text() == "one\n"


def test_finally_in_main_is_run_after_ctrl_c(terminal, changed_copy, hello_queue):
    finally_prints = (
        "    try:\n"
        "        channel.start_consuming()\n"
        "    finally:\n"
        "        print('closing')\n"
        "        connection.close()\n"
    )
    receiver = terminal(changed_copy("receive.py", (STARTS, finally_prints)))
    hello_queue.publish("one")
    receiver.expect_exact("'one'\r\n")  # so it is inside the try

    rest = type_ctrl_c_and_read_the_rest(receiver)

    assert_interrupted(receiver, rest)
    assert rest.strip() == "closing"


def test_ctrl_c_ends_a_sender_that_waits_to_be_let_in(terminal):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sender = terminal("send.py", url=f"amqp://localhost:{port}")
        client, _ = silent.accept()

        rest = type_ctrl_c_and_read_the_rest(sender)
        client.close()

    assert_interrupted(sender, rest)
    assert rest.strip() == ""
