"""Addresses of e-mails, and the sender's own data in them."""

from typing import Any

import pytest

from translators.kit import Payload
from translators.kit.mail import address
from translators.kit.metadata import own_data


@pytest.mark.parametrize(
    ("written", "bare"),
    [("a@example.com", "a@example.com"), ("Ann <a@example.com>", "a@example.com"), ('"A, B" <a@example.com>', "a@example.com"),
     ("<a@example.com>", "a@example.com"), ("invalid@invalid", "invalid@invalid")],
)  # fmt: skip
def test_an_address_is_bare(written: str, bare: str) -> None:
    assert address(Payload({"to": written}), "to") == bare


@pytest.mark.parametrize(("sent", "own"), [({"plan": "pro"}, {"plan": "pro"}), ("too long", {}), ([1], {}), (None, {})])
def test_own_data_are_the_members_of_an_object(sent: Any, own: dict[str, Any]) -> None:
    assert own_data(Payload({"message": {"metadata": sent}}), "message.metadata") == own
