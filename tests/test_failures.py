"""What someone sees when something is wrong: one line that says what, or nothing where nothing is to be said."""

import contextlib
import http.server
import os
import re
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import brokers
import pika
import pytest
import trustme
from conftest import STOP, WAITING, wait_for
from port_for import get_port

SENT = " [x] Sent 'Hello World!'\n"
NOT_YET = " [!] no confirm yet, waiting up to 60 s (memory or disk alarm, no majority of nodes?)\n"

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


@pytest.fixture
def shell(broker):
    """Run a command line in bash, where $python is Python, and return the process that has ended."""

    def shell(command):
        environment = {**os.environ, "RABBITMQ_URL": broker.url, "python": sys.executable}
        options = {"cwd": brokers.PROJECT, "env": environment, "text": True, "start_new_session": True}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(["bash", "-c", command], **options, **pipes) as bash:
            try:
                out, err = bash.communicate(timeout=90)
            except subprocess.TimeoutExpired:
                os.killpg(bash.pid, signal.SIGKILL)  # and all it has started, which would take the next test's messages
                raise
        return subprocess.CompletedProcess(command, bash.returncode, out, err)

    return shell


@pytest.fixture
def silent():
    """A socket that listens on all addresses of localhost, and says nothing to those who connect."""
    if socket.has_dualstack_ipv6():
        server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    else:
        server = socket.create_server(("127.0.0.1", 0))
    with server:
        server.settimeout(90)
        yield server


class BadRequest(socketserver.BaseRequestHandler):
    """Answer anything as RabbitMQ's management port does."""

    def handle(self):
        """Serve one client."""
        self.request.recv(100)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")


@pytest.fixture
def web_servers():
    """Two HTTP servers: one that answers at once, and one that waits for the end of the request."""
    with contextlib.ExitStack() as stack:
        servers = []
        for handler in (BadRequest, http.server.BaseHTTPRequestHandler):
            servers.append(stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)))
            servers[-1].daemon_threads = True
            servers[-1].block_on_close = False
            threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
            stack.callback(servers[-1].shutdown)
        yield servers


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
    return lambda *three: broker.rabbitmqctl("set_permissions", "-p", "team", "learner", *three)


@pytest.fixture
def learner(broker, whole_team):
    """The address of the user learner in a virtual host."""
    return lambda vhost: f"amqp://learner:s3cret@localhost:{broker.port}/{vhost}"


@pytest.fixture
def ca():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def tls(proxy, ca):
    """Put TLS in front of the broker, with a certificate for a host name, and return the address."""

    def tls(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(name).configure_cert(context)
        return f"amqps://guest:guest@localhost:{proxy(context).port}/%2F"

    return tls


@pytest.fixture
def alarm(broker):
    """Set off the memory alarm; it ends with the test, or by calling this."""
    broker.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    ends = []

    def clear():
        if not ends:
            ends.append(broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4"))

    yield clear
    clear()


@pytest.fixture
def full(broker, hello):
    """Make the queue hello refuse messages because it is full."""
    broker.rabbitmqctl("set_policy", "full", "^hello$", '{"max-length": 1, "overflow": "reject-publish"}')
    hello.confirm_delivery()

    def refused():
        try:
            hello.basic_publish(exchange="", routing_key="hello", body=b"first")
        except pika.exceptions.NackError:
            return True

    wait_for(refused)
    yield
    broker.rabbitmqctl("clear_policy", "full")


@both_programs
def test_nothing_listens_there(fails, program):
    port = get_port(None)
    line = fails(program, url=f"amqp://learner:s3cret@localhost:{port}/")
    assert f"localhost:{port}: nothing listens there" in line and "./setup.sh" in line


@both_programs
def test_the_host_name_is_unknown(fails, program):
    line = fails(program, url="amqp://learner:s3cret@no-such-host.invalid/")
    assert "no-such-host.invalid:5672: the host name is unknown" in line


@both_programs
def test_every_node_of_a_list_is_named_when_none_answers(fails, program):
    ports = [get_port(None), get_port(None)]
    urls = [f"amqp://learner:s3cret@127.0.0.1:{port}/" for port in ports]
    line = fails(program, url=f"amqp://learner:s3cret@no-such-host.invalid,{','.join(urls)}")
    assert re.search("no-such-host.invalid:5672.*127.0.0.1:{}.*127.0.0.1:{}".format(*ports), line)


def test_something_listens_there_that_is_not_rabbitmq(start, failed, silent, web_servers, tls):
    servers = [*(server.server_address[1] for server in web_servers), pika.URLParameters(tls("localhost")).port]
    programs = []
    for port in [silent.getsockname()[1], *servers]:
        for name in ("send.py", "receive.py"):
            programs.append((port, start(name, url=f"amqp://learner:s3cret@localhost:{port}/")))
    for port, program in programs:
        assert f"localhost:{port}: no RabbitMQ answers there" in failed(program)


@both_programs
@pytest.mark.parametrize("user", ["guest", "nobody"])
def test_the_user_or_the_password_is_wrong(broker, fails, program, user):
    line = fails(program, url=f"amqp://{user}:s3cret@localhost:{broker.port}/")
    assert f"localhost:{broker.port}" in line and f"user '{user}'" in line
    assert "wrong user or password (guest may connect from localhost only)" in line


@both_programs
def test_the_virtual_host_does_not_exist(fails, learner, program):
    line = fails(program, url=learner("nowhere"))
    assert "user 'learner', virtual host 'nowhere'" in line and "NOT_ALLOWED - vhost nowhere not found" in line


def test_the_virtual_host_is_not_permitted(broker, fails, learner):
    for program in ("send.py", "receive.py"):
        line = fails(program, url=learner("team"))
        assert "user 'learner', virtual host 'team'" in line
        assert "NOT_ALLOWED - access to vhost 'team' refused for user 'learner'" in line


def test_the_virtual_host_is_at_its_connection_limit(broker, fails, learner, allow):
    allow(".*", ".*", ".*")
    broker.rabbitmqctl("set_vhost_limits", "-p", "team", '{"max-connections": 0}')
    for program in ("send.py", "receive.py"):
        line = fails(program, url=learner("team"))
        assert "user 'learner', virtual host 'team'" in line and "connection limit (0) is reached" in line
    broker.rabbitmqctl("clear_vhost_limits", "-p", "team")


def test_the_user_may_not_configure(fails, learner, allow):
    allow("^$", ".*", ".*")
    for program in ("send.py", "receive.py"):
        line = fails(program, url=learner("team"))
        assert "user 'learner', virtual host 'team'" in line and re.search("ACCESS_REFUSED.*queue 'hello'", line)


def test_the_user_may_not_write(fails, learner, allow):
    allow(".*", "^$", ".*")
    line = fails("send.py", url=learner("team"))
    assert "user 'learner', virtual host 'team'" in line and re.search("ACCESS_REFUSED.*exchange", line)


def test_the_user_may_not_read(fails, learner, allow):
    allow(".*", ".*", "^$")
    for option, out in ([], ""), (["--ack"], WAITING):  # pika's generator consumes when it is asked for a message
        line = fails("receive.py", *option, url=learner("team"), out=out)
        assert "user 'learner', virtual host 'team'" in line and re.search("ACCESS_REFUSED.*queue 'hello'", line)


@both_programs
@pytest.mark.parametrize("settings", [{"durable": True}, {}], ids=["classic", "transient as in 2018"])
def test_the_queue_exists_with_other_settings(broker, fails, channel, program, settings):
    try:
        channel.queue_declare("hello", **settings)
    except pika.exceptions.AMQPError as error:  # RabbitMQ 4.3 has no such queues any more: nothing can be wrong
        assert not settings and "transient_nonexcl_queues" in str(error)
        return
    line = fails(program)
    assert "PRECONDITION_FAILED - inequivalent arg" in line and "for queue 'hello'" in line
    assert "rabbitmqctl delete_queue hello -p '/'" in line


@pytest.mark.parametrize(
    "url",
    [
        "amqp://learner:s3cret@localhost:port/",
        "amqp://learner:s3cret@localhost:99999/",
        "amqp://learner:s3cret@localhost:-1/",
        "amqp://learner:s3cret@localhost:0/",
        "amqp://learner:s3cret@[::1/",
        "http://learner:s3cret@localhost/",
        "learner:s3cret@localhost",
        "localhost:5672",
        "amqp:/learner:s3cret@localhost/",
        "amqp://learner@localhost/",
        "amqp://learner:s3cret@localhost/?colour=blue",
        "amqp://learner:s3cret@localhost/?heartbeat=often",
        "amqp://learner:s3cret@localhost/?heartbeat=-1",
        "amqp://learner:s3cret@localhost/?connection_attempts=0",
        "amqp://learner:s3cret@localhost/?frame_max=1",
        "amqp://learner:s3cret@localhost/?blocked_connection_timeout=x",
        "amqp://learner:s3cret@localhost/?tcp_options=x",
        "amqps://learner:s3cret@localhost/?ssl_options={",
        "amqps://learner:s3cret@localhost/?ssl_options={'password': 's3cret'",
        "amqps://learner:s3cret@localhost/?ssl_options={'certfile': 'no.pem', 'password': 's3cret'}",
        "amqp://learner:s3cret@localhost/?password=s3cret",
        "amqp://learner:s3cret/x@localhost/",
        "amqp://learner:x/s3cret@localhost/",
        "amqp://learner:1/s3cret@localhost/",
        "amqp://learner:s3cret?x@localhost/",
        "amqp://learner:1?s3cret@localhost/",
        "amqp://learner:1?heartbeat=s3cret@localhost/",
        "amqp://learner:s3cret#x@localhost/",
        "amqp://learner:1#s3cret@localhost/",
        "amqp://learner:s3cret,x@localhost/",
        "amqp://learner:x,s3cret@localhost/",
        "amqp://learner:1,s3cret@localhost/",
        "amqp://learner:s3cret[@localhost/",
        "amqp://learner:s3cret\uff0f@localhost/",
        "amqp://learner:s3cret@localhost/team/s3cret",
    ],
)
def test_rabbitmq_url_is_malformed(start, failed, url):
    for program in [start("send.py", url=url), start("receive.py", url=url)]:
        assert failed(program) == (
            " [!] RABBITMQ_URL is malformed: write amqp://user:password@host:port/vhost, "
            "with @ : / ? # , inside a part as %40 %3A %2F %3F %23 %2C\n"
        )


@both_programs
def test_a_password_with_unescaped_characters_that_do_no_harm_is_not_shown(broker, fails, program):
    line = fails(program, url=f"amqp://learner:s3cret@s3cret:s3cret@localhost:{broker.port}/")
    assert f"localhost:{broker.port}, user 'learner'" in line and "wrong user or password" in line


def test_tls_with_a_trusted_certificate_works(send, tls, ca, tmp_path):
    url = tls("localhost")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    sent = send(url=url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert (sent.out, sent.err, sent.returncode) == (SENT, "", 0)


@both_programs
def test_tls_to_the_plain_port_fails(broker, fails, program):
    line = fails(program, url=f"amqps://learner:s3cret@localhost:{broker.port}/")
    assert f"localhost:{broker.port}: TLS failed" in line and "SSL" in line


@both_programs
def test_a_certificate_that_is_not_trusted_is_refused(fails, tls, program):
    line = fails(program, url=(url := tls("localhost")))
    assert f"localhost:{pika.URLParameters(url).port}: TLS failed" in line and "certificate verify failed" in line


@both_programs
def test_a_certificate_for_another_name_is_refused(fails, tls, ca, tmp_path, program):
    url = tls("elsewhere.example")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    line = fails(program, url=url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert (
        f"localhost:{pika.URLParameters(url).port}: TLS failed" in line and "localhost" in line.split("TLS failed")[1]
    )


def test_the_message_is_not_sent_when_the_queue_is_deleted_in_between(fails, proxy, hello):
    between = proxy()
    between.cut = lambda data: b"Hello World!" in data and hello.queue_delete("hello") and False
    line = fails("send.py", url=f"amqp://guest:guest@localhost:{between.port}/")
    assert f"localhost:{between.port}: not sent, because the queue 'hello' is gone" in line


def test_the_message_is_not_sent_when_the_queue_is_full(broker, send, full):
    sender = send()
    assert (sender.returncode, sender.out) == (1, "")
    reason = "not sent, because RabbitMQ refuses the message; the queue 'hello' may be full"
    line = f" [!] localhost:{broker.port}: {reason}\n"
    assert sender.err in (line, NOT_YET + line)  # the notice comes if it is just trying after 5 s


def test_a_refused_message_is_sent_again_until_there_is_room(start, full, hello):
    sender = start("send.py")
    time.sleep(3)  # it tries for 10 s
    hello.queue_purge("hello")
    assert (sender.status(), sender.out) == (0, SENT)
    assert sender.err in ("", NOT_YET)


def test_the_message_may_or_may_not_have_arrived_when_the_connection_breaks_before_the_confirm(fails, proxy):
    between = proxy()
    between.cut = lambda data: b"Hello World!" in data
    line = fails("send.py", url=f"amqp://guest:guest@localhost:{between.port}/")
    assert f"localhost:{between.port}" in line and "may or may not have arrived" in line


def test_the_message_is_sent_when_the_connection_breaks_after_the_confirm(send, proxy, hello):
    between, seen = proxy(), []
    between.cut = lambda data: seen or seen.extend([data] * (b"Hello World!" in data))
    sent = send(url=f"amqp://guest:guest@localhost:{between.port}/")
    assert seen and (sent.out, sent.err, sent.returncode) == (SENT, "", 0)
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


def test_send_waits_while_rabbitmq_blocks_publishers_and_sends_when_the_alarm_clears(start, alarm):
    sender = start("send.py")
    wait_for(lambda: sender.err == NOT_YET)
    assert (sender.poll(), sender.out) == (None, "")
    alarm()
    assert (sender.status(), sender.out, sender.err) == (0, SENT, NOT_YET)


def test_send_gives_up_after_60_seconds_of_an_alarm(start, alarm):
    sender = start("send.py")
    wait_for(lambda: sender.err == NOT_YET)
    assert (sender.status(), sender.out) == (1, "")
    notice, line = sender.err.splitlines()
    assert notice + "\n" == NOT_YET and line.startswith(" [!] no confirm from RabbitMQ within 60 s")


def test_ctrl_c_ends_send_and_a_loop_over_it_while_it_waits_for_the_end_of_an_alarm(terminal, alarm):
    loop = terminal("-c", "for i in 1 2 3; do $python send.py; done; echo not ended", program="bash")
    loop.expect_exact(NOT_YET.strip())
    loop.sendintr()
    loop.timeout = STOP
    assert loop.read().replace("^C", "").strip() == ""
    loop.wait()
    assert loop.signalstatus == signal.SIGINT


@pytest.mark.parametrize("program, status", [("send.py", -signal.SIGINT), ("receive.py", 0)])
def test_ctrl_c_ends_a_program_that_connects(terminal, silent, program, status):
    connecting = terminal(program, url=f"amqp://localhost:{silent.getsockname()[1]}")
    client, _ = silent.accept()
    client.recv(4)  # "AMQP"
    connecting.sendintr()
    connecting.timeout = STOP
    assert connecting.read().replace("^C", "").strip() == ""
    connecting.wait()
    assert (connecting.exitstatus, connecting.signalstatus) in ((status, None), (None, -status))


def test_sigterm_ends_receive_while_it_connects(start, silent):
    receiver = start("receive.py", url=f"amqp://localhost:{silent.getsockname()[1]}")
    client, _ = silent.accept()
    client.recv(4)  # "AMQP"
    receiver.send_signal(signal.SIGTERM)
    assert (receiver.status(STOP), receiver.out, receiver.err) == (0, "", "")


def test_receive_ends_in_silence_at_its_next_line_when_nobody_reads_any_more(start, hello):
    read, write = os.pipe()
    receiver = start("receive.py", stdout=write)
    os.close(write)
    assert os.read(read, 100).decode() == WAITING
    os.close(read)
    hello.basic_publish(exchange="", routing_key="hello", body=b"x")
    assert (receiver.status(), receiver.err) == (1, "")


def test_receive_ends_in_silence_when_nobody_reads_the_messages_any_more(shell, hello):
    message = "x" * 100_000  # more than a pipe holds
    for _ in range(3):
        hello.basic_publish(exchange="", routing_key="hello", body=message.encode())
    ended = shell("$python receive.py --ack | head -3")
    assert (ended.stdout.count(f" [x] Received '{message}'\n"), ended.stderr) == (2, "")


def test_send_ends_in_silence_when_nobody_reads_its_output(shell, hello):
    ended = shell("$python send.py | true")
    assert (ended.stdout, ended.stderr) == ("", "")
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@both_programs
def test_a_full_disk_is_one_line(shell, program):
    ended = shell(f"$python {program} > /dev/full")
    assert (ended.stderr, ended.returncode) == (" [!] standard output: No space left on device\n", 1)


def test_send_sends_without_a_standard_output(shell, hello):
    ended = shell("$python send.py >&-")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 0)
    assert hello.basic_get("hello", auto_ack=True)[2] == b"Hello World!"


def test_receive_runs_without_a_standard_output(start, hello, consumers):
    closed = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, 'receive.py'])"
    receiver = start("-c", closed)
    consumers(1)
    receiver.send_signal(signal.SIGTERM)
    assert (receiver.status(STOP), receiver.out, receiver.err) == (0, "", "")
