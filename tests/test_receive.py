"""What someone sees who runs receive.py."""

import kombu
import pytest
from conftest import WAITING, wait_for


def publish(channel, body):
    """Publish a message as any other client does."""
    channel.basic_publish(exchange="", routing_key="hello", body=body)


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_it_waits_and_prints_a_message_that_is_sent_later(receive, send, option):
    receiver = receive(*option)
    send()
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello World!'\n")
    assert (receiver.err, receiver.poll()) == ("", None)


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_it_prints_messages_that_were_sent_before(receive, send, hello, option):
    send("one")
    send("two")
    receiver = receive(*option)
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'one'\n [x] Received 'two'\n")


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_it_says_that_it_waits_only_when_it_is_a_consumer(start, proxy, option):
    between, heard, receivers = proxy(), [], []

    def listen(data):
        heard.append((data, [each.out for each in receivers]))

    between.cut = listen
    receivers.append(start("receive.py", *option, url=between.url))
    wait_for(lambda: receivers[0].out == WAITING)
    assert [out for data, out in heard if b"hello" in data] == [[""], [""]]  # it declares the queue, and consumes


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


@pytest.fixture
def team(broker):
    """The URL of the user zoe, with a difficult password, in a virtual host with a blank in its name."""
    broker.rabbitmqctl("add_vhost", "/team a")
    broker.rabbitmqctl("add_user", "zoe", "p@ss/w:rd,1")
    broker.rabbitmqctl("set_permissions", "-p", "/team a", "zoe", ".*", ".*", ".*")
    yield f"amqp://zoe:p%40ss%2Fw%3Ard%2C1@localhost:{broker.port}/%2Fteam%20a"
    broker.rabbitmqctl("delete_vhost", "/team a")
    broker.rabbitmqctl("delete_user", "zoe")


def test_another_virtual_host_and_user_can_be_named(team, receive, send):
    receiver = receive(url=team)
    assert send("Hello", "team", url=team).returncode == 0
    wait_for(lambda: receiver.out == WAITING + " [x] Received 'Hello team'\n")


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
    helped = start("receive.py", "-h", url="amqp://localhost:1")
    assert (helped.status(), helped.err) == (0, "")
    assert "--ack" in helped.out and "come twice" in helped.out
