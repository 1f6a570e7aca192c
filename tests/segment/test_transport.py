"""Requests over real sockets, with and without network faults."""

import json
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.faulty_receiver import FaultyReceiver, dribble, hang, lose_reply, reset, slow, status, truncate
from support.messages import encoded
from webhooks.segment import AcceptedMessage, Client, Postponed, Unreachable, assemble
from webhooks.segment.transport import RECYCLE, TEXT, Transport, _time_limit
from webhooks.settings import SegmentSettings


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server():
    with FaultyReceiver() as server:
        yield server


def settings(url, **more):
    return SegmentSettings(**{"url": url, "rate": 0, "connect_timeout": 1.0, "read_timeout": 10.0, **more})


BODY = assemble([encoded(1)])


def test_a_request_has_the_headers_that_segment_requires(server: FaultyReceiver) -> None:
    assert Transport(settings(server.url)).post("wk", BODY, retries=2).status == 200
    (request,) = server.requests
    assert request.raw == BODY
    assert request.key == "wk"
    assert request.headers["authorization"] == "Basic d2s6"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["x-retry-count"] == "2"
    assert request.headers["user-agent"].startswith("segue/")


def test_without_gzip_the_body_is_sent_unchanged(server: FaultyReceiver) -> None:
    Transport(settings(server.url + "/", gzip=False)).post("wk", BODY)
    assert server.requests[0].raw == BODY
    assert "content-encoding" not in server.requests[0].headers


def test_a_connection_is_reused_until_its_age_limit_or_a_failure(server: FaultyReceiver) -> None:
    now = [0.0]
    transport = Transport(settings(server.url), tick=lambda: now[0])
    transport.post("wk", BODY)
    transport.post("wk", BODY)
    now[0] += RECYCLE
    transport.post("wk", BODY)
    server.plan.append(status(502))
    transport.post("wk", BODY)
    transport.post("wk", BODY)
    server.plan.append(reset)
    with pytest.raises(Unreachable):
        transport.post("wk", BODY)
    transport.post("wk", BODY)
    used = [id(request.connection) for request in server.requests]
    assert used[0] == used[1] != used[2] == used[3] != used[4] == used[5] != used[6]


@pytest.mark.parametrize("fault", [reset, lose_reply, truncate])
def test_a_broken_exchange_is_unreachable_and_hides_the_address(server: FaultyReceiver, fault) -> None:
    server.plan.append(fault)
    with pytest.raises(Unreachable) as caught:
        Transport(settings(server.url)).post("wk", BODY)
    assert "127.0.0.1" not in str(caught.value)


def test_a_refused_connection_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        Transport(settings("http://127.0.0.1:1")).post("wk", BODY)


def test_a_hanging_server_times_out(server: FaultyReceiver) -> None:
    server.plan.append(hang)
    with pytest.raises(Unreachable, match="ReadTimeout"):
        Transport(settings(server.url, read_timeout=0.1)).post("wk", BODY)


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_response_byte_by_byte_is_ended_at_the_deadline(server: FaultyReceiver, where) -> None:
    server.plan.append(dribble(where))
    began = time.monotonic()
    with pytest.raises(Unreachable):
        Transport(settings(server.url, connect_timeout=0.1, read_timeout=0.2)).post("wk", BODY)
    assert time.monotonic() - began < 10


def test_a_slow_response_within_the_timeout_is_accepted(server: FaultyReceiver) -> None:
    server.plan.append(slow(0.2))
    assert Transport(settings(server.url)).post("wk", BODY).status == 200


def test_a_redirect_is_not_followed(server: FaultyReceiver) -> None:
    server.plan.append(status(302, Location=server.url + "/elsewhere"))
    assert Transport(settings(server.url)).post("wk", BODY).status == 302
    assert len(server.requests) == 1


def test_a_response_is_read_up_to_a_limit(server: FaultyReceiver) -> None:
    server.plan.append(status(400, "a" * 200_000))
    response = Transport(settings(server.url)).post("wk", BODY)
    assert response.text == "a" * TEXT


def test_a_response_that_is_not_utf_8_is_decoded_with_replacements(server: FaultyReceiver) -> None:
    server.plan.append(lambda handler, _: handler.answer(400, b"\xff\xfe"))
    assert Transport(settings(server.url)).post("wk", BODY).text == "\ufffd\ufffd"


def test_response_headers_ignore_case(server: FaultyReceiver) -> None:
    server.plan.append(status(429, retry_after="7"))
    assert Transport(settings(server.url)).post("wk", BODY).headers["Retry-After"] == "7"


def test_the_proxy_is_read_from_the_environment(server: FaultyReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    server.always = status(502)
    assert Transport(settings("http://segment.example")).post("wk", BODY).status == 502
    assert len(server.requests) == 1


def test_a_password_in_netrc_does_not_replace_the_write_key(
    server: FaultyReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    Transport(settings(server.url)).post("wk", BODY)
    assert server.requests[0].key == "wk"


def test_a_request_whose_response_is_lost_is_repeated_with_the_same_bytes(server: FaultyReceiver) -> None:
    client = Client("wk", settings(server.url))
    server.plan.append(lose_reply)
    assert isinstance(client.send([encoded(1)])[0], Postponed)
    assert client.send([encoded(1)]) == [AcceptedMessage()]
    assert server.ids == ["m-1", "m-1"]
    assert server.requests[0].raw == server.requests[1].raw
    assert json.loads(server.requests[0].raw) == {"batch": server.requests[0].batch}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory):
    """A self-signed certificate for 127.0.0.1, and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return path


def test_tls_is_verified(certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyReceiver(certificate=certificate) as server:
        with pytest.raises(Unreachable, match="SSL"):
            Transport(settings(server.url)).post("wk", BODY)
        assert server.requests == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        transport = Transport(settings(server.url))
        assert transport.post("wk", BODY).status == 200
        transport.forget()
        transport.forget()


def test_a_tls_response_byte_by_byte_is_ended_at_the_deadline(certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with FaultyReceiver(certificate=certificate) as server:
        server.plan.append(dribble("headers"))
        with pytest.raises(Unreachable):
            Transport(settings(server.url, connect_timeout=0.3, read_timeout=0.2)).post("wk", BODY)


def test_a_deadline_that_passes_before_the_connection_has_no_effect() -> None:
    with _time_limit(0.0):
        time.sleep(0.05)
