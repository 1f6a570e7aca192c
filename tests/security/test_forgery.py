"""Forged, replayed, and meant for somebody else: every installed source, by every scheme it has."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from doors import NOW, door, places, sources, take, untimed, without
from memory_journal import MemoryJournal
from translators.kit import HmacFields, SharedToken
from webhooks.settings import load

PLACES = places()
NAMES = [place.name for place in PLACES]


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_what_the_provider_signed_is_accepted(place, journal):
    """The ground of all the tests below: what they change is what makes the difference."""
    answer = take(door(journal), place.name, place.request())
    assert answer.status < 300, answer.body
    assert journal.rows()


def signature_headers(place):
    scheme = place.endpoint.scheme
    told = [getattr(scheme, name, None) for name in ("header", "name")]
    prefixes = [f"{prefix}-signature" for prefix in getattr(scheme, "prefixes", ())]
    return [name.lower() for name in (*told, *prefixes, "Authorization") if name]


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_without_its_signature_nothing_comes_in(place, journal):
    incoming = without(place.request(), *signature_headers(place), token="", query={}, query_string="")
    if isinstance(place.endpoint.scheme, HmacFields):
        incoming = replace(incoming, body=place.goldens[0].body)
    assert take(door(journal), place.name, incoming).status == 401
    assert journal.rows() == []


def covers_the_body(place):
    scheme = place.endpoint.scheme
    return scheme.strength == "verified" and not isinstance(scheme, HmacFields)


@pytest.mark.parametrize("place", [*filter(covers_the_body, PLACES)], ids=lambda place: place.name)
def test_a_body_changed_by_one_byte_does_not_come_in(place, journal):
    incoming = place.request()
    middle = incoming.body.find(b":") - 2 if b":" in incoming.body else len(incoming.body) // 2
    body = incoming.body[:middle] + bytes([incoming.body[middle] ^ 1]) + incoming.body[middle + 1 :]
    answer = take(door(journal), place.name, replace(incoming, body=body))
    assert 400 <= answer.status < 500
    assert journal.rows() == []


def test_a_signed_field_that_is_changed_does_not_come_in(journal):
    place = PLACES[NAMES.index("adyen_standard")]
    incoming = place.request()
    signed = next(each for each in (b'"value": ', b'"value":') if each in incoming.body)
    forged = replace(incoming, body=incoming.body.replace(signed, signed + b"9"))
    assert take(door(journal), place.name, forged).status == 401
    assert journal.rows() == []


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_what_was_sent_to_one_source_is_not_believed_by_another(place, journal):
    opened = door(journal)
    incoming = place.request()
    for other in NAMES:
        if other != place.name:
            answer = take(opened, other, incoming)
            assert answer.status >= 400 or b"{}" in answer.body, (other, answer.body)
    assert journal.rows() == []


def test_two_sources_with_one_secret_are_pointed_out():
    """Schemes of one kind cannot tell such sources apart, so that the operator must."""
    secret = "a-secret-for-two-doors"
    warned = load({"GITHUB_WEBHOOK_SECRET": secret, "TYPEFORM_WEBHOOK_SECRET": secret}, sources=sources()).warnings
    assert any("github and typeform share a secret" in warning for warning in warned)
    apart = load({"GITHUB_WEBHOOK_SECRET": secret, "TYPEFORM_WEBHOOK_SECRET": secret + "2"}, sources=sources()).warnings
    assert not any("share a secret" in warning for warning in apart)


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_sent_again_within_its_time_it_is_the_same_event(place, journal):
    opened, incoming = door(journal), place.request()
    assert take(opened, place.name, incoming).status < 300
    before = journal.rows()
    assert take(opened, place.name, incoming).status < 300
    assert journal.rows() == before


TIMED = [place for place in PLACES if place.name not in untimed()]


@pytest.mark.parametrize("place", TIMED, ids=lambda place: place.name)
@pytest.mark.parametrize("days", [2, -2])
def test_a_signature_that_carries_its_time_does_not_come_in_out_of_it(place, days, journal):
    answer = take(door(journal, now=NOW + timedelta(days=days)), place.name, place.request())
    assert answer.status == 401
    assert b'"clock"' in answer.body
    assert journal.rows() == []


def test_no_other_spelling_of_a_path_opens_a_door(journal):
    opened, place = door(journal), PLACES[NAMES.index("github")]
    for name in (
        "Stripe",
        "STRIPE",
        "stripe ",
        " stripe",
        "stripe%20",
        "stripe\0",
        "stripe.",
        "\uff53tripe",
        "stripe;a=1",
    ):
        assert take(opened, name, place.request()).status == 404
    assert journal.rows() == []


def test_the_hosts_name_and_what_proxies_say_are_never_part_of_what_is_verified(journal):
    """The URL that is signed is the configured one, whatever the request says of itself."""
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    for place in PLACES:
        incoming = place.request()
        assert take(door(journal), place.name, replace(incoming, headers={**incoming.headers, **forged})).status < 300


def test_tokens_prove_a_sender_and_are_said_to_prove_no_more():
    for place in PLACES:
        if isinstance(place.endpoint.scheme, SharedToken):
            assert place.endpoint.scheme.strength == "authenticated", place.name
    assert len(list(itertools.chain(PLACES))) > 30
