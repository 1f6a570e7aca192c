"""What is verified, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The signed parts of a request. Header names are lower case; `public_url` is the URL as it was registered.

    `path` is the path that was called, for the diagnosis; `url_setting` is what an operator sets `public_url` by.
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
    """Why a request is turned away, in one stable word."""

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
    """What is known of the signature of a request that was refused."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ok`, or the fault with a reason and what to do. Neither text ever holds a secret or a part of the body.

    `proven` says of a fault that the sender knows the secret: the signature fits another body, URL or time.
    """

    fault: Fault
    strength: Literal["verified", "authenticated"] = "verified"
    reason: str = ""
    hint: str = ""
    proven: bool = False

    @property
    def ok(self) -> bool:
        """Whether the request may come in."""
        return self.fault is Fault.NONE
