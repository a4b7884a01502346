"""What someone sees when something is wrong: one line that says what, or nothing where nothing is to be said."""

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

ADDRESSES = {  # what is wrong: the address, and what the line says after the host and the port
    "nothing listens": ("localhost:{free}", r"nothing listens there; start RabbitMQ with \./setup\.sh"),
    "host name": ("no-such-host.invalid:5672", r"[\w ,]+"),
    "a web server": ("localhost:{web}", "no RabbitMQ answers there"),
    "TLS there": ("localhost:{tls}", "no RabbitMQ answers there"),
    "virtual host /": ("localhost:{broker}", "NOT_ALLOWED - access to vhost '/' refused .*"),
    "virtual host team": ("localhost:{broker}/team", "NOT_ALLOWED - access to vhost 'team' refused .*"),
    "no virtual host": ("localhost:{broker}/it's", "NOT_ALLOWED - vhost it's not found"),
    "password": ("s3cret@localhost:{broker}", "ACCESS_REFUSED - Login was refused .*"),
    "three nodes": (
        "a.invalid:1, amqp://b.invalid:2/%2F,amqp://localhost:{free}",
        r"[\w ,]+; b\.invalid:2: [\w ,]+; localhost:{free}: nothing listens there; .*",
    ),
}
PERMISSIONS = {  # what is not permitted: the permissions, who tries, and where
    "send configures": (("^$", ".*", ".*"), ["send.py"], "queue 'hello' in vhost 'team'"),
    "receive configures": (("^$", ".*", ".*"), ["receive.py"], "queue 'hello' in vhost 'team'"),
    "send writes": ((".*", "^$", ".*"), ["send.py"], "exchange .*"),
    "receive reads": ((".*", ".*", "^$"), ["receive.py"], "queue 'hello' in vhost 'team'"),
    "receive --ack reads": ((".*", ".*", "^$"), ["receive.py", "--ack"], "queue 'hello' in vhost 'team'"),
}
URLS = {  # what is malformed
    "scheme": "http://learner:s3cret@localhost/",
    "no scheme": "learner:s3cret@localhost",
    "port": "amqp://learner:s3cret@localhost:port/",
    "option": "amqp://learner:s3cret@localhost/?heartbeat=often",
    "file": "amqps://learner:s3cret@localhost/?ssl_options={'certfile':'no.pem'}",
    "password with /": "amqp://learner:1/s3cret@localhost/",
    "password with ?": "amqp://learner:1?s3cret@localhost/",
    "password with a comma": "amqp://learner:1,s3cret@localhost/",
}

both_programs = pytest.mark.parametrize("program", ["send.py", "receive.py"])


@pytest.fixture
def fails(start):
    """Run a program that fails as it should, and return the one line that it prints."""

    def fails(*words, **keywords):
        program = start(*words, **keywords)
        assert (program.status(), program.out) == (1, "")
        assert re.fullmatch(r" \[!\] .*\n", program.err)
        assert "s3cret" not in program.err
        return program.err

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
    """The URL of the user learner in the virtual host team."""
    return f"amqp://learner:s3cret@localhost:{broker.port}/team"


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


@pytest.fixture
def ports(broker, whole_team, web_server, tls):
    """What may stand in an address, by name."""
    return {"free": get_port(None), "broker": broker.port, "web": web_server, "tls": tls("localhost")}


@both_programs
@pytest.mark.parametrize("address, words", ADDRESSES.values(), ids=ADDRESSES)
def test_the_address_is_wrong(fails, ports, program, address, words):
    address = address.format(**ports)
    host_and_port = re.search(r"[\w.-]+:\d+", address)[0]
    line = fails(program, url=f"amqp://learner:s3cret@{address}")
    assert re.fullmatch(rf" \[!\] {host_and_port}: {words.format(**ports)}\n", line)


def test_something_listens_there_that_says_nothing(start, silent):
    address = f"127.0.0.1:{silent.getsockname()[1]}"
    sender, receiver = (start(program, url=f"amqp://{address}") for program in ("send.py", "receive.py"))
    line = f" [!] {address}: no RabbitMQ answers there\n"
    assert (sender.status(), sender.out, sender.err) == (1, "", STILL + line)
    assert (receiver.status(), receiver.out, receiver.err) == (1, "", line)


@pytest.mark.parametrize("permissions, words, refused", PERMISSIONS.values(), ids=PERMISSIONS)
def test_the_user_may_not_do_it(fails, learner, allow, permissions, words, refused):
    allow(*permissions)
    line = fails(*words, url=learner)
    assert re.fullmatch(rf" \[!\] ACCESS_REFUSED - .*{refused} refused for user 'learner'\n", line)


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
@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_rabbitmq_url_is_malformed(fails, program, url):
    assert fails(program, url=url) == MALFORMED


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
@pytest.mark.parametrize("name, trusted", [("localhost", False), ("elsewhere.example", True)])
def test_a_certificate_that_is_not_trusted_or_for_another_name_is_refused(
    fails, tls, ca, tmp_path, program, name, trusted
):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
    line = fails(program, url=f"amqps://guest:guest@localhost:{(port := tls(name))}/%2F", **environment)
    assert re.match(rf" \[!\] localhost:{port}: \[SSL.*certificate verify failed", line)
    assert not trusted or "'localhost'" in line


def test_the_message_is_not_sent_when_the_queue_is_deleted_in_between(fails, proxy, hello):
    between = proxy()

    def delete(data):
        if b"Hello World!" in data:
            hello.queue_delete("hello")

    between.cut = delete
    assert fails("send.py", url=between.url) == " [!] not sent: the queue is gone\n"


def test_the_message_is_not_sent_when_the_queue_is_full(full):
    line = " [!] not sent: the queue may be full, or the nodes that hold it are down\n"
    assert ((sender := full()).out, sender.err, sender.returncode) == ("", line, 1)


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


def test_receive_ends_in_silence_when_nobody_reads_the_messages_any_more(shell, fill):
    fill(3, 100_000)  # more than a pipe holds
    ended = shell("set -o pipefail; $python receive.py --ack | head -3")
    assert (ended.out.count(" [x] Received '"), ended.err, ended.returncode) == (2, "", 1)


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
