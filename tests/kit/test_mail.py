"""Addresses of e-mails."""

import pytest

from translators.kit import Payload
from translators.kit.mail import address


@pytest.mark.parametrize(
    ("written", "bare"),
    [("a@example.com", "a@example.com"), ("Ann <a@example.com>", "a@example.com"), ('"A, B" <a@example.com>', "a@example.com"),
     ("<a@example.com>", "a@example.com"), ("invalid@invalid", "invalid@invalid")],
)  # fmt: skip
def test_an_address_is_bare(written: str, bare: str) -> None:
    assert address(Payload({"to": written}), "to") == bare
