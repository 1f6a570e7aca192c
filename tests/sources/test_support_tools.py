"""What the support tools have in common: one vocabulary, no texts, signatures, and correct docs."""

import json
import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

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
from translators.kit.vocabulary import VOCABULARY
from translators.kustomer import kustomer
from translators.linear import linear
from translators.plain import plain
from translators.pylon import pylon
from translators.zendesk import zendesk
from webhooks.signatures import Fault, Request, sign, verify

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
DOCS = HERE.parents[1] / "docs" / "sources"
SOURCES = [
    zendesk, intercom, freshdesk, freshchat, helpscout, front, gorgias, jira, linear, chatwoot, crisp, plain, pylon,
    hubspot, kustomer,
]  # fmt: skip
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/tool"
SIGNED = [
    pytest.param(source, scheme, id=f"{source.name}-{name}")
    for source in SOURCES
    for name, scheme in source.schemes.items()
    if not isinstance(scheme, PublicKey)
]


def named(source: Source) -> str:
    return source.name


@cache
def messages(source: Source) -> list[dict[str, Any]]:
    messages_found = []
    for path in sorted((GOLDEN / source.name).glob("*.messages.json")):
        for event in json.loads(path.read_text()).get("events", []):
            messages_found += event.get("messages", [])
    return messages_found


def request_of(scheme: Scheme, body: bytes, secret: str, *, now: datetime = NOW) -> Request:
    signed = sign(scheme, body=body, secret=secret, now=now, url=URL)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    return Request(
        body=signed.body, headers=headers, query=signed.query, path_token=signed.path_token, public_url=URL
    )  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_every_event_name_is_segments_or_in_our_vocabulary(source: Source) -> None:
    spec = json.loads(files("translators").joinpath("spec_events.json").read_text())
    names = {message["event"] for message in messages(source) if message["type"] == "track"}
    assert names
    assert names <= set(spec) | set(VOCABULARY)


@pytest.mark.parametrize("source", [source for source in SOURCES if source not in (gorgias, pylon)], ids=named)
def test_no_text_written_by_a_person_is_sent(source: Source) -> None:
    """Every fixture has `(the text)` for text of a person; the templates of Gorgias and Pylon have none."""
    sent = [path for path in (GOLDEN / source.name).glob("*.json") if not path.name.endswith(".messages.json")]
    assert any("(the text)" in path.read_text() for path in sent)
    assert "(the text)" not in json.dumps(messages(source))


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_reply_has_an_author_and_agent_chat_is_received(source: Source) -> None:
    for message in messages(source):
        properties = message.get("properties", {})
        if message.get("event") == "Ticket Replied":
            assert properties["author"] in {"customer", "agent"}
        if message.get("event") == "Live Chat Message Sent":
            assert "agent_id" not in properties
        if message.get("event") == "Live Chat Message Received":
            assert properties["agent_id"]


@pytest.mark.parametrize(("source", "scheme"), SIGNED)
def test_only_a_correct_signature_verifies(source: Source, scheme: Scheme) -> None:
    secret = "user:long-random-password" if getattr(scheme, "where", "") == "basic" else "long-random-secret"
    request = request_of(scheme, b'{"a": 1}', secret)
    assert verify(scheme, request, secrets=(secret,), now=NOW).ok
    assert not verify(scheme, request, secrets=("another:secret",), now=NOW).ok
    assert verify(scheme, request, secrets=("another:secret", secret), now=NOW).ok
    assert verify(scheme, request, secrets=(), now=NOW).fault is Fault.NOT_CONFIGURED
    if scheme.strength == "verified":
        changed = Request(body=request.body.replace(b'"a": 1', b'"a": 2'), headers=request.headers)
        assert not verify(scheme, changed, secrets=(secret,), now=NOW).ok


@pytest.mark.parametrize("source", [zendesk, front, linear, chatwoot, crisp, plain, hubspot], ids=named)
def test_old_delivery_is_refused_if_the_time_is_signed(source: Source) -> None:
    scheme = next(iter(source.schemes.values()))
    request = request_of(scheme, b"{}", "secret", now=NOW - timedelta(minutes=6))
    assert verify(scheme, request, secrets=("secret",), now=NOW).fault is Fault.CLOCK


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_the_docs_name_every_translated_type_and_no_other(source: Source) -> None:
    section = (DOCS / f"{source.name}.md").read_text().partition("## What")[2].partition("\n## ")[0]
    cells = [
        line.split("|")[1] for line in section.splitlines() if line.startswith("| ") and not line.startswith("| -")
    ]
    documented = {name for cell in cells[1:] for name in re.findall(r"(?<!\()`([^`]+)`", cell)}
    assert documented == set(source.handlers)


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_the_docs_name_every_option_the_secret_and_the_strength(source: Source) -> None:
    page = (DOCS / f"{source.name}.md").read_text()
    assert f"{source.name.upper()}_WEBHOOK_SECRET" in page
    assert f"/webhooks/{source.name}" in page
    for option in source.options:
        assert f"SEGUE_{source.name.upper()}_{option.upper()}" in page
    for scheme in source.schemes.values():
        assert f"**{scheme.strength}**" in page


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_every_message_of_a_type_is_in_its_row_of_the_docs(source: Source) -> None:
    section = (DOCS / f"{source.name}.md").read_text().partition("## What")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")]
    for message in messages(source):
        type_ = message["context"]["webhook"]["type"]
        names = " ".join(row[2] for row in rows if f"`{type_}`" in row[1])
        assert message.get("event", message["type"]) in names, type_


@pytest.mark.parametrize(
    ("source", "golden"),
    [
        (zendesk, "trigger_ticket_created"),
        (freshdesk, "ticket_created"),
        (gorgias, "ticket_message_created__customer"),
        (pylon, "issue_created"),
        (jira, "rule_ticket_created"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_docs_template_has_the_members_of_the_fixtures(source: Source, golden: str) -> None:
    template = json.loads((DOCS / f"{source.name}.md").read_text().partition("```json\n")[2].partition("```")[0])
    assert shape(template) == shape(json.loads((GOLDEN / source.name / f"{golden}.json").read_text()))


@pytest.mark.parametrize("source", [zendesk, freshdesk, jira], ids=named)
def test_docs_template_has_no_customer_written_text(source: Source) -> None:
    template = (DOCS / f"{source.name}.md").read_text().partition("```json\n")[2].partition("```")[0]
    written = (
        "*.title}}",
        "*.subject}}",
        "*.summary}}",
        "*requester.name}}",
        "*reporter.displayName}}",
        "*comment*.value}}",
        "*description}}",
        "*current_user.name}}",
    )
    placeholders = re.findall(r"\{\{[^}]+\}\}", template)
    assert placeholders
    assert not [placeholder for placeholder in placeholders for pattern in written if fnmatchcase(placeholder, pattern)]


def shape(value: Any) -> Any:
    return {name: shape(member) for name, member in value.items()} if isinstance(value, dict) else "text"
