"""nginx and Caddy, with the files of deploy/, pass path, query and body on as a provider signed them."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.processes import free_port, get, output, segue, until

DEPLOY = Path(__file__).parents[2] / "deploy"
PUBLIC = "https://hooks.example.com"
SQUARE_KEY, TWILIO_TOKEN = "square-signature-key-of-tests", "twilio_auth_token_of_tests"
SQUARE_PATH = "/webhooks/square?team=a%2Fb&note=caf%C3%A9+1"
TWILIO_PATH = "/webhooks/twilio?order=a%20b&next=%2Fhome%3Fx%3D1"
PAYMENT = json.dumps(
    {
        "merchant_id": "MERCHANT1", "type": "payment.updated", "event_id": "0c0ffee0-0000-4000-8000-000000000001",
        "created_at": "2026-03-31T12:00:00.5Z",
        "data": {"type": "payment", "id": "PAY1", "object": {"payment": {
            "id": "PAY1", "status": "COMPLETED", "customer_id": "CUSTOMER1", "created_at": "2026-03-31T11:59:59Z",
            "updated_at": "2026-03-31T12:00:00Z", "note": "caf\u00e9 \u2615",
            "amount_money": {"amount": 1250, "currency": "USD"}, "total_money": {"amount": 1250, "currency": "USD"}}}},
    },
    indent=1, ensure_ascii=False,
).encode()  # fmt: skip
STATUS = {
    "AccountSid": "AC00000000000000000000000000000001", "MessageSid": "SM00000000000000000000000000000001",
    "MessageStatus": "delivered", "To": "+15550100001", "From": "+15550100002", "Body": "a b&c=d",
}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def certificate(folder):
    """A certificate for hooks.example.com, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def nginx(folder, port, upstream):
    """The command that runs deploy/nginx.conf, with these ports and a certificate of the test's own."""
    certificate(folder)
    text = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    text = text.replace("/etc/letsencrypt/live/hooks.example.com", str(folder))
    (folder / "segue.conf").write_text(text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"))
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""  # the worker writes large bodies into the test's own folder
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}include {folder}/segue.conf;\n}}\n"
    )
    return ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def caddy(folder, port, upstream):
    """The command that runs deploy/Caddyfile on the loopback, without a certificate."""
    text = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    text = re.sub(
        r"^hooks\.example\.com \{", f"http://hooks.example.com:{port} {{\n\tbind 127.0.0.1", text, flags=re.MULTILINE
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{text}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def connect(proxy, port):
    if proxy is nginx:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    return http.client.HTTPConnection("127.0.0.1", port, timeout=20)


def square(path):
    """As Square signs: https://developer.squareup.com/docs/webhooks/step3validate"""
    digest = hmac.new(SQUARE_KEY.encode(), (PUBLIC + path).encode() + PAYMENT, hashlib.sha256).digest()
    return PAYMENT, {
        "Content-Type": "application/json", "x-square-hmacsha256-signature": base64.b64encode(digest).decode(),
    }  # fmt: skip


def twilio(path):
    """As Twilio signs: https://www.twilio.com/docs/usage/security#validating-requests"""
    text = PUBLIC + path + "".join(f"{name}{STATUS[name]}" for name in sorted(STATUS))
    digest = hmac.new(TWILIO_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    return urlencode(STATUS).encode(), {
        "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": base64.b64encode(digest).decode(),
    }  # fmt: skip


@contextlib.contextmanager
def running(command, folder, port):
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"}
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("proxy", [nginx, caddy], ids=["nginx", "caddy"])
def test_a_signed_webhook_passes_a_reverse_proxy_unchanged(proxy, tmp_path: Path) -> None:
    if not shutil.which(proxy.__name__, path="/usr/sbin:/usr/bin:/usr/local/bin:/bin"):
        pytest.skip(f"{proxy.__name__} is not installed")
    port, upstream = free_port(), free_port()
    folder = tmp_path / "proxy"
    folder.mkdir(mode=0o755)
    secrets = {"SQUARE_WEBHOOK_SECRET": SQUARE_KEY, "TWILIO_WEBHOOK_SECRET": TWILIO_TOKEN}
    with (
        segue(tmp_path, "web", PORT=str(upstream), SEGUE_PUBLIC_URL=PUBLIC, **secrets),
        running(proxy(folder, port, upstream), folder, port),
    ):

        def ask(method, path, body=None, headers=None):
            connection = connect(proxy, port)
            try:
                connection.request(method, path, body, {"Host": "hooks.example.com", **(headers or {})})
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        def answers():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return ask("GET", "/readyz")[0] == 200
            return False

        until(lambda: get(upstream, "/readyz") == 200, lambda: output(tmp_path))
        until(answers, lambda: (folder / "proxy.log").read_text() + output(tmp_path))
        for path, sign in ((SQUARE_PATH, square), (TWILIO_PATH, twilio)):
            body, headers = sign(path)
            status, answer = ask("POST", path, body, headers)
            assert status == 200, answer
        body, headers = twilio(TWILIO_PATH)
        assert ask("POST", TWILIO_PATH.replace("%20", "+"), body, headers)[0] == 401
        large = b"x" * (1024 * 1024 + 1)
        status, answer = ask("POST", "/webhooks/square", large, {"Content-Type": "application/json"})
        assert status == 413, (answer[:300], (folder / "error.log").read_text() if proxy is nginx else "")
        assert json.loads(answer)["error"] == "body_too_large"
        assert ask("GET", "/metrics")[0] == 403
