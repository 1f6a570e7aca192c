"""Addresses of e-mails, and the sender's own data in them."""

from typing import Any

import pytest

from translators.kit import Malformed, Payload
from translators.kit.mail import address, addresses
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


def test_addresses_of_a_header_are_each_bare_and_once() -> None:
    written = '"Vo, Lin" <lin@example.com>, mila@example.com, lin@example.com'
    assert addresses(Payload({"to": written}), "to") == ["lin@example.com", "mila@example.com"]


@pytest.mark.parametrize("written", [" ", ",", "<>", '"" <>'])
def test_a_header_without_an_address_is_malformed(written: str) -> None:
    with pytest.raises(Malformed, match=r"\$\.to is no e-mail address"):
        addresses(Payload({"to": written}), "to")
