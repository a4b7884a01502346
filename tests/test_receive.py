"""What someone sees who runs receive.py."""

import signal

import kombu
import pytest
from conftest import STOP, WAITING, wait_for


def publish(channel, *bodies):
    """Publish messages as any other client does."""
    for each in bodies:
        channel.basic_publish(exchange="", routing_key="hello", body=each)


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_it_waits_and_prints_a_message_that_is_sent_later(receive, send, option):
    receiver = receive(*option)
    send()
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello World!'\n")
    receiver.send_signal(signal.SIGINT)
    assert (receiver.status(STOP), receiver.err) == (0, "")


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_it_prints_messages_that_were_sent_before(receive, send, hello, option):
    send("one")
    send("two")
    receiver = receive(*option)
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'one'\n [x] Received 'two'\n")


def test_many_senders_and_receivers_share_one_queue(receive, start):
    receivers = [receive(), receive(), receive("--ack")]
    senders = [start("send.py", str(number)) for number in range(9)]
    assert [sender.status() for sender in senders] == [0] * 9
    wait_for(lambda: sum(receiver.out.count("Received") for receiver in receivers) == 9)
    lines = [line for receiver in receivers for line in receiver.out.splitlines()[1:]]
    assert sorted(lines) == [f" [x] Received '{number}'" for number in range(9)]


@pytest.mark.parametrize(
    "sent, shown",
    [
        ("你好，世界 🐇".encode(), "'你好，世界 🐇'"),
        (b"it's", '"it\'s"'),
        (b"", "''"),
        (b"\x1b[2J\x07 [x] Received\n [!] forged\r", r"'\x1b[2J\x07 [x] Received\n [!] forged\r'"),
        ("\u2028\u202e\x85".encode(), r"'\u2028\u202e\x85'"),
        (b"caf\xe9 \xff", r"'caf\\xe9 \\xff'"),
        (b"x" * 1_000_000, "'" + "x" * 1_000_000 + "'"),
    ],
    ids=["unicode", "quote", "empty", "escape sequences", "separators", "not UTF-8", "1 MB"],
)
def test_one_message_is_one_line_that_shows_it_as_python_shows_a_string(receive, hello, sent, shown):
    receiver = receive()
    publish(hello, sent)
    wait_for(lambda: receiver.out == WAITING + f" [x] Received {shown}\n")
    assert (receiver.err, receiver.poll()) == ("", None)


def test_a_terminal_without_the_characters_gets_them_escaped(receive, hello):
    receiver = receive(PYTHONIOENCODING="ascii")
    publish(hello, "你好".encode())
    wait_for(lambda: receiver.out == WAITING + " [x] Received '\\u4f60\\u597d'\n")


def test_ctrl_c_in_a_terminal_ends_it(terminal):
    receiver = terminal("receive.py")
    receiver.expect_exact(WAITING.strip())
    receiver.sendintr()
    assert receiver.expect_exact([receiver.linesep, "Traceback"]) == 0
    assert (receiver.read().replace("^C", "").strip(), receiver.wait()) == ("", 0)


def test_ctrl_c_while_messages_come_ends_it(terminal, hello):
    publish(hello, *[b"x"] * 5000)
    receiver = terminal("receive.py", "--ack")
    receiver.expect_exact("Received")
    receiver.sendintr()
    assert "Traceback" not in receiver.read()
    assert receiver.wait() == 0


def test_another_virtual_host_and_user_can_be_named(broker, receive, send):
    broker.rabbitmqctl("add_vhost", "/team a")
    broker.rabbitmqctl("add_user", "zoe", "p@ss/w:rd,1")
    broker.rabbitmqctl("set_permissions", "-p", "/team a", "zoe", ".*", ".*", ".*")
    url = f"amqp://zoe:p%40ss%2Fw%3Ard%2C1@localhost:{broker.port}/%2Fteam%20a"
    receiver = receive(url=url)
    assert send("Hello", "team", url=url).returncode == 0
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello team'\n")
    broker.rabbitmqctl("delete_vhost", "/team a")
    broker.rabbitmqctl("delete_user", "zoe")


def test_it_shares_the_queue_with_another_client(broker, receive, send, hello):
    with kombu.Connection(broker.url) as connection:
        send("from send.py")
        queue = connection.SimpleQueue(kombu.Queue("hello", no_declare=True), no_ack=True)
        assert bytes(queue.get(timeout=90).body) == b"from send.py"
        queue.close()
        receiver = receive()
        connection.Producer().publish("from kombu", routing_key="hello")
        wait_for(lambda: receiver.out == WAITING + " [x] Received 'from kombu'\n")


def test_h_explains_what_ack_costs_and_brings(start):
    helped = start("receive.py", "-h")
    assert helped.status() == 0
    assert "--ack" in helped.out and "come twice" in helped.out
