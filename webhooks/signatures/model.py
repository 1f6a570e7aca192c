"""The input and the result of a verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The signed parts of a request. Header names are lower case; `public_url` is the URL as it is registered.

    `path` is the requested path, for the diagnosis. `url_setting` names the setting of `public_url`.
    """

    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    path_token: str = ""
    public_url: str = ""
    path: str = ""
    url_setting: str = "SEGUE_PUBLIC_URL"


class Fault(StrEnum):
    """Why a request is refused, in one stable word."""

    NONE = "none"
    NOT_CONFIGURED = "not_configured"
    MISSING = "signature_missing"
    MALFORMED = "signature_malformed"
    CLOCK = "clock"
    SECRET = "wrong_secret"  # noqa: S105 - a word
    BODY = "body_changed"
    URL = "wrong_url"
    REPLAYED = "replayed"


class Signature(StrEnum):
    """The state of a refused request's signature."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result: `ok`, or a fault with a reason and a hint. Neither text holds a secret or a part of the body.

    `proven` says that the sender of a faulty request knows the secret: the signature matches another body, URL or time.
    """

    fault: Fault
    strength: Literal["verified", "authenticated"] = "verified"
    reason: str = ""
    hint: str = ""
    proven: bool = False

    @property
    def ok(self) -> bool:
        """Return whether the request is verified."""
        return self.fault is Fault.NONE
