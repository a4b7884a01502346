"""What readers see who change the programs, or use connection.py in programs of their own."""

import os
import re

import pytest
from machinery import WAITING, count, publish, take, wait_for

AGAIN = "; connecting again in 5 seconds\n"
LOST = " [!] the connection was lost, perhaps with messages on the way" + AGAIN
PRINTS = """print(f" [x] Received {body.decode(errors='replace')!r}")"""
PUBLISHES = "    channel.basic_publish("
MISTAKES = {  # a line of the reader's own, and what Python then says of it
    "a missing file": ('open("missing.txt")', "FileNotFoundError: [Errno 2] No such file or directory: 'missing.txt'"),
    "a server that times out": ('raise TimeoutError("timed out")', "TimeoutError: timed out"),
    "a broken pipe": ("raise BrokenPipeError", "BrokenPipeError"),
    "a name that is not there": ("mesage", "NameError: name 'mesage' is not defined"),
}


def shows(program, line, error):
    """Assert that it has ended with a traceback that shows the reader's line, and no word of ours."""
    assert program.status() == 1
    assert "Traceback" in program.err and f"    {line}\n" in program.err
    assert error in program.err.splitlines()[-1] and " [!] " not in program.err


@pytest.mark.parametrize("line, error", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_before_the_message_is_sent_is_a_traceback(start, copy, hello, line, error):
    sender = start(copy("send.py", (PUBLISHES, f"    {line}\n{PUBLISHES}")))
    shows(sender, line, error)
    assert (sender.out, take(hello)) == ("", [])


@pytest.mark.parametrize("line, error", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_callback_is_a_traceback(receive, send, copy, line, error):
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    shows(receiver, line, error)
    assert receiver.out == WAITING + " [x] Received 'Hello World!'\n"


@pytest.mark.parametrize("closing", ["with", "finally"])
def test_a_file_that_is_opened_once_has_all_messages_after_ctrl_c(terminal, send, copy, tmp_path, closing):
    saved = tmp_path / "saved.txt"
    ways = {
        "with": f"    with open({str(saved)!r}, 'w') as file:\n        channel.start_consuming()\n",
        "finally": f"    file = open({str(saved)!r}, 'w')\n    try:\n        channel.start_consuming()\n"
        "    finally:\n        file.close()\n",
    }
    keeps = (PRINTS, f"{PRINTS}\n        print(body.decode(), file=file)")
    receiver = terminal(copy("receive.py", keeps, ("    channel.start_consuming()\n", ways[closing])))
    send("one")
    receiver.expect_exact("'one'\r\n")
    receiver.sendintr()
    receiver.expect_exact("^C")
    assert receiver.read().strip() == ""
    assert saved.read_text() == "one\n"


@pytest.fixture
def runs(start, copy):
    """Run a reader's program beside connection.py, and return it when it has ended, or has printed something."""

    def runs(code, until=None, url=None):
        path = copy("connection.py").parent / "own.py"
        path.write_text(code)
        program = start(path, url=url)
        if until:
            wait_for(lambda: until in program.out or program.poll() is not None)
        else:
            program.status()
        return program

    return runs


def test_to_import_connection_changes_nothing(start):
    code = """
import signal, sys, threading, warnings
import pika
def state():
    handlers = [signal.getsignal(each) for each in signal.valid_signals()]
    return handlers, sys.stdout, sys.stderr, sys.stdout.line_buffering, sys.excepthook, warnings.filters[:]
before = state()
thread = threading.Thread(target=__import__, args=["connection"])
thread.start()
thread.join()
print(state() == before and "connection" in sys.modules)
"""
    program = start("-W", "error", "-c", code)
    assert (program.status(), program.out, program.err) == (0, "True\n", "")


def test_a_program_that_imports_connection_cleans_up_at_ctrl_c(terminal, copy):
    path = copy("connection.py").parent / "own.py"
    path.write_text(
        "import connection, time\nprint('ready')\ntry:\n    time.sleep(90)\n"
        "except KeyboardInterrupt:\n    print('cleaned up')\n"
    )
    program = terminal(path)
    program.expect_exact("ready\r\n")
    program.sendintr()
    program.expect_exact("cleaned up")


@pytest.mark.parametrize("output", ["io.StringIO()", "type('Shell', (), {'write': shell.append, 'flush': print})()"])
def test_it_runs_where_standard_output_is_another_one_as_in_idle_or_a_notebook(runs, output):
    code = f"""
import io, sys
shell = []
from send import main
from connection import run
terminal, sys.stdout = sys.stdout, {output}
run(main)
print("and on")
said = "".join(shell) or sys.stdout.getvalue()
sys.stdout = terminal
print(said)
"""
    assert runs(code).out == " [x] Sent 'Hello World!'\nand on\n\n"


def test_run_says_nothing_of_its_own_in_a_program_that_takes_its_time(runs):
    program = runs("import time, connection\nconnection.run(lambda: time.sleep(6))")
    assert (program.returncode, program.out, program.err) == (0, "", "")


def test_connect_says_why_not_to_whoever_calls_it(runs):
    code = """
from connection import connect
import pika
for attempt in range(2):
    try:
        connect()
    except pika.exceptions.AMQPConnectionError as error:
        print(error)
"""
    program = runs(code, url="amqp://learner:s3cret@localhost:1")
    assert program.out == "localhost:1, vhost /: nothing listens there, or it is out of reach\n" * 2
    assert program.err == ""


CONSUMES = """
from connection import connect, keep_running
def main():
    channel = connect().channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
    for method, properties, body in channel.consume("hello", auto_ack=True):
        print(body.decode())
keep_running(main)
"""
SENDS = """
from connection import connect, keep_running
import itertools, time
number = itertools.count()
def main():
    channel = connect().channel()
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    while True:
        message = str(next(number))
        channel.basic_publish(exchange="", routing_key="hello", body=message, mandatory=True)
        print(message)
        time.sleep(0.1)
keep_running(main)
"""


def test_channel_consume_goes_on_after_an_outage(runs, proxy, hello):
    cable = proxy()
    publish(hello, "one")
    program = runs(CONSUMES, until="one\n", url=cable.url)
    cable.cut()
    wait_for(lambda: program.err == LOST)
    hello.basic_publish(exchange="", routing_key="hello", body="two")
    wait_for(lambda: program.out == "one\ntwo\n")


def test_a_sender_that_loops_goes_on_after_an_outage(runs, proxy, hello):
    cable = proxy()
    program = runs(SENDS, until="2\n", url=cable.url)
    cable.cut()
    wait_for(lambda: program.err == LOST)
    told = program.out
    wait_for(lambda: len(program.out) > len(told) + 2)
    program.end()
    assert set(program.out.split()) <= set(take(hello))


CLOSES = {  # what a reader's line makes RabbitMQ close, at once or when a message comes: its words
    "a missing exchange": ('ch.basic_publish(exchange="none", routing_key="", body="")', "NOT_FOUND - no exchange 'none'"),
    "an unknown delivery": ("ch.basic_ack(delivery_tag=99)", "PRECONDITION_FAILED - unknown delivery tag 99"),
}


@pytest.mark.parametrize("line, words", CLOSES.values(), ids=CLOSES)
def test_what_rabbitmq_refuses_in_the_callback_ends_the_program(receive, send, copy, line, words):
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    assert receiver.status() == 1
    assert re.fullmatch(rf" \[!\] {words}.*\n", receiver.err)


def test_what_rabbitmq_refuses_by_closing_the_connection_ends_the_program_in_one_line(start, copy):
    consumes = "    channel.basic_consume("
    receiver = start(copy("receive.py", (consumes, f"    channel.basic_qos(prefetch_size=1)\n{consumes}")))
    assert (receiver.status(), receiver.out) == (1, "")
    assert re.fullmatch(r" \[!\] NOT_IMPLEMENTED - prefetch_size!=0 .*\n", receiver.err)


def test_the_queue_of_2018_works_or_is_refused_in_one_line(start, copy, hello, broker):
    old = ('channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})', "")
    receiver = start(copy("receive.py", (old[0], 'channel.queue_declare(queue="old")')))
    wait_for(lambda: receiver.out or receiver.poll() is not None)
    assert receiver.out == WAITING or re.fullmatch(r" \[!\] INTERNAL_ERROR - .*transient_nonexcl_queues.*\n", receiver.err)


def test_when_nobody_reads_the_output_any_more_python_says_so(start):
    piped = start("-c", f"{os.sys.executable} send.py | true", program="bash")
    assert piped.status() == 0
    assert " [!] " not in piped.err
