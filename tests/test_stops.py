"""What someone sees who stops a program with CTRL+C, or with SIGTERM: it ends at once, whatever it is doing."""

import random
import signal
import threading
import time

import pytest
from conftest import STOP, WAITING, wait_for

ANSWERED = {  # a program that waits for an answer, and what it has said just before
    "send connects": ("send.py", b"AMQP"),
    "receive connects": ("receive.py", b"AMQP"),
    "send declares": ("send.py", b"x-queue-type"),
    "receive declares": ("receive.py", b"x-queue-type"),
    "send publishes": ("send.py", b"Hello World!"),
    "receive consumes": ("receive.py", b"ctag"),
}
stops = pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["CTRL+C", "SIGTERM"])
both_programs = pytest.mark.parametrize("program", ["send.py", "receive.py"])
options = pytest.mark.parametrize("option", [[], ["--ack"]], ids=["default", "--ack"])


def ends(program, stop):
    """Stop a program, and assert that the signal ends it."""
    program.send_signal(stop)
    assert program.status(STOP) == -stop


@pytest.fixture
def slow_pika(tmp_path):
    """A folder with a package pika that takes long to import, and a file that tells when that begins."""
    begun = tmp_path / "begun"
    (tmp_path / "pika.py").write_text(f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep(90)\n")
    return tmp_path, begun


@stops
@both_programs
def test_while_pika_is_imported(start, slow_pika, program, stop):
    folder, begun = slow_pika
    importing = start(program, PYTHONPATH=str(folder))
    wait_for(begun.exists)
    ends(importing, stop)
    assert (importing.out, importing.err) == ("", "")


@stops
@pytest.mark.parametrize("program, said", ANSWERED.values(), ids=ANSWERED)
def test_while_it_waits_for_rabbitmqs_answer(start, proxy, program, said, stop):
    between, heard = proxy(), threading.Event()

    def hold(data):
        if said in data:
            heard.set()
            time.sleep(STOP)
            return True

    between.cut = hold
    waiting = start(program, url=between.url)
    assert heard.wait(90)
    ends(waiting, stop)
    assert (waiting.out, waiting.err) == ("", "")


@stops
@options
def test_while_receive_waits_for_messages(receive, option, stop):
    receiver = receive(*option)
    ends(receiver, stop)
    assert (receiver.out, receiver.err) == (WAITING, "")


@stops
@options
def test_while_messages_never_stop_coming(receive, fill, option, stop):
    fill(50_000)
    receiver = receive(*option)
    wait_for(lambda: "Received" in receiver.out)
    ends(receiver, stop)
    assert receiver.err == ""


@stops
@options
def test_while_nobody_reads_the_output_of_receive(fill, stuck, option, stop):
    fill(1, 1_000_000)
    ends(stuck(*option), stop)


@stops
def test_while_receive_connects_again(receive, proxy, stop):
    cable = proxy()
    receiver = receive(url=cable.url)
    cable.close(cable.server)
    cable.cut_all()
    wait_for(lambda: "nothing listens there" in receiver.err)
    ends(receiver, stop)
    assert receiver.err.count("\n") == 2


def test_at_any_moment_from_the_first_byte_on_nothing_is_said(start, proxy, fill):
    fill(50_000)
    for number in range(30):
        between = proxy()
        program = start(*(["send.py"], ["receive.py", "--ack"])[number % 2], url=between.url)
        wait_for(lambda between=between: between.passed[0])
        time.sleep(random.random() / 5)
        stop = random.choice([signal.SIGINT, signal.SIGTERM])
        program.send_signal(stop)
        assert program.status(STOP) in ((-stop,) if number % 2 else (0, -stop)), f"try {number}"
        assert program.err == "", f"try {number}"


@both_programs
def test_ctrl_c_in_a_terminal_ends_the_program_and_a_loop_over_it(terminal, silent, program):
    command = f"for i in 1 2 3; do $python {program}; done; echo not ended"
    loop = terminal("-c", command, program="bash", url=f"amqp://127.0.0.1:{silent.getsockname()[1]}")
    with silent.accept()[0] as client:
        assert client.recv(4) == b"AMQP"
        loop.sendintr()
        assert loop.read().replace("^C", "").strip() == ""
    loop.wait()
    assert loop.signalstatus == signal.SIGINT


def test_a_signal_that_the_parent_ignores_stays_ignored(start, send):
    receiver = start("-c", "trap '' INT; exec $python receive.py", program="bash")
    wait_for(lambda: receiver.out == WAITING)
    receiver.send_signal(signal.SIGINT)
    assert send().returncode == 0
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello World!'\n")
    ends(receiver, signal.SIGTERM)
