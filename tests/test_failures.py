"""What someone sees when something is wrong: one line that says what, or nothing where nothing is to be said."""

import os
import re
import signal
import ssl
from pathlib import Path

import pika
import pytest
import trustme
from conftest import STILL, WAITING, wait_for
from port_for import get_port

SENT = " [x] Sent 'Hello World!'\n"
MAYBE = "; the message may or may not have arrived"
MALFORMED = (
    " [!] RABBITMQ_URL is malformed: write amqp://user:password@host:port/vhost, "
    "with @ : / ? # , as %40 %3A %2F %3F %23 %2C\n"
)

both_programs = pytest.mark.parametrize("program", ["send.py", "receive.py"])


@pytest.fixture
def failed():
    """Wait until a program has failed as it should, and return the one line that it has printed."""

    def failed(program, out=""):
        assert (program.status(), program.out) == (1, out)
        assert re.fullmatch(r" \[!\] .*\n", program.err)
        assert "s3cret" not in program.err
        return program.err

    return failed


@pytest.fixture
def fails(start, failed):
    """Run a program that fails, and return the one line that it prints."""

    def fails(*words, out="", **keywords):
        return failed(start(*words, **keywords), out)

    return fails


@pytest.fixture(scope="module")
def whole_team(whole_broker):
    """The virtual host "team" and the user "learner", who may nothing there yet."""
    whole_broker.rabbitmqctl("add_vhost", "team")
    whole_broker.rabbitmqctl("add_user", "learner", "s3cret")
    yield
    whole_broker.rabbitmqctl("delete_vhost", "team")
    whole_broker.rabbitmqctl("delete_user", "learner")


@pytest.fixture
def allow(broker, whole_team):
    """Give the user learner permissions in the virtual host team: configure, write, read."""
    yield lambda *three: broker.rabbitmqctl("set_permissions", "-p", "team", "learner", *three)
    broker.rabbitmqctl("clear_permissions", "-p", "team", "learner")


@pytest.fixture
def learner(broker, whole_team):
    """The address of the user learner in a virtual host."""
    return lambda vhost: f"amqp://learner:s3cret@localhost:{broker.port}/{vhost}"


@pytest.fixture
def no_connections(broker, whole_team):
    """The virtual host team is at its connection limit."""
    broker.rabbitmqctl("set_vhost_limits", "-p", "team", '{"max-connections": 0}')
    yield
    broker.rabbitmqctl("clear_vhost_limits", "-p", "team")


@pytest.fixture
def ca():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def tls(proxy, ca):
    """Put TLS in front of the broker, with a certificate for a host name, and return the port."""

    def tls(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(name).configure_cert(context)
        return proxy(context).port

    return tls


@both_programs
def test_nothing_listens_there(fails, program):
    port = get_port(None)
    line = fails(program, url=f"amqp://learner:s3cret@localhost:{port}/")
    assert line == f" [!] localhost:{port}: nothing listens there; start RabbitMQ with ./setup.sh\n"


@both_programs
def test_the_host_name_is_unknown(fails, program):
    line = fails(program, url="amqp://learner:s3cret@no-such-host.invalid/")
    assert re.fullmatch(r" \[!\] no-such-host\.invalid:5672: [\w ,]+\n", line)  # the system's words


@both_programs
def test_every_node_of_a_list_is_named_when_none_answers(fails, program):
    ports = [get_port(None), get_port(None)]
    urls = [f"amqp://learner:s3cret@127.0.0.1:{port}/" for port in ports]
    line = fails(program, url=f"amqp://learner:s3cret@no-such-host.invalid, {','.join(urls)}")
    assert re.search("no-such-host.invalid:5672: .*; 127.0.0.1:{}: .*; 127.0.0.1:{}: ".format(*ports), line)


def test_something_listens_there_that_is_not_rabbitmq(start, failed, silent, web_server, tls):
    ports = [silent.getsockname()[1], web_server, tls("localhost")]
    names = ["send.py", "receive.py"]
    programs = {
        (port, name): start(name, url=f"amqp://learner:s3cret@localhost:{port}/") for port in ports for name in names
    }
    for (port, name), program in programs.items():
        program.status()
        if name == "send.py":  # it is told to wait where nothing is said
            program.files[1].write_text(program.err.replace(STILL, "", 1))
        assert failed(program) == f" [!] localhost:{port}: no RabbitMQ answers there\n"


@both_programs
@pytest.mark.parametrize("user", ["guest", "nobody"])
def test_the_user_or_the_password_is_wrong(broker, fails, program, user):
    line = fails(program, url=f"amqp://{user}:s3cret@localhost:{broker.port}/")
    assert line.startswith(f" [!] localhost:{broker.port}: ACCESS_REFUSED - Login was refused")


@both_programs
def test_the_virtual_host_does_not_exist(broker, fails, learner, program):
    line = fails(program, url=learner("it's%20%22nowhere%22"))
    assert re.search(rf"localhost:{broker.port}: NOT_ALLOWED - vhost it\\?'s \"nowhere\" not found$", line)


@both_programs
def test_the_virtual_host_is_not_permitted(broker, fails, learner, program):
    line = fails(program, url=learner("team"))
    assert f"localhost:{broker.port}: NOT_ALLOWED - access to vhost 'team' refused for user 'learner'" in line


@both_programs
def test_the_virtual_host_is_at_its_connection_limit(fails, learner, allow, no_connections, program):
    allow(".*", ".*", ".*")
    line = fails(program, url=learner("team"))
    assert re.search("NOT_ALLOWED - .*connection limit \\(0\\) is reached", line)


@both_programs
def test_the_user_may_not_configure(fails, learner, allow, program):
    allow("^$", ".*", ".*")
    line = fails(program, url=learner("team"))
    assert re.match(r" \[!\] ACCESS_REFUSED - .*queue 'hello' in vhost 'team' refused for user 'learner'", line)


def test_the_user_may_not_write(fails, learner, allow):
    allow(".*", "^$", ".*")
    line = fails("send.py", url=learner("team"))
    assert re.match(r" \[!\] ACCESS_REFUSED - .*exchange .* refused for user 'learner'", line)
    assert MAYBE not in line


@pytest.mark.parametrize("option", [[], ["--ack"]])
def test_the_user_may_not_read(fails, learner, allow, option):
    allow(".*", ".*", "^$")
    line = fails("receive.py", *option, url=learner("team"))
    assert re.match(r" \[!\] ACCESS_REFUSED - .*queue 'hello' in vhost 'team' refused for user 'learner'", line)


@both_programs
@pytest.mark.parametrize("settings", [{"durable": True}, {}], ids=["classic", "transient as in 2018"])
def test_the_queue_exists_with_other_settings(fails, channel, program, settings):
    try:
        channel.queue_declare("hello", **settings)
    except pika.exceptions.AMQPError as error:
        assert not settings and "transient_nonexcl_queues" in str(error)
        pytest.skip("this RabbitMQ refuses a transient queue")
    line = fails(program)
    assert line.startswith(" [!] PRECONDITION_FAILED - inequivalent arg") and "for queue 'hello' in vhost '/'" in line


def test_another_program_has_the_queue_to_itself(fails, channel):
    channel.queue_declare("hello", exclusive=True)
    for program in ("send.py", "receive.py"):
        assert fails(program).startswith(" [!] RESOURCE_LOCKED - ")


@both_programs
@pytest.mark.parametrize(
    "url",
    [
        "http://learner:s3cret@localhost/",
        "learner:s3cret@localhost",
        "amqp://learner:s3cret@localhost:port/",
        "amqp://learner:s3cret@localhost/?heartbeat=often",
        "amqps://learner:s3cret@localhost/?ssl_options={'certfile': 'no.pem', 'password': 's3cret'}",
        "amqp://learner:1/s3cret@localhost/",
        "amqp://learner:1?s3cret@localhost/",
        "amqp://learner:1,s3cret@localhost/",
    ],
    ids=["scheme", "no scheme", "port", "option", "file", "password with /", "with ?", "with a comma"],
)
def test_rabbitmq_url_is_malformed(fails, program, url):
    assert fails(program, url=url) == MALFORMED


@both_programs
def test_a_password_with_unescaped_characters_that_do_no_harm_is_not_shown(broker, fails, program):
    line = fails(program, url=f"amqp://learner:s3cret@s3cret:s3cret@localhost:{broker.port}/")
    assert line.startswith(f" [!] localhost:{broker.port}: ACCESS_REFUSED - Login was refused")


@pytest.mark.parametrize("program, shown", [("send.py", SENT), ("receive.py", WAITING)])
def test_tls_with_a_trusted_certificate_works(start, tls, ca, tmp_path, program, shown):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    url = f"amqps://guest:guest@localhost:{tls('localhost')}/%2F"
    started = start(program, url=url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    wait_for(lambda: started.out == shown)
    assert started.err == ""


@both_programs
def test_tls_to_the_plain_port_fails(broker, fails, program):
    line = fails(program, url=f"amqps://learner:s3cret@localhost:{broker.port}/")
    assert line.startswith(f" [!] localhost:{broker.port}: [SSL")


@both_programs
def test_a_certificate_that_is_not_trusted_is_refused(fails, tls, program):
    line = fails(program, url=f"amqps://guest:guest@localhost:{(port := tls('localhost'))}/%2F")
    assert f"localhost:{port}: [SSL" in line and "certificate verify failed" in line


@both_programs
def test_a_certificate_for_another_name_is_refused(fails, tls, ca, tmp_path, program):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    url = f"amqps://guest:guest@localhost:{tls('elsewhere.example')}/%2F"
    line = fails(program, url=url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert "certificate verify failed" in line and "'localhost'" in line


def test_the_message_is_not_sent_when_the_queue_is_deleted_in_between(fails, proxy, hello):
    between = proxy()

    def delete(data):
        if b"Hello World!" in data:
            hello.queue_delete("hello")

    between.cut = delete
    assert fails("send.py", url=between.url) == " [!] not sent: the queue is gone\n"


def test_the_message_is_not_sent_when_the_queue_is_full(fails, full):
    line = " [!] not sent: the queue may be full, or the nodes that hold it are down\n"
    assert fails("send.py") == line


def test_the_message_may_or_may_not_have_arrived_when_the_connection_breaks_before_the_confirm(fails, proxy):
    between = proxy()
    between.cut = lambda data: b"Hello World!" in data
    assert fails("send.py", url=between.url) == f" [!] the connection was lost{MAYBE}\n"


def test_the_message_is_sent_when_the_connection_breaks_after_the_confirm(send, proxy, hello):
    between, seen = proxy(), []

    def cut(data):
        if seen:
            return True
        seen.extend([data] if b"Hello World!" in data else [])

    between.cut = cut
    sent = send(url=between.url)
    assert seen and (sent.out, sent.err, sent.returncode) == (SENT, "", 0)
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


def test_receive_ends_when_the_connection_breaks_before_it_has_ever_waited(fails, proxy):
    between = proxy()
    between.cut = lambda data: b"x-queue-type" in data
    assert fails("receive.py", url=between.url) == " [!] the connection was lost\n"


def test_send_waits_while_rabbitmq_blocks_publishers_and_sends_when_the_alarm_clears(start, alarm):
    sender = start("send.py")
    wait_for(lambda: sender.err == STILL)
    assert (sender.poll(), sender.out) == (None, "")
    alarm()
    assert (sender.status(), sender.out, sender.err) == (0, SENT, STILL)


@pytest.mark.parametrize("option", ["", "?blocked_connection_timeout=7"], ids=["60 s", "7 s"])
def test_send_gives_up_when_an_alarm_does_not_end(broker, start, alarm, option):
    sender = start("send.py", url=broker.url + option)
    wait_for(lambda: sender.err == STILL)
    assert (sender.status(), sender.out) == (1, "")
    assert sender.err == f"{STILL} [!] RabbitMQ is short of memory or disk{MAYBE}\n"


def test_receive_ends_in_silence_at_its_next_line_when_nobody_reads_any_more(start, hello):
    read, write = os.pipe()
    receiver = start("receive.py", stdout=write)
    os.close(write)
    assert os.read(read, 100).decode() == WAITING
    os.close(read)
    hello.basic_publish(exchange="", routing_key="hello", body=b"x")
    assert (receiver.status(), receiver.err) == (1, "")


def test_receive_ends_in_silence_when_nobody_reads_the_messages_any_more(shell, fill):
    fill(3, 100_000)  # more than a pipe holds
    ended = shell("$python receive.py --ack | head -3")
    assert (ended.out.count(" [x] Received '"), ended.err) == (2, "")


def test_send_ends_in_silence_when_nobody_reads_its_output(shell, hello):
    ended = shell("$python send.py | true")
    assert (ended.out, ended.err) == ("", "")
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("program, outcome", [("send.py", "; the message was sent"), ("receive.py", "")])
def test_a_full_disk_is_one_line_that_says_whether_the_message_was_sent(shell, program, outcome):
    ended = shell(f"$python {program} > /dev/full")
    assert (ended.err, ended.returncode) == (f" [!] standard output: No space left on device{outcome}\n", 1)


def test_send_sends_without_a_standard_output(shell, hello):
    ended = shell("$python send.py >&-")
    assert (ended.out, ended.err, ended.returncode) == ("", "", 0)
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


def test_receive_runs_without_a_standard_output(start, hello, consumers):
    receiver = start("-c", "exec $python receive.py >&-", program="bash")
    consumers(1)
    receiver.terminate()
    assert (receiver.status(), receiver.out, receiver.err) == (-signal.SIGTERM, "", "")
