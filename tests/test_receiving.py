"""receive.py: it prints each message at once, and ends when it is told to."""

import signal
import threading

import pytest
from support.errors import the_error_line
from support.project import NO_LONGER_WAITING, RECEIVED, WAITING

PRINTS = '        print(f" [x] Received {text!r}", flush=True)\n'
STARTS = "    channel.start_consuming()\n"


def test_a_message_is_printed_at_once(start_receive, run_send):
    receiver = start_receive()

    run_send()

    receiver.wait_for_out(RECEIVED)
    assert receiver.out == WAITING + RECEIVED
    assert receiver.err == ""
    assert receiver.is_running


def test_what_was_sent_before_is_printed_in_order(start_receive, hello_queue):
    hello_queue.fill("one", "two", "three")

    receiver = start_receive()

    receiver.wait_for_out("three")
    assert receiver.out == (
        " [*] Waiting for messages. To exit press CTRL+C\n"
        " [x] Received 'one'\n"
        " [x] Received 'two'\n"
        " [x] Received 'three'\n"
    )


def test_bytes_that_are_no_text_are_replaced(start_receive, hello_queue):
    receiver = start_receive()

    hello_queue.publish(b"caf\xe9")

    receiver.wait_for_out(" [x] Received 'caf\ufffd'\n")


def test_a_character_that_the_terminal_lacks_is_an_error_of_python(start_receive, hello_queue):
    receiver = start_receive(PYTHONIOENCODING="ascii")

    hello_queue.publish("你")

    assert receiver.wait_for_end() == 1
    assert "UnicodeEncodeError: 'ascii' codec can't encode" in receiver.err


def test_python_can_be_told_to_print_utf_8_all_the_same(start_receive, hello_queue):
    receiver = start_receive(LC_ALL="POSIX", PYTHONCOERCECLOCALE="0", PYTHONUTF8="1")

    hello_queue.publish("你")

    receiver.wait_for_out(" [x] Received '你'\n")


def test_it_ends_when_the_callback_stops_consuming(start_receive, changed_copy, hello_queue):
    path = changed_copy("receive.py", (PRINTS, f"{PRINTS}        ch.stop_consuming()\n"))
    receiver = start_receive(path)

    hello_queue.publish("Hello World!")

    assert receiver.wait_for_end() == 0
    assert receiver.out == WAITING + RECEIVED + NO_LONGER_WAITING
    assert receiver.err == ""


def test_it_ends_when_a_handler_of_sigterm_stops_consuming(
    start_receive, changed_copy, hello_queue
):
    handler = (
        "    import signal\n"
        "    signal.signal(signal.SIGTERM, lambda *args: channel.stop_consuming())\n"
    )
    receiver = start_receive(changed_copy("receive.py", (STARTS, handler + STARTS)))
    hello_queue.publish("Hello World!")
    receiver.wait_for_out(RECEIVED)  # so the handler is there

    receiver.send_signal(signal.SIGTERM)

    assert receiver.wait_for_end() == 0
    assert receiver.out == WAITING + RECEIVED + NO_LONGER_WAITING
    assert receiver.err == ""


def test_it_ends_when_main_catches_ctrl_c(start_receive, changed_copy, hello_queue):
    catches = (
        "    try:\n"
        "        channel.start_consuming()\n"
        "    except KeyboardInterrupt:\n"
        "        channel.stop_consuming()\n"
    )
    receiver = start_receive(changed_copy("receive.py", (STARTS, catches)))
    hello_queue.publish("Hello World!")
    receiver.wait_for_out(RECEIVED)  # so it is inside the try

    receiver.press_ctrl_c()

    assert receiver.wait_for_end() == 0
    assert receiver.out == WAITING + RECEIVED + NO_LONGER_WAITING
    assert receiver.err == ""


def test_it_ends_when_the_callback_closes_the_connection(start_receive, changed_copy, hello_queue):
    path = changed_copy("receive.py", (PRINTS, f"{PRINTS}        connection.close()\n"))
    receiver = start_receive(path)

    hello_queue.publish("Hello World!")

    assert receiver.wait_for_end() == 0
    assert receiver.out == WAITING + RECEIVED + NO_LONGER_WAITING
    assert receiver.err == ""


def test_it_ends_when_somebody_deletes_the_queue(start_receive, hello_queue):
    receiver = start_receive()

    hello_queue.delete()

    assert receiver.wait_for_end() == 0
    assert receiver.out == WAITING + NO_LONGER_WAITING
    assert receiver.err == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            'ch.basic_publish(exchange="none", routing_key="", body="")',
            "NOT_FOUND - no exchange 'none'",
        ),
        ("ch.basic_ack(delivery_tag=99)", "PRECONDITION_FAILED - unknown delivery tag 99"),
    ],
)
def test_what_rabbitmq_refuses_in_the_callback_ends_it_in_one_line(
    start_receive, changed_copy, hello_queue, line, words
):
    path = changed_copy("receive.py", (PRINTS, f"{PRINTS}        {line}\n"))
    receiver = start_receive(path)

    hello_queue.publish("Hello World!")

    assert receiver.wait_for_end() == 1
    assert the_error_line(receiver).startswith(words)


def test_the_queue_of_one_connection_alone_is_refused(run_python, hello_queue):
    hello_queue.delete()
    hello_queue.declare(exclusive=True)

    receiver = run_python("receive.py")

    assert receiver.status == 1
    assert the_error_line(receiver).startswith("RESOURCE_LOCKED - ")


def test_it_closes_its_connection_in_the_end(start_receive, proxy, hello_queue):
    closed = threading.Event()
    proxy.when_client_sends(b"Normal shutdown", closed.set)  # pika's words when it closes
    receiver = start_receive(url=proxy.url)

    hello_queue.delete()

    assert receiver.wait_for_end() == 0
    assert closed.is_set()


def test_a_message_that_was_printed_does_not_come_again(start_receive, hello_queue):
    receiver = start_receive()
    hello_queue.publish("Hello World!")
    receiver.wait_for_out(RECEIVED)

    receiver.kill()

    hello_queue.wait_for_consumers(0)
    assert hello_queue.take_all() == []
