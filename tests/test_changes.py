"""What readers see who change the programs, or use connection.py in programs of their own."""

import re
import time

import pytest
from machinery import AGAIN, LOST, RECEIVED, SENT, WAITING, take, wait_for

PRINTS = """print(f" [x] Received {body.decode(errors='replace')!r}")"""
CONSUMES = '    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)\n'
STARTS = "    channel.start_consuming()\n"
MISTAKES = ['open("missing.txt")', 'raise TimeoutError("timed out")', "mesage  # a NameError"]
REFUSALS = {  # a line in the callback, and RabbitMQ's words
    'ch.basic_publish(exchange="none", routing_key="", body="")': "NOT_FOUND - no exchange 'none'",
    "ch.basic_ack(delivery_tag=99)": "PRECONDITION_FAILED - unknown delivery tag 99",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_a_traceback_and_nothing_is_called_sent(receive, send, copy, hello, line):
    sender = send(path=copy("send.py", ("    channel.basic_publish(", f"    {line}\n    channel.basic_publish(")))
    assert (sender.out, take(hello)) == ("", [])
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    assert (receiver.status(), receiver.out) == (1, WAITING + RECEIVED)
    for program in (sender, receiver):
        assert program.returncode == 1 and f"    {line}\n" in program.err
        assert re.search(r"\n\w+Error.*\n$", program.err) and " [!] " not in program.err


@pytest.mark.parametrize("line, words", REFUSALS.items())
def test_what_rabbitmq_refuses_in_the_callback_ends_the_program_in_one_line(receive, send, copy, line, words):
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    assert receiver.status() == 1
    assert re.fullmatch(rf" \[!\] {words}.*\n", receiver.err)


def test_what_rabbitmq_refuses_from_the_start_by_closing_the_connection_ends_it_in_one_line(send, copy, hello):
    receiver = send(path=copy("receive.py", (CONSUMES, f"    channel.basic_qos(prefetch_size=1)\n{CONSUMES}")))
    assert re.fullmatch(r" \[!\] NOT_IMPLEMENTED - prefetch_size.*\n", receiver.err) and receiver.returncode == 1


def test_the_old_queue_is_accepted_or_refused_in_one_line(start, copy):
    old = copy("receive.py", (', durable=True, arguments={"x-queue-type": "quorum"}', ""))  # which RabbitMQ 4.3 refuses
    receiver = start(old)
    wait_for(lambda: receiver.out == WAITING or receiver.poll())
    assert re.fullmatch(r" \[!\] INTERNAL_ERROR - .*transient_nonexcl_queues.*\n" if receiver.poll() else "", receiver.err)


def test_a_connection_that_rabbitmq_closes_later_than_at_the_start_is_an_outage(receive, send, copy):
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        ch.basic_qos(prefetch_size=1)")))
    time.sleep(5)  # the start is over
    send()
    wait_for(lambda: receiver.out == WAITING + RECEIVED + WAITING)
    assert re.fullmatch(rf" \[!\] NOT_IMPLEMENTED - .*{AGAIN}", receiver.err)


def test_a_file_that_is_opened_once_has_all_messages_after_ctrl_c(terminal, send, copy, tmp_path):
    opens = (STARTS, f"    with open({str(tmp_path / 'saved.txt')!r}, 'w') as file:\n    {STARTS}")
    receiver = terminal(copy("receive.py", (PRINTS, f"print(body.decode(), file=file)\n        {PRINTS}"), opens))
    receiver.expect_exact(WAITING.strip())  # RabbitMQ 3.10 may say INTERNAL_ERROR if two declare a new queue at once
    send("one")
    receiver.expect_exact("'one'\r\n")
    receiver.sendintr()
    assert receiver.read().strip() == "^C"
    assert (tmp_path / "saved.txt").read_text() == "one\n"


def test_channel_consume_goes_on_after_an_outage(receive, copy, proxy, hello):
    cable, loop = proxy(), '    for _, _, body in channel.consume("hello", auto_ack=True):\n        print(body.decode())\n'
    program = receive(copy("receive.py", (CONSUMES, ""), (STARTS, loop)), url=cable.url)
    for word in ("one", "two"):
        hello.basic_publish(exchange="", routing_key="hello", body=word)
        wait_for(lambda word=word: program.out.endswith(f"{word}\n"))
        cable.cut()
    wait_for(lambda: program.err == (LOST + AGAIN) * 2)


def test_in_a_program_of_ones_own_import_changes_nothing_and_connect_says_why_not(start):
    code = """
import signal, sys, threading, warnings, pika
def state():
    out, handlers = sys.stdout, [signal.getsignal(each) for each in signal.valid_signals()]
    return handlers, out, out.line_buffering, out.errors, sys.stderr, sys.excepthook, warnings.filters[:]
before = state()
thread = threading.Thread(target=__import__, args=["connection"])
thread.start()
thread.join()
try:
    sys.modules["connection"].connect()
except pika.exceptions.AMQPConnectionError as error:
    print(error)
print(state() == before)
"""
    program = start("-c", code, url="amqp://learner:s3cret@localhost:1")
    assert (program.status(), program.err) == (0, "")
    assert program.out == "localhost:1, vhost /: nothing listens there, or it is out of reach\nTrue\n"


def test_it_runs_where_standard_output_is_another_one_as_in_idle_or_a_notebook(start):
    code = """
import contextlib, io, connection, send
with contextlib.redirect_stdout(io.StringIO()) as shell:
    connection.run(send.main)
    print("and on")
print(shell.getvalue())
"""
    program = start("-c", code)
    assert (program.status(), program.out) == (0, SENT + "and on\n\n")
