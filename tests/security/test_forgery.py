"""Forged, replayed and misdirected requests: every installed source, with each of its schemes."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from support.installed_endpoints import (
    NOW,
    all_endpoints,
    endpoints_without_time,
    handle,
    make_handler,
    sources,
    without_headers,
)
from support.memory_journal import MemoryJournal
from translators.kit import HmacFields, SharedToken
from webhooks.settings import load

ENDPOINTS = all_endpoints()
NAMES = [installed.name for installed in ENDPOINTS]


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.mark.parametrize("installed", ENDPOINTS, ids=NAMES)
def test_signed_request_is_accepted(installed, journal) -> None:
    """The other tests change this request, so their refusals come from the change."""
    response = handle(make_handler(journal), installed.name, installed.request())
    assert response.status < 300, response.body
    assert journal.rows()


def signature_headers(installed):
    scheme = installed.endpoint.scheme
    names = [getattr(scheme, name, None) for name in ("header", "name")]
    prefixes = [f"{prefix}-signature" for prefix in getattr(scheme, "prefixes", ())]
    return [name.lower() for name in (*names, *prefixes, "Authorization") if name]


@pytest.mark.parametrize("installed", ENDPOINTS, ids=NAMES)
def test_request_without_its_signature_is_401(installed, journal) -> None:
    request = without_headers(
        installed.request(), *signature_headers(installed), path_token="", query={}, query_string=""
    )
    if isinstance(installed.endpoint.scheme, HmacFields):
        request = replace(request, body=installed.goldens[0].body)
    assert handle(make_handler(journal), installed.name, request).status == 401
    assert journal.rows() == []


def covers_the_body(installed):
    scheme = installed.endpoint.scheme
    return scheme.strength == "verified" and not isinstance(scheme, HmacFields)


@pytest.mark.parametrize("installed", [*filter(covers_the_body, ENDPOINTS)], ids=lambda installed: installed.name)
def test_body_changed_by_one_byte_is_refused(installed, journal) -> None:
    request = installed.request()
    middle = request.body.find(b":") - 2 if b":" in request.body else len(request.body) // 2
    body = request.body[:middle] + bytes([request.body[middle] ^ 1]) + request.body[middle + 1 :]
    response = handle(make_handler(journal), installed.name, replace(request, body=body))
    assert 400 <= response.status < 500
    assert journal.rows() == []


def test_changed_signed_field_is_refused(journal) -> None:
    installed = ENDPOINTS[NAMES.index("adyen_standard")]
    request = installed.request()
    signed = next(member for member in (b'"value": ', b'"value":') if member in request.body)
    forged = replace(request, body=request.body.replace(signed, signed + b"9"))
    assert handle(make_handler(journal), installed.name, forged).status == 401
    assert journal.rows() == []


@pytest.mark.parametrize("installed", ENDPOINTS, ids=NAMES)
def test_request_signed_for_one_source_is_refused_by_every_other(installed, journal) -> None:
    handler = make_handler(journal)
    request = installed.request()
    for other in NAMES:
        if other != installed.name:
            response = handle(handler, other, request)
            assert response.status >= 400 or b"{}" in response.body, (other, response.body)
    assert journal.rows() == []


def test_two_sources_with_one_secret_give_a_warning() -> None:
    """Schemes of one kind cannot distinguish such sources."""
    secret = "a-secret-for-two-endpoints"
    warned = load({"GITHUB_WEBHOOK_SECRET": secret, "TYPEFORM_WEBHOOK_SECRET": secret}, sources=sources()).warnings
    assert any("github and typeform share a secret" in warning for warning in warned)
    apart = load({"GITHUB_WEBHOOK_SECRET": secret, "TYPEFORM_WEBHOOK_SECRET": secret + "2"}, sources=sources()).warnings
    assert not any("share a secret" in warning for warning in apart)


@pytest.mark.parametrize("installed", ENDPOINTS, ids=NAMES)
def test_replay_within_the_tolerance_is_a_duplicate(installed, journal) -> None:
    handler, request = make_handler(journal), installed.request()
    assert handle(handler, installed.name, request).status < 300
    before = journal.rows()
    assert handle(handler, installed.name, request).status < 300
    assert journal.rows() == before


TIMED = [installed for installed in ENDPOINTS if installed.name not in endpoints_without_time()]


@pytest.mark.parametrize("installed", TIMED, ids=lambda installed: installed.name)
@pytest.mark.parametrize("days", [2, -2])
def test_signature_outside_the_tolerance_is_refused(installed, days, journal) -> None:
    response = handle(make_handler(journal, now=NOW + timedelta(days=days)), installed.name, installed.request())
    assert response.status == 401
    assert b'"clock"' in response.body
    assert journal.rows() == []


def test_other_spellings_of_an_endpoint_name_are_404(journal) -> None:
    handler, installed = make_handler(journal), ENDPOINTS[NAMES.index("github")]
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
        assert handle(handler, name, installed.request()).status == 404
    assert journal.rows() == []


def test_host_and_forwarded_headers_do_not_affect_verification(journal) -> None:
    """The signed URL is the configured one, not the URL in the request."""
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    for installed in ENDPOINTS:
        request = installed.request()
        assert (
            handle(
                make_handler(journal), installed.name, replace(request, headers={**request.headers, **forged})
            ).status
            < 300
        )


def test_shared_tokens_have_strength_authenticated() -> None:
    for installed in ENDPOINTS:
        if isinstance(installed.endpoint.scheme, SharedToken):
            assert installed.endpoint.scheme.strength == "authenticated", installed.name
    assert len(list(itertools.chain(ENDPOINTS))) > 30
