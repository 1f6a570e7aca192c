"""How providers sign their webhooks, as data. Verifying is the service's work (`webhooks.signatures`).

Eight classes, A to H, cover every provider known to us. A `Source` names one, or several by name when its provider
signs in more than one way; the operator then chooses. Templates are bytes-joined from `{ts}`, `{id}`, `{body}`,
`{method}`, `{url}`; the header's own text stands for `{ts}`, never a parsed and re-printed number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Alg = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]
KeyForm = Literal["utf8", "base64", "hex"]
TimeForm = Literal["s", "ms", "iso", "auto"]
Strength = Literal["verified", "authenticated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacBody:
    """A. HMAC over the raw body, in a header. `ts_path` names a signed body field that guards against replay."""

    header: str
    alg: Alg = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    key: KeyForm = "utf8"
    ts_path: str | None = None
    ts_form: TimeForm = "iso"
    tolerance: float = 300.0
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacTimestamped:
    """B. HMAC over a template with a timestamp that travels in its own header."""

    header: str
    ts_header: str
    ts_form: TimeForm = "s"
    template: str = "{ts}.{body}"
    alg: Alg = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    key: KeyForm = "utf8"
    tolerance: float = 300.0
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacKvHeader:
    """C. Timestamp and signatures inside one header: `t=..,v1=..,v1=..`, or `<ts>,<sig>,<sig>` if `positional`."""

    header: str
    delimiter: str = ","
    ts_key: str = "t"
    sig_key: str = "v1"
    positional: bool = False
    template: str = "{ts}.{body}"
    ts_form: TimeForm = "s"
    alg: Alg = "sha256"
    encoding: Encoding = "hex"
    tolerance: float = 300.0
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks:
    """D. Standard Webhooks and Svix: `{id}.{ts}.{body}`, space-separated `v1,<base64>` and `v1a,<base64>` (Ed25519).

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    prefixes: tuple[str, ...] = ("webhook", "svix")
    key: KeyForm = "base64"
    accept: tuple[str, ...] = ("v1", "v1a")
    tolerance: float = 300.0
    strength: Strength = "verified"


Part = Literal["method", "url", "body", "ts", "form", "secret"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacRequest:
    """E. The signature covers the URL too (and method, form or timestamp). Needs the endpoint's public URL.

    `parts` are joined without a separator. `form` is every POST field sorted by name, values de-duplicated and
    sorted, as Twilio does. `plain` is a bare hash with the secret among the parts (HubSpot v1 and v2).
    `decode_url` also tries the URL with its query decoded and escaped, `port_variants` the URL with and without its
    default port, `body_hash_param` the query parameter that holds the hex SHA-256 of a body that is no form.
    """

    header: str
    parts: tuple[Part, ...]
    alg: Alg = "sha256"
    encoding: Encoding = "base64"
    plain: bool = False
    ts_header: str | None = None
    ts_form: TimeForm = "ms"
    tolerance: float = 300.0
    decode_url: bool = False
    port_variants: bool = False
    body_hash_param: str | None = None
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacFields:
    """F. The signature is over body fields, and is in the body.

    `items` is the path of a list whose every member must pass (an empty list fails); without it the body is the one
    item. `fields` are paths within an item, joined by `join`; a missing one counts as empty, only scalars are
    accepted. `covers_body` says whether the fields are the payload's own; where they are not (Mailgun signs a token
    only), the strength is `authenticated` and `token_path` must not be seen twice.
    """

    sig_path: str
    fields: tuple[str, ...]
    items: str | None = None
    join: str = ""
    alg: Alg = "sha256"
    encoding: Encoding = "hex"
    key: KeyForm = "utf8"
    ts_path: str | None = None
    ts_form: TimeForm = "s"
    tolerance: float = 300.0
    token_path: str | None = None
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """G. An asymmetric signature. The configured secret is the provider's public key (or, for PayPal, the webhook id).

    `cert_url_header` names the header whose certificate is fetched; only `cert_hosts` and `cert_path` are accepted.
    `{crc32}` stands for the unsigned decimal CRC-32 of the raw body, `{secret}` for the configured value.
    """

    kind: Literal["ecdsa-p256-sha256", "rsa-pkcs1v15-sha256", "ed25519"]
    header: str
    template: str = "{body}"
    ts_header: str | None = None
    ts_form: TimeForm = "s"
    id_header: str | None = None
    tolerance: float = 300.0
    cert_url_header: str | None = None
    cert_hosts: tuple[str, ...] = ()
    cert_path: str = ""
    strength: Strength = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedToken:
    """H. A shared token, Basic credentials or a field that must be equal: proves the sender, not the content.

    `where` says where the token travels: a header (`name`), a query parameter (`name`), the path behind the endpoint
    (`/webhooks/<source>/<token>`) or Basic credentials (the secret is `user:password`). A `Source.guard` may ask for
    more, such as an organisation id that must match.
    """

    where: Literal["header", "query", "path", "basic"]
    name: str = ""
    prefix: str = ""
    strength: Strength = "authenticated"


Scheme = (
    HmacBody | HmacTimestamped | HmacKvHeader | StandardWebhooks | HmacRequest | HmacFields | PublicKey | SharedToken
)
"""One of the eight classes: how a provider signs."""
