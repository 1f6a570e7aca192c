"""The signatures of the help desks."""

from datetime import UTC, datetime, timedelta

import pytest

from support.outcomes import named
from translators.chatwoot import chatwoot
from translators.crisp import crisp
from translators.freshchat import freshchat
from translators.freshdesk import freshdesk
from translators.front import front
from translators.gorgias import gorgias
from translators.helpscout import helpscout
from translators.hubspot import hubspot
from translators.intercom import intercom
from translators.jira import jira
from translators.kit import Source
from translators.kit.schemes import PublicKey, Scheme
from translators.kustomer import kustomer
from translators.linear import linear
from translators.plain import plain
from translators.pylon import pylon
from translators.zendesk import zendesk
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, RegisteredUrl, sign, verify

SOURCES = [
    zendesk, intercom, freshdesk, freshchat, helpscout, front, gorgias, jira, linear, chatwoot, crisp, plain, pylon,
    hubspot, kustomer,
]  # fmt: skip


SIGNED = [
    pytest.param(source, scheme, id=f"{source.name}-{name}")
    for source in SOURCES
    for name, scheme in source.schemes.items()
    if not isinstance(scheme, PublicKey)
]


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


URL = "https://hooks.example.com/webhooks/tool"


def request_of(scheme: Scheme, body: bytes, secret: str, *, now: datetime = NOW) -> HttpRequest:
    signed = sign(scheme, body=body, secret=secret, now=now, url=URL)
    headers = dict(signed.headers)
    return HttpRequest(
        body=signed.body, headers=headers, query=signed.query, path_token=signed.path_token
    )  # fmt: skip


@pytest.mark.parametrize(("source", "scheme"), SIGNED)
def test_only_a_correct_signature_verifies(source: Source, scheme: Scheme) -> None:
    secret = "user:long-random-password" if getattr(scheme, "where", "") == "basic" else "long-random-secret"
    request = request_of(scheme, b'{"a": 1}', secret)
    assert verify(scheme, request, secrets=(secret,), now=NOW, registered=RegisteredUrl(URL)).ok
    assert not verify(scheme, request, secrets=("another:secret",), now=NOW, registered=RegisteredUrl(URL)).ok
    assert verify(scheme, request, secrets=("another:secret", secret), now=NOW, registered=RegisteredUrl(URL)).ok
    assert verify(scheme, request, secrets=(), now=NOW, registered=RegisteredUrl(URL)).fault is Fault.NOT_CONFIGURED
    if scheme.strength == "verified":
        changed = HttpRequest(body=request.body.replace(b'"a": 1', b'"a": 2'), headers=request.headers)
        assert not verify(scheme, changed, secrets=(secret,), now=NOW, registered=RegisteredUrl(URL)).ok


@pytest.mark.parametrize("source", [zendesk, front, linear, chatwoot, crisp, plain, hubspot], ids=named)
def test_old_delivery_is_refused_if_the_time_is_signed(source: Source) -> None:
    scheme = next(iter(source.schemes.values()))
    request = request_of(scheme, b"{}", "secret", now=NOW - timedelta(minutes=6))
    assert verify(scheme, request, secrets=("secret",), now=NOW, registered=RegisteredUrl(URL)).fault is Fault.CLOCK
