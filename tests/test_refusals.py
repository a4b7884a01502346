"""What someone sees when something is wrong: one line that says what, nothing called sent that is not, no password."""

import re
import socket
import ssl

import pytest
import trustme
from machinery import LOST, REFUSED, SENT, publish, take

NOTHING = "nothing listens there, or it is out of reach"
OTHER = r"no RabbitMQ answers there yet \(with TLS: amqps://\)"
FAULTS = {  # where RABBITMQ_URL leads, and what the line says
    "nothing listens": ("amqp://learner:s3cret@localhost:1/team", rf"localhost:1, vhost team: {NOTHING}"),
    "host": ("amqp://learner:s3cret@no-such-host.invalid", r"no-such-host\.invalid:5672, vhost /: \[Errno .*\] [\w ,]+"),
    "a web server": ("amqp://learner:s3cret@localhost:{web}", f"localhost:{{web}}, vhost /: {OTHER}"),
    "silence": ("amqp://learner:s3cret@localhost:{silent}/?stack_timeout=3", r"localhost:{silent}, vhost /: Timeout .*"),
    "TLS there": ("amqp://learner:s3cret@localhost:{tls}", f"localhost:{{tls}}, vhost /: {OTHER}"),
    "no TLS there": ("amqps://learner:s3cret@localhost:{broker}", r"localhost:{broker}, vhost /: \[SSL.*"),
    "password": ("amqp://learner:s3cret@localhost:{broker}", "localhost:{broker}, vhost /: .*Login was refused .*"),
    "empty name": ("amqp://localhost:{broker}//", "localhost:{broker}, vhost : .*NOT_ALLOWED - vhost +not found.*"),
    "nodes": ("amqp://learner:s3cret@a.invalid  amqp://localhost:1", rf"a\.in.*:5672, .*; localhost:1, vhost /: {NOTHING}"),
    "a missing file": ("amqps://learner:s3cret@localhost/?ssl_options={{'cafile':'no.pem'}}", "RABBITMQ_URL: No such file .*"),
}
MALFORMED = ["localhost/s3cret", "amqp://me:s3cret", "amqp://me:s3cret@localhost/?heartbeat=often"]
MALFORMED += [f"amqp://me:1{sign}s3cret@localhost" for sign in "/?#[ "]  # which a password may have only as codes


@pytest.fixture
def tls(proxy, tmp_path):
    """Put TLS in front of the broker, for a host of this name, and return the port; ca.pem is the authority's certificate."""
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")

    def listen(name="localhost"):
        ca.issue_cert(name).configure_cert(context)
        return proxy(context=context).port

    return listen


@pytest.mark.parametrize("url, words", FAULTS.values(), ids=FAULTS)
def test_send_says_where_rabbitmq_url_leads_and_what_is_wrong_there(fails, broker, tls, url, words):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"web": broker.ui_port, "silent": silent.getsockname()[1], "tls": tls(), "broker": broker.port}
        assert re.fullmatch(rf" \[!\] {words.format(**ports)}\n", fails(url=url.format(**ports)))


@pytest.mark.parametrize("url", MALFORMED)
def test_rabbitmq_url_is_malformed_and_nothing_of_it_is_shown_not_even_in_a_traceback(fails, send, url):
    assert fails(url=url) == " [!] RABBITMQ_URL: write amqp://user:password@host:port/vhost (@ as %40)\n"
    program = send("from connection import connect; connect()", path="-c", url=url)
    assert "AMQPConnectionError: RABBITMQ_URL" in program.err and "s3cret" not in program.err


def test_receive_too_ends_when_rabbitmq_cannot_be_reached_or_refuses_from_the_start(fails, broker):
    assert fails("receive.py", url="amqp://localhost:1") == f" [!] localhost:1, vhost /: {NOTHING}\n"
    assert re.search("vhost test .*2: .*NOT_ALLOWED - vhost .* not found", fails("receive.py", url=broker.url + "2"))
    broker.api("PUT", "vhost-limits", broker.vhost, "max-connections", value=0)
    assert ": connection limit " in fails("receive.py")
    broker.api("DELETE", "permissions", broker.vhost, "guest")
    assert "NOT_ALLOWED - access to vhost 'test " in fails("receive.py")


@pytest.mark.parametrize("program, right", [("send.py", "configure"), ("send.py", "write"), ("receive.py", "read")])
def test_the_user_may_not_configure_write_or_read(fails, broker, program, right):
    broker.api("PUT", "permissions", broker.vhost, "guest", **{"configure": ".*", "write": ".*", "read": ".*", right: "^$"})
    refused = "exchange" if right == "write" else "queue 'hello'"
    assert re.match(rf" \[!\] ACCESS_REFUSED - .*{refused}.* refused for user 'guest'", fails(program))


@pytest.mark.parametrize("program", ["send.py", "receive.py"])
def test_another_queue_hello_has_other_settings_or_belongs_to_one_program(fails, hello, program):
    hello.queue_delete("hello")
    hello.queue_declare("hello", durable=True)
    assert fails(program).startswith(" [!] PRECONDITION_FAILED - inequivalent arg")
    hello.queue_delete("hello")
    hello.queue_declare("hello", exclusive=True)
    assert fails(program).startswith(" [!] RESOURCE_LOCKED - ")


def test_the_first_node_that_answers_is_taken_also_with_tls_and_a_trusted_certificate(send, broker, tls, tmp_path):
    node = broker.url.replace("amqp:", "amqps:").replace(str(broker.port), str(tls()))
    sender = send(url=f"amqp://gone.invalid amqp://localhost:1  {node} {broker.url}2", SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert (sender.returncode, sender.out, sender.err) == (0, SENT, "")


@pytest.mark.parametrize("name, trusted", [("localhost", "no.pem"), ("elsewhere.example", "ca.pem")])
def test_a_certificate_that_is_not_trusted_or_for_another_name_is_refused(fails, tls, tmp_path, name, trusted):
    line = fails(url=f"amqps://learner:s3cret@localhost:{tls(name)}", SSL_CERT_FILE=str(tmp_path / trusted))
    assert "certificate verify failed" in line and (trusted == "no.pem" or "'localhost'" in line)


def test_no_queue_takes_the_message_for_it_was_just_deleted_or_the_routing_key_is_wrong(fails, proxy, hello, copy):
    between, unroutable = proxy(), " [!] no queue takes the message; RabbitMQ drops it\n"
    between.hear = lambda data: b"Hello World!" in data and not hello.queue_delete("hello")
    assert fails(url=between.url) == unroutable
    assert fails(copy("send.py", ('routing_key="hello"', 'routing_key="helo"'))) == unroutable


def test_the_queue_is_full_or_there_are_too_many(fails, broker, hello):
    limits = {"max-length": 1, "overflow": "reject-publish"}
    broker.api("PUT", "policies", broker.vhost, "full", pattern="^hello$", definition=limits)
    publish(hello, "one", "two")
    assert fails() == REFUSED
    hello.queue_delete("hello")
    broker.api("PUT", "vhost-limits", broker.vhost, "max-queues", value=0)
    assert fails().startswith(" [!] PRECONDITION_FAILED - cannot declare queue 'hello': queue limit ")


def test_a_connection_that_breaks_before_the_confirm_is_told_and_after_it_the_message_is_sent(fails, send, proxy, hello):
    between, seen = proxy(), []
    between.hear = lambda data: b"Hello World!" in data
    assert fails(url=between.url) == f"{LOST}\n"
    between.hear = lambda data: bool(seen) or (b"Hello World!" in data and seen.append(data))
    sender = send(url=between.url)
    assert (sender.returncode, sender.out, sender.err, take(hello)) == (1, SENT, f"{LOST}\n", ["Hello World!"])
