"""Fake receivers of alerts: HTTP and SMTP servers on the loopback."""

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.processes import free_port


class Hook:
    """An HTTP receiver. `plan` has the next responses: (status, headers)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.plan: list[tuple[int, dict[str, str]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, headers = hook.plan.pop(0) if hook.plan else (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in?token=s3cret"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


class Mails:
    """The mails of a mail server. It refuses the addresses in `refuse`."""

    def __init__(self) -> None:
        self.got: list[tuple[str | None, list[str], bytes | str | None, bool]] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert server.transport is not None
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, encrypted))
        return "250 OK"


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"segue", b"p@ss word"), handled=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def smtp(certificate: Path) -> Iterator[Callable[..., tuple[int, Mails]]]:
    """`smtp(tls=…)` starts a server with `""`, `"starttls"` or `"smtps"`, and returns its port and mails."""
    running: list[Controller] = []

    def start(tls: str = "", auth: bool = False) -> tuple[int, Mails]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        mails = Mails()
        more: dict[str, Any] = {"tls_context": context} if tls == "starttls" else {}
        if auth:
            more |= {"authenticator": authenticate, "auth_require_tls": tls == "starttls", "auth_required": True}

        class Server(Controller):
            def factory(self) -> SMTP:
                return SMTP(self.handler, hostname="mail.test", **more)

        port = free_port()
        server = Server(mails, hostname="127.0.0.1", port=port, ssl_context=context if tls == "smtps" else None)
        server.start()
        running.append(server)
        return port, mails

    yield start
    for server in running:
        server.stop()
