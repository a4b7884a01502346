"""The changes and programs that the pages show, made and run as a reader does."""

import configparser
import json
import signal
import subprocess
import sys

import pika
import pytest
from support.broker import COMPOSE
from support.pages import changes, named_block, read_page
from support.programs import change_file, copy_programs
from support.project import AGAIN, LOST, NO_LONGER_WAITING, PROJECT, WAITING
from support.waiting import wait_until

README = "README.md"
NO_MESSAGE_LOST = "docs/no-message-lost.md"
YOUR_OWN_PROGRAM = "docs/your-own-program.md"


@pytest.fixture
def copy_with_program(tmp_path):
    """Copy the three files, save a program of a page beside them, and return its path.

    `copy_with_program("docs/page.md", "name of the block", "program.py")`
    """

    def copy(page, name, file_name):
        path = copy_programs(tmp_path) / file_name
        path.write_text(named_block(page, name).text, encoding="utf-8")
        return path

    return copy


def assert_one_outage(program):
    """Assert that one line on standard error tells of one lost connection, and nothing else."""
    assert program.err.startswith(LOST)
    assert program.err.endswith(AGAIN)
    assert program.err.count("\n") == 1


# README.md


def test_without_connection_py_the_programs_use_pika(
    copy_as_shown, broker, run_python, start_receive
):
    sender = copy_as_shown(README, "without-connection-py") / "send.py"
    receiver = sender.parent / "receive.py"
    last_line = read_page("receive.py").splitlines()[-1]
    for change in changes(named_block(README, "without-connection-py").text):
        change_file(receiver, [(change.old.replace("    run(main)", last_line), change.new)])
    here = f'("localhost", port={broker.port}, virtual_host="{broker.name}")'
    for path in [sender, receiver]:
        change_file(path, [('("localhost")', here)])

    quiet = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}  # of pika 1.5
    receiving = start_receive(receiver, **quiet)
    sending = run_python(sender, **quiet)

    assert sending.err == ""
    assert sending.out == " [x] Sent 'Hello World!'\n"
    receiving.wait_for_out(" [x] Received 'Hello World!'\n")


def test_write_to_a_file_keeps_the_messages_there(copy_as_shown, start_receive, run_send):
    path = copy_as_shown(README, "write-to-a-file") / "receive.py"
    start_receive(path)

    run_send("Good morning")
    run_send("你好")

    saved = path.parent / "messages.txt"
    wait_until(
        lambda: saved.read_text(encoding="utf-8") if saved.exists() else None,
        lambda text: text == "Good morning\n你好\n",
        "both messages in messages.txt",
    )


def test_json_is_sent_and_received(copy_as_shown, start_receive, run_python):
    folder = copy_as_shown(README, "json")
    receiver = start_receive(folder / "receive.py")

    sender = run_python(folder / "send.py")

    assert sender.err == ""
    receiver.wait_for_out(" [x] Received 'Hello World!', number 1\n")
    assert receiver.err == ""


def test_a_sender_that_goes_on_does_so_after_an_outage(
    copy_as_shown, start_python, proxy, hello_queue
):
    path = copy_as_shown(README, "a-sender-that-goes-on") / "send.py"
    sender = start_python(path, url=proxy.url, PYTHONUNBUFFERED="1")  # as in a terminal
    sender.wait_for_out("Sent", times=2)

    proxy.cut()
    sender.wait_for_err(AGAIN)
    sent_before = sender.out.count("Sent")
    sender.wait_for_out("Sent", times=sent_before + 2)

    sender.kill()
    assert_one_outage(sender)
    assert len(hello_queue.take_all()) >= sender.out.count("Sent")


# docs/no-message-lost.md


def test_a_bad_message_is_rejected_and_does_not_come_back(
    copy_as_shown, start_receive, hello_queue
):
    path = copy_as_shown(NO_MESSAGE_LOST, "reject-a-bad-message") / "receive.py"
    receiver = start_receive(path)

    hello_queue.publish("12", "twelve", "13")

    receiver.wait_for_out(" [x] Received 13\n")
    receiver.press_ctrl_c()
    receiver.wait_for_end()
    assert receiver.out == (
        WAITING + " [x] Received 12\n [x] Rejected b'twelve'\n [x] Received 13\n"
    )
    assert receiver.err == ""
    hello_queue.wait_for_consumers(0)
    assert hello_queue.take_all() == []


def test_a_second_copy_of_a_message_is_skipped(copy_as_shown, start_receive, hello_queue):
    receiver = start_receive(copy_as_shown(NO_MESSAGE_LOST, "skips-second-copies") / "receive.py")

    for message_id, body in [("a", "one"), ("a", "one"), ("b", "two")]:
        properties = pika.BasicProperties(message_id=message_id)
        hello_queue.channel.basic_publish("", "hello", body, properties)

    receiver.wait_for_out("'two'")
    assert receiver.out == f"{WAITING} [x] Received 'one'\n [x] Received 'two'\n"
    assert receiver.err == ""


def test_messages_of_their_own_ids_are_all_printed(copy_as_shown, start_receive, run_python):
    folder = copy_as_shown(NO_MESSAGE_LOST, "skips-second-copies")
    receiver = start_receive(folder / "receive.py")

    run_python(folder / "send.py", "same")
    run_python(folder / "send.py", "same")

    receiver.wait_for_out(" [x] Received 'same'\n", times=2)
    assert receiver.err == ""


# docs/your-own-program.md: where connect() belongs, and the end


def test_counting_messages_goes_on_after_an_outage(
    copy_as_shown, start_receive, proxy, hello_queue
):
    path = copy_as_shown(YOUR_OWN_PROGRAM, "counts-messages") / "receive.py"
    receiver = start_receive(path, url=proxy.url)
    hello_queue.publish("one")
    receiver.wait_for_out(" [x] Received 'one', message 1\n")

    proxy.cut()
    receiver.wait_for_out(WAITING, times=2)
    hello_queue.publish("two")

    receiver.wait_for_out(" [x] Received 'two', message 2\n")
    assert_one_outage(receiver)


def test_it_ends_after_the_message_end_and_the_next_stays(copy_as_shown, run_python, hello_queue):
    path = copy_as_shown(YOUR_OWN_PROGRAM, "ends-after-a-message") / "receive.py"
    hello_queue.fill("one", "end", "two")

    receiver = run_python(path)

    received = " [x] Received 'one'\n [x] Received 'end'\n"
    assert receiver.err == ""
    assert receiver.out == WAITING + received + NO_LONGER_WAITING
    assert receiver.status == 0
    hello_queue.wait_for_messages(1)
    assert hello_queue.take_all() == ["two"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_after_a_signal_and_says_so(copy_as_shown, start_receive, number):
    path = copy_as_shown(YOUR_OWN_PROGRAM, "ends-after-a-signal") / "receive.py"
    receiver = start_receive(path)

    receiver.send_signal(number)

    assert receiver.wait_for_end() == 0
    assert receiver.err == ""
    assert receiver.out == WAITING + NO_LONGER_WAITING


def test_a_total_survives_an_outage_and_ends_with_a_message(
    copy_with_program, start_python, broker, proxy, hello_queue
):
    total = start_python(
        copy_with_program(YOUR_OWN_PROGRAM, "sums-numbers", "total.py"), url=proxy.url
    )
    total.wait_for_out("Waiting for numbers")
    publish = hello_queue.channel.basic_publish
    publish("", "numbers", "1")
    total.wait_for_out("total 1\n")
    wait_until(  # for its acknowledgement, or else it would come again
        lambda: broker.rabbitmqctl("-q", "list_channels", "vhost", "messages_unacknowledged"),
        lambda printed: f"{broker.name}\t1" not in printed,
        "no message that is not acknowledged",
    )

    proxy.cut()
    total.wait_for_out("Waiting for numbers", times=2)
    publish("", "numbers", "three")
    publish("", "numbers", "41")
    publish("", "numbers", "end")

    assert total.wait_for_end() == 0
    assert total.out == (
        " [*] Waiting for numbers. To exit press CTRL+C\n"
        " [x] Received 1, total 1\n"
        " [*] Waiting for numbers. To exit press CTRL+C\n"
        " [x] Rejected b'three'\n"
        " [x] Received 41, total 42\n"
        " [*] The total is 42\n"
    )
    assert_one_outage(total)


# docs/your-own-program.md: a sender that pauses


def type_lines(start_program, path, *lines, **keywords):
    """Start a program whose standard input is these lines, and then its end, as after CTRL+D."""
    typed = path.parent / "typed.txt"
    typed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command = f"{sys.executable} {path.name} < {typed.name}"
    return start_program("bash", "-c", command, cwd=path.parent, **keywords)


def test_each_typed_line_is_sent(copy_with_program, start_program, hello_queue):
    path = copy_with_program(YOUR_OWN_PROGRAM, "sends-typed-lines", "chat.py")

    sender = type_lines(start_program, path, "Good morning", "你好")

    assert sender.wait_for_end() == 0
    assert sender.err == ""
    assert sender.out == (
        " [*] Type lines to send. To exit press CTRL+D\n"
        " [x] Sent 'Good morning'\n"
        " [x] Sent '你好'\n"
    )
    assert hello_queue.take_all() == ["Good morning", "你好"]


def test_a_typed_line_is_sent_again_until_rabbitmq_is_back(
    copy_with_program, start_program, proxy, hello_queue
):
    path = copy_with_program(YOUR_OWN_PROGRAM, "sends-typed-lines", "chat.py")
    proxy.let_nobody_in()
    sender = type_lines(start_program, path, "one", "two", url=proxy.url)
    sender.wait_for_err("; sending again in 5 seconds\n")
    assert " [x] Sent" not in sender.out

    proxy.let_in()

    assert sender.wait_for_end() == 0
    assert sender.out.endswith(" [x] Sent 'one'\n [x] Sent 'two'\n")
    assert hello_queue.take_all() == ["one", "two"]


# docs/your-own-program.md: a picture


def test_a_picture_arrives_as_it_is(copy_as_shown, start_receive, run_python):
    folder = copy_as_shown(YOUR_OWN_PROGRAM, "picture")
    picture = PROJECT / "docs/hello.svg"
    size = len(picture.read_bytes())
    receiver = start_receive(folder / "receive.py")

    sender = run_python(folder / "send.py", picture)

    assert sender.out == f" [x] Sent {size} bytes\n"
    receiver.wait_for_out(f" [x] Received {size} bytes\n")
    assert (folder / "received.svg").read_bytes() == picture.read_bytes()


# docs/your-own-program.md: slow work


def test_slow_work_is_shared_with_a_receiver_that_comes_later(
    copy_as_shown, start_receive, hello_queue
):
    path = copy_as_shown(YOUR_OWN_PROGRAM, "shares-slow-work") / "receive.py"
    hello_queue.fill(*map(str, range(50)))
    first = start_receive(path)
    first.wait_for_out("Received")

    second = start_receive(path)

    second.wait_for_out("Received")
    printed = first.out.count("Received")
    first.wait_for_out("Received", times=printed + 1)


@pytest.fixture
def receiver_with_threads(copy_as_shown):
    """The receiver that works in a thread: for one second instead of 300, and says so."""
    path = copy_as_shown(YOUR_OWN_PROGRAM, "work-in-a-thread") / "receive.py"
    work = 'print("working", flush=True)\n        time.sleep(1)'
    change_file(path, [("time.sleep(300)", work)])
    return path


def test_work_in_a_thread_is_acknowledged(receiver_with_threads, start_receive, hello_queue):
    receiver = start_receive(receiver_with_threads)

    hello_queue.publish("one", "two")

    done = "working\n [x] Done with 'one'\nworking\n [x] Done with 'two'\n"
    receiver.wait_for_out(done)  # two comes when one is acknowledged
    assert receiver.out == WAITING + done
    assert receiver.err == ""


def test_work_in_a_thread_comes_again_after_an_outage(
    receiver_with_threads, start_receive, proxy, hello_queue
):
    receiver = start_receive(receiver_with_threads, url=proxy.url)
    hello_queue.publish("one")
    receiver.wait_for_out("working")

    proxy.cut()

    receiver.wait_for_out(" [x] Done with 'one'\n", times=2)
    assert_one_outage(receiver)


# docs/your-own-program.md: other programs, services, containers


@pytest.fixture
def send_order(copy_with_program, run_python):
    """Call send_order() of the web program with "one"; return the program, which has ended."""
    path = copy_with_program(YOUR_OWN_PROGRAM, "in-a-web-program", "web.py")
    with path.open("a", encoding="utf-8") as file:
        print('\nprint(send_order("one"))', file=file)

    def send(**keywords):
        return run_python(path, **keywords)

    return send


def test_a_web_program_says_that_it_has_sent(send_order, hello_queue):
    program = send_order()

    assert program.err == ""
    assert program.out == "('sent', 200)\n"
    assert hello_queue.take_all() == ["one"]


def test_a_web_program_says_why_it_has_not_sent(send_order):
    program = send_order(url="amqp://localhost:1")

    assert program.err == ""
    assert program.out.startswith("('not sent: cannot connect to localhost:1: ")
    assert program.out.endswith("', 503)\n")
    assert program.status == 0


def test_the_url_of_the_service_is_one_that_connect_reads(run_python, tmp_path):
    unit = read_unit(named_block(YOUR_OWN_PROGRAM, "systemd-unit").text)
    variable, _, url = unit["Service"]["Environment"].partition("=")
    assert variable == "RABBITMQ_URL"
    program = copy_programs(tmp_path) / "show.py"
    program.write_text(
        "import sys\n"
        "from connection import read_url\n"
        "read = read_url(sys.argv[1])\n"
        "print(read.host, read.virtual_host, read.connection_attempts, read.retry_delay)\n"
    )

    shown = run_python(program, url)

    assert shown.err == ""
    assert shown.out == "localhost demo 10 1.0\n"


def test_the_service_starts_receive_py_in_its_folder():
    unit = read_unit(named_block(YOUR_OWN_PROGRAM, "systemd-unit").text)

    service = unit["Service"]
    assert service["ExecStart"] == f"{service['WorkingDirectory']}/.venv/bin/python receive.py"
    assert service["Restart"] == "on-failure"


def read_unit(text):
    """Read a unit file of systemd."""
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # names as they are written
    unit.read_string(text)
    return unit


def test_compose_reads_the_container_of_the_receiver(tmp_path):
    if not docker_compose_works():
        pytest.skip("there is no Docker with Compose here")
    text = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    services, _, volumes = text.partition("\nvolumes:\n")
    added = named_block(YOUR_OWN_PROGRAM, "in-a-container").text
    file = tmp_path / "docker-compose.yml"
    file.write_text(f"{services}{added}\nvolumes:\n{volumes}", encoding="utf-8")

    command = [*COMPOSE, "--file", file, "config", "--format=json"]
    config = json.loads(subprocess.check_output(command))

    receive = config["services"]["receive"]
    assert receive["environment"] == {"RABBITMQ_URL": "amqp://guest:guest@rabbitmq"}
    assert receive["depends_on"]["rabbitmq"]["condition"] == "service_healthy"
    assert receive["init"] is True
    assert receive["volumes"][0]["target"] == receive["working_dir"]


def docker_compose_works():
    try:
        return subprocess.run([*COMPOSE, "version"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
