"""What someone sees when something is wrong: one line that says what, nothing called sent that is not, no password."""

import re
import socket
import socketserver
import threading

import pika
import pytest
from machinery import WAITING, publish, take, wait_for
from port_for import get_port

SENT = " [x] Sent 'Hello World!'\n"
FORM = " [!] RABBITMQ_URL: write amqp://user:password@host:port/vhost (@ as %40)\n"
LOST = " [!] the connection was lost, perhaps with messages on the way\n"
REFUSED = " [!] RabbitMQ refused the message (is the queue full, or a node down?)\n"
UNROUTABLE = " [!] no queue takes the message; RabbitMQ drops it\n"

NOTHING = "nothing listens there, or it is out of reach"
OTHER = r"no RabbitMQ answers there \(with TLS, write amqps://\)"
ADDRESSES = {  # what is wrong: the address behind the password, and what the line says
    "nothing listens": ("localhost:{free}/team", rf"localhost:{{free}}, vhost team: {NOTHING}"),
    "host name": ("no-such-host.invalid", r"no-such-host\.invalid:5672, vhost /: \[Errno .*\] [\w ,]+"),
    "not even a name": ("a..b", r"a\.\.b:5672, vhost /: .*label empty or too long.*"),
    "a web server": ("localhost:{web}", f"localhost:{{web}}, vhost /: {OTHER}"),
    "silence": ("localhost:{silent}/?stack_timeout=1", r"localhost:{silent}, vhost /: Timeout .*"),
    "TLS there": ("localhost:{tls}", f"localhost:{{tls}}, vhost /: {OTHER}"),
    "no TLS there": ("localhost:{broker}", r"localhost:{broker}, vhost /: \[SSL.*"),
    "password": ("localhost:{broker}", "localhost:{broker}, vhost /: .*ACCESS_REFUSED - Login was refused .*"),
    "three nodes": (
        "a.invalid:1 amqp://b.invalid:2/%2F  amqp://localhost:{free}",
        rf"a\.invalid:1, vhost /: .*; b\.invalid:2, vhost /: .*; localhost:{{free}}, vhost /: {NOTHING}",
    ),
}
URLS = {  # what is malformed
    "scheme": "http://learner:s3cret@localhost/",
    "no scheme": "localhost/s3cret",
    "port": "amqp://learner:s3cret@localhost:port/",
    "no password": "amqp://s3cret@localhost/",
    "option": "amqp://learner:s3cret@localhost/?heartbeat=often",
    "unknown option": "amqp://learner:s3cret@localhost/?color=red",
    "password with /": "amqp://learner:1/s3cret@localhost/",
    "password with ?": "amqp://learner:1?s3cret@localhost/",
    "password with #": "amqp://learner:1#s3cret@localhost/",
    "password with [": "amqp://learner:[s3cret@localhost/",
    "password with a blank": "amqp://learner:1 s3cret@localhost/",
}
PERMISSIONS = {  # what is not permitted: the permissions, who tries, and what is refused
    "send configures": ("^$ .* .*", "send.py", "queue 'hello'"),
    "receive configures": ("^$ .* .*", "receive.py", "queue 'hello'"),
    "send writes": (".* ^$ .*", "send.py", "exchange"),
    "receive reads": (".* .* ^$", "receive.py", "queue 'hello'"),
}
both_programs = pytest.mark.parametrize("program", ["send.py", "receive.py"])


@pytest.fixture
def fails(start):
    """Run a program that fails as it should, and return the one line that it prints."""

    def fails(*words, **keywords):
        program = start(*words, **keywords)
        assert (program.status(), program.out) == (1, "")
        assert re.fullmatch(r" \[!\] .*\n", program.err) and "s3cret" not in program.err
        return program.err

    return fails


@pytest.fixture
def learner(broker):
    """Give the user learner permissions in the virtual host (configure, write, read), and return the URL."""
    name = f"learner {broker.vhost}"
    broker.api("PUT", "users", name, password="s3cret p@ss/w:rd,1", tags="")

    def learner(permissions):
        three = dict(zip(("configure", "write", "read"), permissions.split()))
        broker.api("PUT", "permissions", broker.vhost, name, **three)
        login = f"{name}:s3cret p@ss/w:rd,1".replace("@", "%40").replace("/", "%2F").replace(" ", "%20")
        return broker.url.replace("guest:guest", login)

    yield learner
    broker.api("DELETE", "users", name)


class BadRequest(socketserver.StreamRequestHandler):
    """Answer anything as RabbitMQ's management page does."""

    def handle(self):
        """Serve one client."""
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def ports(broker, tls):
    """What may stand in an address, by name."""
    web, silent = socketserver.ThreadingTCPServer(("127.0.0.1", 0), BadRequest), socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with silent, web:
        facts = {"web": web.server_address[1], "silent": silent.getsockname()[1], "tls": tls().port}
        yield {"free": get_port(None), "broker": broker.port, **facts}
        web.shutdown()


@pytest.mark.parametrize("fault", ADDRESSES)
def test_the_address_is_wrong(fails, ports, fault):
    address, words = (text.format(**ports) for text in ADDRESSES[fault])
    line = fails("send.py", url=f"amqp{'s' if fault == 'no TLS there' else ''}://learner:s3cret@{address}")
    assert re.fullmatch(rf" \[!\] {words}\n", line)


def test_receive_too_ends_when_rabbitmq_cannot_be_reached_from_the_start(fails):
    assert fails("receive.py", url="amqp://localhost:1") == f" [!] localhost:1, vhost /: {NOTHING}\n"


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_rabbitmq_url_is_malformed_and_nothing_of_it_is_shown(fails, url):
    assert fails("send.py", url=url) == FORM


def test_rabbitmq_url_names_a_file_that_is_missing(fails):
    line = fails("send.py", url="amqps://learner:s3cret@localhost/?ssl_options={'cafile':'no.pem'}")
    assert line == " [!] RABBITMQ_URL: No such file or directory\n"


def test_the_first_node_that_answers_is_taken(start, broker):
    sender = start("send.py", url=f"amqp://gone.invalid amqp://localhost:1  {broker.url}")
    assert (sender.status(), sender.out, sender.err) == (0, SENT, "")


def test_a_user_may_have_a_difficult_password_and_virtual_host(start, learner):
    sender = start("send.py", url=learner(".* .* .*"))
    assert (sender.status(), sender.out, sender.err) == (0, SENT, "")


@both_programs
def test_there_is_no_such_virtual_host_or_the_user_may_not_use_it(fails, broker, learner, program):
    line = fails(program, url=broker.url + "2")
    assert re.search(rf"localhost:{broker.port}, vhost {broker.vhost}2: .*NOT_ALLOWED - vhost .* not found", line)
    line = fails(program, url=learner(".* .* .*").rpartition("/")[0])
    assert "vhost /: " in line and "NOT_ALLOWED - access to vhost '/' refused" in line


@pytest.mark.parametrize("permissions, program, refused", PERMISSIONS.values(), ids=PERMISSIONS)
def test_the_user_may_not_do_it(fails, learner, permissions, program, refused):
    line = fails(program, url=learner(permissions))
    assert re.match(rf" \[!\] ACCESS_REFUSED - .*{refused}.* refused for user 'learner", line)


@both_programs
@pytest.mark.parametrize(
    "settings, words", [({"durable": True}, "PRECONDITION_FAILED - inequivalent"), ({"exclusive": True}, "RESOURCE_LOCKED")]
)
def test_another_program_has_such_a_queue(fails, channel, program, settings, words):
    channel.queue_declare("hello", **settings)
    assert fails(program).startswith(f" [!] {words}")


@both_programs
def test_tls_with_a_trusted_certificate_works(start, tls, ca, tmp_path, program):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    url = tls().url.replace("amqp:", "amqps:").replace("127.0.0.1", "localhost")
    started = start(program, url=url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    wait_for(lambda: started.out == {"send.py": SENT, "receive.py": WAITING}[program])
    assert started.err == ""


@pytest.mark.parametrize("name, trusted", [("localhost", False), ("elsewhere.example", True)])
def test_a_certificate_that_is_not_trusted_or_for_another_name_is_refused(fails, tls, ca, tmp_path, name, trusted):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
    line = fails("send.py", url=f"amqps://learner:s3cret@localhost:{tls(name).port}", **environment)
    assert "certificate verify failed" in line
    assert not trusted or "'localhost'" in line


def test_the_queue_is_deleted_just_before_the_message_comes(fails, proxy, hello):
    between = proxy()
    between.hear = lambda data: b"Hello World!" in data and hello.queue_delete("hello") is None
    assert fails("send.py", url=between.url) == UNROUTABLE


def test_the_routing_key_is_wrong(fails, copy):
    assert fails(copy("send.py", ('routing_key="hello"', 'routing_key="helo"'))) == UNROUTABLE


def test_the_queue_is_full(fails, broker, hello):
    limits = {"max-length": 1, "overflow": "reject-publish"}
    broker.api("PUT", "policies", broker.vhost, "full", pattern="^hello$", definition=limits)
    publish(hello, "one", "two")
    assert fails("send.py") == REFUSED


def test_the_connection_breaks_before_rabbitmq_has_confirmed_the_message(fails, proxy):
    between = proxy()
    between.hear = lambda data: b"Hello World!" in data
    assert fails("send.py", url=between.url) == LOST


def test_what_was_called_sent_is_sent_though_the_connection_breaks_after_it(start, proxy, hello):
    between, seen = proxy(), []
    between.hear = lambda data: bool(seen) or (b"Hello World!" in data and seen.append(data))
    sender = start("send.py", url=between.url)
    assert (sender.status(), sender.out, sender.err) == (1, SENT, LOST)
    assert take(hello) == ["Hello World!"]
