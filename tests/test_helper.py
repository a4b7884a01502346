"""connection.py in programs of a reader's own: it changes nothing, and says why not."""

import re

from support.errors import the_error_line
from support.project import SENT

STATE = """
import signal, sys, threading, warnings

def state():
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    streams = [sys.stdin, sys.stdout, sys.stderr]
    settings = [(stream.line_buffering, stream.errors) for stream in streams]
    return handlers, streams, settings, sys.excepthook, threading.excepthook, warnings.filters[:]

before = state()
"""


def test_import_changes_nothing_also_in_a_thread(start_program):
    code = STATE + (
        "thread = threading.Thread(target=__import__, args=['connection'])\n"
        "thread.start()\n"
        "thread.join()\n"
        "print('connection' in sys.modules, state() == before)\n"
    )

    program = start_program("python", "-W", "error", "-c", code, url=None)

    assert program.wait_for_end() == 0
    assert program.err == ""
    assert program.out == "True True\n"


def test_run_changes_nothing_of_the_process(start_program, broker):
    code = STATE + (
        "import send\n"
        "from connection import run\n"
        "sys.argv = ['send.py']\n"
        "run(send.main)\n"
        "print(state() == before)\n"
    )

    program = start_program("python", "-c", code)

    assert program.wait_for_end() == 0
    assert program.err == ""
    assert program.out == f"{SENT}True\n"


def test_connect_says_why_it_cannot(start_program):
    code = (
        "import connection, pika\n"
        "try:\n"
        "    connection.connect()\n"
        "except pika.exceptions.AMQPError as error:\n"
        "    print(type(error).__name__, error)\n"
    )

    program = start_program("python", "-c", code, url="amqp://learner:s3cret@localhost:1")

    assert program.wait_for_end() == 0
    assert program.err == ""
    assert program.out.startswith("CannotConnect cannot connect to localhost:1: [Errno ")


def test_a_failure_in_a_thread_is_told(start_program):
    code = (
        "import threading\n"
        "from connection import connect, run\n"
        "thread = threading.Thread(target=run, args=[connect])\n"
        "thread.start()\n"
        "thread.join()\n"
        "print('the program goes on')\n"
    )

    program = start_program("python", "-c", code, url="amqp://localhost:1")

    assert program.wait_for_end() == 0
    assert program.out == "the program goes on\n"
    assert the_error_line(program).startswith("cannot connect to localhost:1: ")


def test_run_returns_so_that_a_program_can_go_on(start_program, broker):
    code = (
        "import sys, send\n"
        "from connection import run\n"
        "sys.argv = ['send.py']\n"
        "run(send.main, reconnect=True)\n"
        "print('and on')\n"
    )

    program = start_program("python", "-c", code)

    assert program.wait_for_end() == 0
    assert program.out == f"{SENT}and on\n"


def test_it_runs_where_standard_output_is_another_one(start_program, broker):
    """As in IDLE or in a notebook."""
    code = (
        "import contextlib, io, sys, send\n"
        "from connection import run\n"
        "sys.argv = ['send.py']\n"
        "with contextlib.redirect_stdout(io.StringIO()) as shell:\n"
        "    run(send.main)\n"
        "print(shell.getvalue(), end='')\n"
    )

    program = start_program("python", "-c", code)

    assert program.wait_for_end() == 0
    assert program.out == SENT


def test_the_official_line_in_main_is_told_in_one_line_too(run_python, changed_copy):
    path = changed_copy(
        "send.py",
        ("from connection import connect, run", "import pika\n\nfrom connection import run"),
        ("connect()\n", 'pika.BlockingConnection(pika.ConnectionParameters("localhost", 1))\n'),
    )

    sender = run_python(path)

    assert sender.status == 1
    assert sender.out == ""
    assert re.fullmatch(r" \[!\] \[Errno \d+\] Connection refused", sender.err.splitlines()[-1])


def test_an_internal_error_of_rabbitmq_is_waited_out(start_program):
    """It closes the connection with the code 541, and words of several lines."""
    code = (
        "import pika\n"
        "from connection import run\n"
        "errors = [pika.exceptions.ConnectionClosedByBroker(541, 'INTERNAL_ERROR -\\n  broken')]\n"
        "def main():\n"
        "    if errors:\n"
        "        raise errors.pop()\n"
        "    print('called again')\n"
        "run(main, reconnect=True)\n"
    )

    program = start_program("python", "-c", code, url=None)

    assert program.wait_for_end() == 0
    assert program.err == " [!] INTERNAL_ERROR - broken; connecting again in 5 seconds\n"
    assert program.out == "called again\n"


def test_an_error_without_words_is_told_by_its_name(start_program):
    code = (
        "import pika\n"
        "from connection import run\n"
        "def main():\n"
        "    raise pika.exceptions.AMQPConnectionError\n"
        "run(main)\n"
    )

    program = start_program("python", "-c", code, url=None)

    assert program.wait_for_end() == 1
    assert program.err == " [!] AMQPConnectionError: ()\n"
