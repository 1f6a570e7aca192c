"""The docs of each help desk name its types, options, messages and templates."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import GOLDEN, named, sent_messages
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
from translators.kustomer import kustomer
from translators.linear import linear
from translators.plain import plain
from translators.pylon import pylon
from translators.zendesk import zendesk

SOURCES = [
    zendesk, intercom, freshdesk, freshchat, helpscout, front, gorgias, jira, linear, chatwoot, crisp, plain, pylon,
    hubspot, kustomer,
]  # fmt: skip


HERE = Path(__file__).parent


DOCS = HERE.parents[1] / "docs" / "sources"


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_the_docs_name_every_translated_type_and_no_other(source: Source) -> None:
    section = (DOCS / f"{source.name}.md").read_text().partition("## What")[2].partition("\n## ")[0]
    cells = [
        line.split("|")[1] for line in section.splitlines() if line.startswith("| ") and not line.startswith("| -")
    ]
    documented = {name for cell in cells[1:] for name in re.findall(r"(?<!\()`([^`]+)`", cell)}
    assert documented == set(source.declared.handlers)


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
    for message in sent_messages(source):
        type_ = message["context"]["webhook"]["type"]
        names = " ".join(row[2] for row in rows if f"`{type_}`" in row[1])
        assert message.get("event", message["type"]) in names, type_


def shape(value: Any) -> Any:
    return {name: shape(member) for name, member in value.items()} if isinstance(value, dict) else "text"


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
