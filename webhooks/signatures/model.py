"""The result of a verification, and the URL that some schemes sign."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, NamedTuple


class RegisteredUrl(NamedTuple):
    """The URL of the endpoint as it is registered with the provider; empty if unknown. `setting` names its setting."""

    address: str = ""
    setting: str = "SEGUE_PUBLIC_URL"


UNREGISTERED: Final = RegisteredUrl()
"""No URL is known."""


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
