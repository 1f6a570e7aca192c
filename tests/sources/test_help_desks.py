"""The common rules of all help desks: docs/help-desks.md."""

import json

import pytest

from support.outcomes import GOLDEN, Change, golden_messages, golden_outcomes, named
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
from translators.kit import Source, opens_ticket
from translators.kustomer import kustomer
from translators.linear import linear
from translators.plain import plain
from translators.pylon import pylon
from translators.zendesk import zendesk
from webhooks.translation.goldens import find_goldens, outcomes
from webhooks.translation.translate import Broken, Ignored

CREATED, REPLIED = "Ticket Created", "Ticket Replied"


STARTED, SENT, RECEIVED = "Live Chat Conversation Started", "Live Chat Message Sent", "Live Chat Message Received"


# (source, golden, change that makes it the opening message, its track events)
OPENINGS: list[tuple[Source, str, Change, list[str]]] = [
    (zendesk, "ticket_created", {}, [CREATED]),
    (zendesk, "ticket_comment_added__opening", {}, []),
    (
        zendesk,
        "ticket_comment_added__opening",
        {"detail.updated_at": "2026-10-05T09:00:08Z", "time": "2026-10-05T09:00:08.1Z"},
        [],
    ),
    (zendesk, "messaging_ticket_message_added__customer", {}, [SENT]),
    (intercom, "ticket_created", {}, [CREATED]),
    (intercom, "conversation_user_created", {}, [STARTED, SENT]),
    (intercom, "conversation_user_created__api_1", {}, [STARTED, SENT]),
    (intercom, "conversation_admin_single_created", {}, [STARTED, RECEIVED]),
    (freshdesk, "ticket_created", {}, [CREATED]),
    (freshchat, "message_create__user", {}, [SENT]),
    (helpscout, "convo_created", {}, [CREATED]),
    (helpscout, "convo_customer_reply_created", {"createdAt": "2026-10-05T10:02:00Z"}, []),
    (helpscout, "convo_agent_reply_created", {"createdAt": "2026-10-05T09:31:20Z"}, []),
    (helpscout, "beacon_chat_created", {}, [STARTED, SENT]),
    (helpscout, "beacon_chat_customer_replied", {"createdAt": "2026-10-05T09:22:00Z"}, []),
    (front, "inbound__opens", {}, [CREATED]),
    (front, "outbound__opens", {}, [CREATED]),
    (gorgias, "ticket_created", {}, [CREATED]),
    (gorgias, "ticket_message_created__customer", {"message.created_at": "2026-10-05T09:20:00.400000"}, []),
    (gorgias, "ticket_message_created__agent", {"message.created_at": "2026-10-05T09:20:00.400000"}, []),
    (gorgias, "ticket_message_created__chat_customer", {"message.created_at": "2026-10-05T09:20:00.400000"}, [SENT]),
    (jira, "issue_created__request", {}, [CREATED]),
    (linear, "Issue.create", {}, [CREATED]),
    (chatwoot, "conversation_created__email", {}, [CREATED]),
    (chatwoot, "message_created__email_opening", {}, []),
    (chatwoot, "conversation_created", {}, [STARTED]),
    (chatwoot, "message_created__customer", {}, [SENT]),
    (crisp, "session_request_initiated", {}, [STARTED]),
    (crisp, "message_send", {}, [SENT]),
    (plain, "thread_created", {}, [CREATED]),
    (plain, "email_received__first", {}, []),
    *(
        (plain, f"{channel}_message_received", {"payload.thread.firstInboundMessageInfo.messageSource": word}, [])
        for channel, word in (("slack", "SLACK"), ("ms_teams", "MS_TEAMS"), ("discord", "DISCORD"))
    ),
    (
        plain,
        "slack_message_received",  # Slack's message is older than Plain's thread for it
        {
            "payload.thread.firstInboundMessageInfo": {
                "messageSource": "SLACK",
                "timestamp": "2026-10-05T09:29:00.100Z",
            },
            "payload.thread.createdAt": "2026-10-05T09:29:03.200Z",
        },
        [],
    ),
    (plain, "slack_message_sent", {"payload.thread.createdBy": {"actorType": "user", "userId": "u_1"}}, []),
    (plain, "chat_received", {"payload.thread.firstInboundMessageInfo.messageSource": "CHAT"}, [SENT]),
    (pylon, "issue_created", {}, [CREATED]),
    (pylon, "issue_customer_replied", {"message.created_at": "2026-10-05T09:29:41Z"}, []),
    (pylon, "issue_agent_replied", {"message.created_at": "2026-10-05T09:29:41Z"}, []),
    (pylon, "issue_customer_replied__chat", {"message.created_at": "2026-10-05T09:29:41Z"}, [SENT]),
    (kustomer, "conversation_create", {}, [CREATED]),
    (kustomer, "message_create__opening", {}, []),
    (kustomer, "message_create__chat_customer", {"data.attributes.directionType": "initial-in"}, [SENT]),
    (hubspot, "ticket_creation", {}, [CREATED]),
    (hubspot, "conversation_creation", {}, [STARTED]),
]


@pytest.mark.parametrize(("source", "name", "change", "events"), OPENINGS, ids=named)
def test_an_opening_message_is_the_ticket_and_no_reply(
    source: Source, name: str, change: Change, events: list[str]
) -> None:
    assert [message["event"] for message in golden_messages(source, name, change)] == events


LATER: list[tuple[Source, str, Change, str]] = [
    (zendesk, "ticket_comment_added__customer", {}, REPLIED),
    (helpscout, "convo_customer_reply_created", {}, REPLIED),
    (helpscout, "convo_agent_reply_created", {}, REPLIED),
    (helpscout, "beacon_chat_customer_replied", {}, SENT),
    (front, "inbound__reply", {}, REPLIED),
    (gorgias, "ticket_message_created__customer", {}, REPLIED),
    (gorgias, "ticket_message_created__agent", {}, REPLIED),
    (chatwoot, "message_created__email_customer", {}, REPLIED),
    (chatwoot, "message_created__email_agent", {}, REPLIED),
    (plain, "email_received", {}, REPLIED),
    (plain, "slack_message_received", {"payload.slackMessage.createdAt": "2026-10-05T09:29:03.100Z"}, REPLIED),
    (plain, "slack_message_sent", {}, REPLIED),
    (pylon, "issue_customer_replied", {}, REPLIED),
    (pylon, "issue_agent_replied", {}, REPLIED),
    (kustomer, "message_create__customer", {}, REPLIED),
]


@pytest.mark.parametrize(("source", "name", "change", "event"), LATER, ids=named)
def test_a_later_message_is_a_reply(source: Source, name: str, change: Change, event: str) -> None:
    assert [message["event"] for message in golden_messages(source, name, change)] == [event]


HELP_DESKS = [
    zendesk, intercom, freshdesk, freshchat, helpscout, front, gorgias, jira, linear, chatwoot, crisp, plain, pylon,
    kustomer, hubspot,
]  # fmt: skip


def test_every_help_desk_has_an_opening_message_case() -> None:
    assert {source.name for source, *_ in OPENINGS} == {source.name for source in HELP_DESKS}


@pytest.mark.parametrize("source", HELP_DESKS, ids=named)
def test_no_event_makes_both_a_ticket_and_a_reply_of_it(source: Source) -> None:
    for golden in find_goldens(GOLDEN / source.name):
        if "handshake" in golden.name:
            continue
        for _, outcome in outcomes(source, golden.delivery(source)):
            events = [message.get("event") for message in getattr(outcome, "messages", [])]
            assert not {CREATED, REPLIED} <= set(events), golden.name


def test_a_time_that_is_missing_opens_nothing() -> None:
    assert not opens_ticket(None, None)


WITHOUT_CUSTOMER: list[tuple[Source, str, Change]] = [
    (zendesk, "ticket_created", {"detail.requester_id": None}),
    (zendesk, "ticket_status_changed__solved", {"detail.requester_id": "0"}),
    (zendesk, "trigger_ticket_created", {"requester": {"id": "", "external_id": "", "email": ""}}),
    (zendesk, "trigger_ticket_replied__customer", {"requester.id": "", "requester.email": ""}),
    (intercom, "ticket_created", {"data.item.contacts.contacts": []}),
    (intercom, "ticket_state_updated__solved", {"data.item.contacts.contacts": []}),
    (intercom, "conversation_admin_closed", {"data.item.contacts.contacts": [], "data.item.source": {}}),
    (intercom, "ticket_created", {"data.item.contacts.contacts": [{"type": "contact", "id": None}]}),
    (zendesk, "messaging_ticket_message_added__customer", {"event.actor.id": None}),
    (chatwoot, "message_created__customer", {"conversation.meta.sender": {"name": "Ada"}}),
    (plain, "thread_created", {"payload.thread.customer": {}}),
    (freshdesk, "ticket_created", {"requester": {"external_id": "", "email": "", "phone": ""}}),
    (freshdesk, "simple_content__created", {"freshdesk_webhook.ticket_requester_email": ""}),
    (helpscout, "convo_created", {"primaryCustomer": None}),
    (helpscout, "convo_status__closed", {"primaryCustomer": {"id": 0, "type": "customer"}}),
    (helpscout, "satisfaction_ratings", {"customer": None}),
    (front, "archive", {"payload.conversation.recipient": {"handle": "", "role": "from"}}),
    (gorgias, "ticket_created", {"customer": {"id": "None", "external_id": "None", "email": "None", "name": "None"}}),
    (jira, "issue_created__request", {"issue.fields.reporter": "", "issue.fields.creator": ""}),
    (jira, "rule_ticket_created", {"reporter": {"id": "", "key": "", "email": ""}}),
    (linear, "Issue.create", {"data.creatorId": "", "data.creator": None}),
    (chatwoot, "conversation_created", {"meta.sender": None}),
    (chatwoot, "message_created__customer", {"conversation.meta.sender": None}),
    (crisp, "session_set_email", {"data.session_id": None, "data.email": ""}),
    (plain, "thread_created", {"payload.thread.customer": None}),
    (plain, "email_received", {"payload.thread.customer": None}),
    (pylon, "issue_created", {"requester": {"id": "", "email": "", "name": ""}}),
    (pylon, "issue_closed", {"requester": {"id": "<no value>", "email": "None", "name": ""}}),
    (kustomer, "conversation_create", {"data.relationships.customer": None}),
    (kustomer, "message_create__customer", {"data.relationships.customer": {"data": {}}}),
]


@pytest.mark.parametrize(("source", "name", "change"), WITHOUT_CUSTOMER, ids=named)
def test_a_record_without_a_customer_is_ignored_with_a_reason(source: Source, name: str, change: Change) -> None:
    for outcome in golden_outcomes(source, name, change):
        assert isinstance(outcome, Ignored), outcome
        assert outcome.reason.startswith("no customer")


def test_every_help_desk_with_customers_has_a_case_without_one() -> None:
    names_the_conversation_instead = {freshchat.name, hubspot.name}
    assert {source.name for source, *_ in WITHOUT_CUSTOMER} == {
        desk.name for desk in HELP_DESKS
    } - names_the_conversation_instead


@pytest.mark.parametrize("printed", ["null", "None", "undefined", "[object Object]", "{{requester.id}}", " "])
@pytest.mark.parametrize(
    ("source", "name", "members"),
    [
        (zendesk, "trigger_ticket_created", ("requester.id", "requester.external_id", "requester.email")),
        (freshdesk, "ticket_created__with_your_id", ("requester.external_id", "requester.email")),
        (gorgias, "ticket_created", ("customer.id", "customer.external_id", "customer.email")),
        (pylon, "issue_created", ("requester.id", "requester.email", "requester.own.user_id")),
        (jira, "rule_ticket_created", ("reporter.id", "reporter.key", "reporter.email")),
    ],
    ids=named,
)
def test_empty_value_of_a_template_is_no_customer(
    source: Source, name: str, members: tuple[str, ...], printed: str
) -> None:
    (outcome,) = golden_outcomes(source, name, dict.fromkeys(members, printed))
    assert isinstance(outcome, Ignored), outcome
    assert outcome.reason.startswith("no customer")


@pytest.mark.parametrize(
    ("source", "name", "member"),
    [
        (zendesk, "trigger_ticket_created", "requester"),
        (freshdesk, "ticket_created", "requester"),
        (gorgias, "ticket_created", "customer"),
        (pylon, "issue_created", "requester"),
        (jira, "rule_ticket_created", "reporter"),
    ],
    ids=named,
)
def test_a_template_without_the_customers_member_is_malformed(source: Source, name: str, member: str) -> None:
    (outcome,) = golden_outcomes(source, name, {member: None})
    assert isinstance(outcome, Broken)
    assert f"$.{member} is missing: paste the template of docs/sources/{source.name}.md" in outcome.reason


WRITERS: list[tuple[Source, str, Change, str]] = [
    (zendesk, "ticket_comment_added__customer_in_copy", {}, "zendesk_user_id"),
    (zendesk, "trigger_ticket_replied__customer", {"actor.id": "990001"}, "zendesk_user_id"),
    (
        helpscout,
        "convo_customer_reply_created",
        {"_embedded.threads.0.createdBy": {"id": 990001, "type": "customer", "first": "Ada"}},
        "helpscout_customer_id",
    ),
    (
        helpscout,
        "beacon_chat_customer_replied",
        {"_embedded.threads.0.createdBy": {"id": 990001, "type": "customer"}},
        "helpscout_customer_id",
    ),
    (
        front,
        "inbound__reply",
        {
            "payload.target.data.recipients": [
                {
                    "handle": "another@example.com",
                    "role": "from",
                    "_links": {"related": {"contact": "https://api2.frontapp.com/contacts/990001"}},
                }
            ]
        },
        "front_contact_id",
    ),
    (gorgias, "ticket_message_created__customer", {"message.sender.id": "990001"}, "gorgias_customer_id"),
    (gorgias, "ticket_message_created__chat_customer", {"message.sender.id": "990001"}, "gorgias_customer_id"),
    (jira, "issue_updated__participant_commented", {}, "jira_account_id"),
    (jira, "rule_ticket_replied__said_by_the_rule", {}, "jira_account_id"),
    (linear, "Comment.create__from_outside", {}, "linear_external_user_id"),
    (
        chatwoot,
        "message_created__customer",
        {"sender": {"id": 990001, "name": "Ada", "type": "contact"}},
        "chatwoot_contact_id",
    ),
    (
        chatwoot,
        "message_created__email_customer",
        {"sender": {"id": 990001, "name": "Ada", "type": "contact"}},
        "chatwoot_contact_id",
    ),
    (
        plain,
        "email_received",
        {
            "payload.email.from": {
                "email": "another@example.com",
                "emailActor": {"actorType": "customer", "customerId": "990001"},
            }
        },
        "plain_customer_id",
    ),
    *(
        (
            plain,
            f"{name}_received",
            {f"payload.{member}.createdBy": {"actorType": "customer", "customerId": "990001"}},
            "plain_customer_id",
        )
        for name, member in (
            ("slack_message", "slackMessage"),
            ("ms_teams_message", "msTeamsMessage"),
            ("discord_message", "discordMessage"),
            ("chat", "chat"),
        )
    ),
    (pylon, "issue_customer_replied", {"message.author": {"id": "990001", "name": "Ada"}}, "pylon_contact_id"),
    (freshchat, "message_create__user", {"data.message.actor_id": "990001"}, "freshchat_user_id"),
    *(
        (
            kustomer,
            name,
            {"data.relationships.createdBy": {"data": {"type": "customer", "id": "990001"}}},
            "kustomer_customer_id",
        )
        for name in ("message_create__customer", "message_create__chat_customer")
    ),
    (pylon, "issue_customer_replied__chat", {"message.author": {"id": "990001", "name": "Ada"}}, "pylon_contact_id"),
]


@pytest.mark.parametrize(("source", "name", "change", "kind"), WRITERS, ids=named)
def test_another_writer_is_not_the_tickets_customer(source: Source, name: str, change: Change, kind: str) -> None:
    (message,) = golden_messages(source, name, change)
    external = {entry["type"]: entry["id"] for entry in message["context"]["externalIds"]}
    assert message["event"] in {REPLIED, SENT}
    assert "userId" not in message, "the customer's own id"
    if change:
        assert external[kind] == "990001"
        (own,) = golden_messages(source, name)
        assert own["userId" if "userId" in own else "anonymousId"] != message["anonymousId"]
        email = own["context"].get("traits", {}).get("email")
        assert email is None or email not in json.dumps(message), "nothing of the customer's own"


@pytest.mark.parametrize(
    ("source", "name", "change"),
    [
        (chatwoot, "message_created__customer", {"sender.type": "agent_bot"}),
        (plain, "slack_message_received", {"payload.slackMessage.createdBy": {"actorType": "machineUser"}}),
        (plain, "chat_received", {"payload.chat.createdBy": {"actorType": "machineUser", "machineUserId": "mu_1"}}),
        (plain, "email_received", {"payload.email.from.emailActor": {"actorType": "machineUser"}}),
        (plain, "email_received", {"payload.email.from.emailActor": {"actorType": "supportEmailAddress"}}),
        (freshchat, "message_create__user", {"data.message.actor_type": "bot"}),
        (zendesk, "ticket_comment_added__customer", {"event.comment.author.id": "-1"}),
        (intercom, "conversation_admin_replied__bot", {}),
        (intercom, "ticket_contact_replied", {"data.item.ticket_parts.ticket_parts.0.author.type": "bot"}),
        (crisp, "message_send", {"data.automated": True}),
        (gorgias, "ticket_message_created__rule", {}),
        (jira, "comment_created__by_an_application__ignored", {}),
        (linear, "Comment.create__by_a_bot__ignored", {}),
        (kustomer, "message_create__auto", {}),
        (helpscout, "convo_agent_reply_created__ai", {}),
        (pylon, "issue_agent_replied__automated", {}),
        (front, "out_reply__automatic", {}),
    ],
    ids=named,
)
def test_a_bot_is_no_customer(source: Source, name: str, change: Change) -> None:
    assert golden_messages(source, name, change) == []


@pytest.mark.parametrize(
    ("source", "name", "change"),
    [
        (zendesk, "ticket_comment_added__private_note", {}),
        (zendesk, "trigger_ticket_replied__private_note", {}),
        (intercom, "conversation_admin_noted__ignored", {}),
        (
            intercom,
            "conversation_admin_replied",
            {"data.item.conversation_parts.conversation_parts.0.part_type": "note"},
        ),
        (intercom, "ticket_admin_replied", {"data.item.ticket_parts.ticket_parts.0.part_type": "note"}),
        (freshdesk, "simple_content__private_note", {}),
        (freshchat, "message_create__private", {}),
        (helpscout, "convo_note_created__ignored", {}),
        (front, "comment__ignored", {}),
        (gorgias, "ticket_message_created__note", {}),
        (jira, "comment_created__internal__ignored", {}),
        (jira, "rule_ticket_replied__internal__ignored", {}),
        (chatwoot, "message_created__note", {}),
        (chatwoot, "message_created__customer", {"private": True}),
        (crisp, "message_received__note", {}),
        (plain, "note_created__ignored", {}),
        (pylon, "issue_agent_replied__note", {}),
    ],
    ids=named,
)
def test_a_private_note_makes_no_message(source: Source, name: str, change: Change) -> None:
    assert golden_messages(source, name, change) == []


NAMES: list[tuple[Source, str, str]] = [
    (zendesk, "messaging_ticket_message_added__customer", "event.actor.name"),
    (zendesk, "messaging_ticket_message_added__visitor", "event.actor.name"),
    (zendesk, "ticket_comment_added__customer", "event.comment.author.name"),
    (zendesk, "trigger_ticket_created", "requester.name"),
    (intercom, "contact_user_created", "data.item.name"),
    (intercom, "contact_lead_created", "data.item.name"),
    (freshdesk, "ticket_created", "requester.name"),
    (helpscout, "convo_created", "primaryCustomer.first"),
    (helpscout, "customer_created", "firstName"),
    (front, "inbound__opens", "payload.conversation.recipient.name"),
    (gorgias, "ticket_created", "customer.name"),
    (jira, "issue_created__request", "issue.fields.reporter.displayName"),
    (linear, "Issue.create", "data.creator.name"),
    (chatwoot, "message_created__customer", "conversation.meta.sender.name"),
    (chatwoot, "contact_created", "name"),
    (crisp, "session_set_nickname", "data.nickname"),
    (crisp, "message_send", "data.user.nickname"),
    (plain, "thread_created", "payload.thread.customer.fullName"),
    (plain, "customer_created", "payload.customer.fullName"),
    (pylon, "issue_created", "requester.name"),
    (kustomer, "customer_create", "data.attributes.name"),
]


@pytest.mark.parametrize("made_up", ["Visitor 4711", "Anonymous", "Unknown", ""])
@pytest.mark.parametrize(("source", "name", "path"), NAMES, ids=named)
def test_a_made_up_name_is_no_trait(source: Source, name: str, path: str, made_up: str) -> None:
    change = {path: made_up}
    if source is helpscout:
        change |= {"lastName" if path == "firstName" else "primaryCustomer.last": ""}
    for message in golden_messages(source, name, change):
        traits = {**message.get("traits", {}), **message["context"].get("traits", {})}
        assert "name" not in traits, message
