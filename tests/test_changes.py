"""What readers see who change the programs, or use connection.py in programs of their own."""

import re

import pytest
from machinery import AGAIN, LOST, WAITING, take, wait_for

PRINTS = """print(f" [x] Received {body.decode(errors='replace')!r}")"""
STARTS = "    channel.start_consuming()\n"
MISTAKES = {  # a line of the reader's own, and what Python then says of it
    "a missing file": ('open("missing.txt")', "FileNotFoundError: [Errno 2] No such file or directory: 'missing.txt'"),
    "a server that times out": ('raise TimeoutError("timed out")', "TimeoutError: timed out"),
    "a broken pipe": ("raise BrokenPipeError", "BrokenPipeError"),
    "a name that is not there": ("mesage", "NameError: name 'mesage' is not defined"),
}
REFUSED = {  # a line in the callback, and RabbitMQ's words
    "a missing exchange": ('ch.basic_publish(exchange="none", routing_key="", body="")', "NOT_FOUND - no exchange"),
    "an unknown delivery": ("ch.basic_ack(delivery_tag=99)", "PRECONDITION_FAILED - unknown delivery tag 99"),
    "what RabbitMQ has not": ("ch.basic_qos(prefetch_size=1)", "NOT_IMPLEMENTED - prefetch_size"),  # closes the connection
}
CLOSINGS = {
    "with": "    with open('saved.txt', 'w') as file:\n        channel.start_consuming()\n",
    "finally": "    file = open('saved.txt', 'w')\n    try:\n        channel.start_consuming()\n    finally:\n        file.close()\n",
}


def shows(program, line, error):
    """Assert that it has ended with a traceback that shows the reader's line, and no word of ours."""
    assert program.status() == 1
    assert "Traceback" in program.err and f"    {line}\n" in program.err
    assert error in program.err.splitlines()[-1] and " [!] " not in program.err


@pytest.mark.parametrize("line, error", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_a_traceback_and_nothing_is_called_sent(start, receive, send, copy, hello, line, error):
    sender = start(copy("send.py", ("    channel.basic_publish(", f"    {line}\n    channel.basic_publish(")))
    shows(sender, line, error)
    assert (sender.out, take(hello)) == ("", [])
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    shows(receiver, line, error)
    assert receiver.out == WAITING + " [x] Received 'Hello World!'\n"


@pytest.mark.parametrize("line, words", REFUSED.values(), ids=REFUSED)
def test_what_rabbitmq_refuses_in_the_callback_ends_the_program_in_one_line(receive, send, copy, line, words):
    receiver = receive(copy("receive.py", (PRINTS, f"{PRINTS}\n        {line}")))
    send()
    assert receiver.status() == 1
    assert re.fullmatch(rf" \[!\] {words}.*\n", receiver.err)


def test_the_queue_of_2018_works_or_is_refused_in_one_line(start, copy):
    receiver = start(copy("receive.py", (', durable=True, arguments={"x-queue-type": "quorum"}', "")))
    wait_for(lambda: receiver.out == WAITING or receiver.poll() == 1)
    assert re.fullmatch(r"( \[!\] INTERNAL_ERROR - .*transient_nonexcl_queues.*\n)?", receiver.err)


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_a_file_that_is_opened_once_has_all_messages_after_ctrl_c(terminal, send, copy, tmp_path, closing):
    closing = closing.replace("saved.txt", str(tmp_path / "saved.txt"))
    keeps = (PRINTS, f"{PRINTS}\n        print(body.decode(), file=file)")
    receiver = terminal(copy("receive.py", keeps, (STARTS, closing)))
    send("one")
    receiver.expect_exact("'one'\r\n")
    receiver.sendintr()
    assert receiver.read().strip() == "^C"
    assert (tmp_path / "saved.txt").read_text() == "one\n"


def test_channel_consume_goes_on_after_an_outage(start, copy, proxy, hello):
    cable, path = proxy(), copy("receive.py")
    text = path.read_text()
    consumes = '    for method, properties, body in channel.consume("hello", auto_ack=True):\n        print(body.decode())\n'
    path.write_text(text[: text.index("    def callback")] + consumes + text[text.index("\n\nif __name__") :])
    program = start(path, url=cable.url)
    for number in ("one\n", "two\n"):
        hello.basic_publish(exchange="", routing_key="hello", body=number.strip())
        wait_for(lambda number=number: program.out.endswith(number))
        cable.cut()
    wait_for(lambda: program.err == (LOST + AGAIN) * 2)


def test_to_import_connection_changes_nothing(start):
    code = """
import signal, sys, threading, warnings, pika
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


def test_a_program_that_imports_connection_cleans_up_at_ctrl_c(terminal):
    code = "import connection, time\ntry: print('ready') or [time.sleep(0.1) for _ in range(900)]\nfinally: print('clean')"
    program = terminal("-c", code)
    program.expect_exact("ready\r\n")
    program.sendintr()
    program.expect_exact("clean")


@pytest.mark.parametrize("output", ["io.StringIO()", "type('Shell', (), {'write': shell.append, 'flush': print})()"])
def test_it_runs_where_standard_output_is_another_one_as_in_idle_or_a_notebook(start, output):
    code = f"""
import io, sys, send, connection
shell = []
sys.argv, terminal, sys.stdout = ["send.py"], sys.stdout, {output}
connection.run(send.main)
print("and on")
print("".join(shell) or sys.stdout.getvalue(), file=terminal)
"""
    program = start("-c", code)
    assert (program.status(), program.out) == (0, " [x] Sent 'Hello World!'\nand on\n\n")


def test_connect_says_why_not_to_whoever_calls_it_and_run_says_nothing_of_its_own_for_long(start):
    code = """
import connection, pika, time
def main():
    for attempt in range(2):
        try:
            connection.connect()
        except pika.exceptions.AMQPConnectionError as error:
            print(error)
        time.sleep(3)
connection.run(main)
"""
    program = start("-c", code, url="amqp://learner:s3cret@localhost:1")
    assert (program.status(), program.err) == (0, "")
    assert program.out == "localhost:1, vhost /: nothing listens there, or it is out of reach\n" * 2


def test_when_nobody_reads_the_output_any_more_python_says_so(start):
    piped = start("-c", "python send.py | true", program="bash")
    assert piped.status() == 0 and " [!] " not in piped.err
