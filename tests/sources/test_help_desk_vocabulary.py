"""The messages of the help desks: one vocabulary, no texts, authors and agents."""

import json
from importlib.resources import files

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
from translators.kit.vocabulary import VOCABULARY
from translators.kustomer import kustomer
from translators.linear import linear
from translators.plain import plain
from translators.pylon import pylon
from translators.zendesk import zendesk

SOURCES = [
    zendesk, intercom, freshdesk, freshchat, helpscout, front, gorgias, jira, linear, chatwoot, crisp, plain, pylon,
    hubspot, kustomer,
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_every_event_name_is_segments_or_in_our_vocabulary(source: Source) -> None:
    spec = json.loads(files("translators").joinpath("spec_events.json").read_text())
    names = {message["event"] for message in sent_messages(source) if message["type"] == "track"}
    assert names
    assert names <= set(spec) | set(VOCABULARY)


@pytest.mark.parametrize("source", [source for source in SOURCES if source not in (gorgias, pylon)], ids=named)
def test_no_text_written_by_a_person_is_sent(source: Source) -> None:
    """Every fixture has `(the text)` for text of a person; the templates of Gorgias and Pylon have none."""
    sent = [path for path in (GOLDEN / source.name).glob("*.json") if not path.name.endswith(".messages.json")]
    assert any("(the text)" in path.read_text() for path in sent)
    assert "(the text)" not in json.dumps(sent_messages(source))


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_reply_has_an_author_and_agent_chat_is_received(source: Source) -> None:
    for message in sent_messages(source):
        properties = message.get("properties", {})
        if message.get("event") == "Ticket Replied":
            assert properties["author"] in {"customer", "agent"}
        if message.get("event") == "Live Chat Message Sent":
            assert "agent_id" not in properties
        if message.get("event") == "Live Chat Message Received":
            assert properties["agent_id"]
