"""amqps://, with certificates of a made-up authority: trusted, not trusted, of another host."""

import ssl

import pytest
import trustme
from support.errors import the_only_line
from support.project import SENT


@pytest.fixture(scope="module")
def authority():
    """An authority that issues certificates."""
    return trustme.CA()


@pytest.fixture
def authority_file(authority, tmp_path):
    """The path of the authority's certificate, as SSL_CERT_FILE takes it."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def start_tls_proxy(authority, start_proxy):
    """Put TLS before the broker of the test, with a certificate for this host name."""

    def start(host_name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host_name).configure_cert(context)
        return start_proxy(tls_context=context)

    return start


def tls_url(proxy, host="localhost"):
    return proxy.url.replace("amqp://", "amqps://").replace("127.0.0.1", host)


def test_a_trusted_certificate_lets_us_in(run_send, start_tls_proxy, authority_file, hello_queue):
    proxy = start_tls_proxy("localhost")

    sender = run_send(url=tls_url(proxy), SSL_CERT_FILE=authority_file)

    assert sender.err == ""
    assert sender.out == SENT
    assert hello_queue.take_all() == ["Hello World!"]


def test_a_certificate_that_nobody_trusts_is_refused(run_send, start_tls_proxy):
    proxy = start_tls_proxy("localhost")

    line = the_only_line(run_send(url=tls_url(proxy), SSL_CERT_FILE="/dev/null"))

    assert line.startswith(f"cannot connect to localhost:{proxy.port}: [SSL: CERTIFICATE_VERIFY_")
    assert "certificate verify failed" in line


def test_a_certificate_of_another_host_is_refused(run_send, start_tls_proxy, authority_file):
    proxy = start_tls_proxy("elsewhere.example")

    line = the_only_line(run_send(url=tls_url(proxy), SSL_CERT_FILE=authority_file))

    assert "certificate verify failed" in line
    assert "'localhost'" in line


def test_no_tls_on_a_port_that_wants_it(run_send, start_tls_proxy):
    proxy = start_tls_proxy("localhost")

    line = the_only_line(run_send(url=f"amqp://learner:s3cret@localhost:{proxy.port}"))

    assert line.startswith(
        f"cannot connect to localhost:{proxy.port}: "
        "something listens there, but no RabbitMQ answers ("
    )


def test_tls_on_a_port_without_it(run_send, broker):
    line = the_only_line(run_send(url=f"amqps://learner:s3cret@localhost:{broker.port}"))

    assert line.startswith(f"cannot connect to localhost:{broker.port}: [SSL")
    assert "wrong version number" in line
