"""Behaviour of Jira that its goldens do not cover."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import event_names, golden_outcomes
from support.unreadable import problem
from translators.jira import jira
from translators.kit import Delivery, FormerId
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import endpoint, outcomes
from webhooks.translation.translate import Broken, Ignored, Outcome, Translated, translate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "golden" / "jira"
SELF = "https://acme.atlassian.net/rest/api/2/issue/1"
DONE, OPEN = {"name": "Done", "statusCategory": {"key": "done"}}, {"name": "To Do", "statusCategory": {"key": "new"}}
LONG_AGO, AT = "2026-10-01T08:00:00.000+0000", "2026-10-05T11:42:07.000+0000"


def golden(name: str) -> dict[str, Any]:
    outcomes_of: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return outcomes_of


def delivery(body: Any, headers: dict[str, str] | None = None, **options: str) -> Delivery:
    return Delivery(
        source="jira",
        body=json.dumps(body).encode(),
        received_at=NOW,
        headers=headers or {},
        options=jira.defaults() | options,
    )


def outcomes_of(body: Any, **options: str) -> list[Outcome]:
    return [outcome for _, outcome in outcomes(jira, delivery(body, None, **options))]


def item(field: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"field": field, "fieldtype": "jira", "from": before, "fromString": before, "to": after, "toString": after}


def changed(fields: dict[str, Any], *items: dict[str, Any]) -> dict[str, Any]:
    issue = {"id": "1", "self": SELF, "key": "A-1", "fields": {"updated": AT, **fields}}
    return {
        "webhookEvent": "jira:issue_updated", "timestamp": 1791200527118, "issue": issue, "changelog": {"items": items}
    }  # fmt: skip


def names(body: dict[str, Any], **options: str) -> list[str]:
    (outcome,) = outcomes_of(body, **options)
    assert isinstance(outcome, Translated), outcome
    return [message["event"] for message in outcome.messages]


@pytest.mark.parametrize(
    ("fields", "items", "name"),
    [
        ({"status": DONE}, [item("status", "To Do", "Done")], "Ticket Solved"),
        ({"status": OPEN}, [item("status", "Done", "To Do")], "Ticket Reopened"),
        ({"status": OPEN}, [item("status", "Backlog", "To Do")], "Ticket Status Changed"),
        ({"status": DONE}, [item("status", "Resolved", "Done")], "Ticket Status Changed"),
        # a resolution that many workflows keep when a ticket is reopened: the category decides, or its time
        ({"status": DONE, "resolution": {"id": "1"}}, [item("status", "QA", "Done")], "Ticket Status Changed"),
        (
            {"status": DONE, "resolution": {"id": "1"}, "statuscategorychangedate": AT},
            [item("status", "QA", "Done")],
            "Ticket Solved",
        ),
        (
            {"status": DONE, "statuscategorychangedate": LONG_AGO},
            [item("status", "QA", "Done")],
            "Ticket Status Changed",
        ),
        # a resolution decides by itself, whatever the statuses of the workflow are called
        ({"status": OPEN}, [item("resolution", None, "Fixed"), item("status", "QA", "Gelöst")], "Ticket Solved"),
        ({"status": OPEN}, [item("resolution", "Fixed", None), item("status", "Gelöst", "QA")], "Ticket Reopened"),
        ({"status": OPEN}, [item("resolution", None, "Fixed")], "Ticket Solved"),
        ({"status": OPEN}, [item("resolution", "Fixed", None)], "Ticket Reopened"),
        ({"status": DONE}, [item("resolution", "Fixed", "Duplicate")], "Ticket Updated"),
        ({"status": {"name": "Closed"}}, [item("status", "QA", "Closed")], "Ticket Solved"),  # without a category
        ({"status": {"name": "QA"}}, [item("status", "Closed", "QA")], "Ticket Reopened"),
    ],
)
def test_solved_and_reopened(fields: dict[str, Any], items: list[dict[str, Any]], name: str) -> None:
    assert names(changed(fields, *items)) == [name]


def test_the_names_of_ended_statuses_are_the_operators() -> None:
    body = changed({"status": OPEN}, item("status", "Erledigt", "To Do"))
    assert names(body) == ["Ticket Status Changed"]
    assert names(body, done_statuses="Fertig; erledigt") == ["Ticket Reopened"]


def test_comment_is_one_event_alone_and_with_its_issue() -> None:
    alone = golden("comment_created__by_the_customer")
    beside = golden("issue_updated__participant_commented")
    beside["comment"] = alone["comment"]
    first = SourceRuntime(jira).events(delivery(alone, {"x-atlassian-webhook-identifier": "one"}))
    again = SourceRuntime(jira).events(delivery(beside, {"x-atlassian-webhook-identifier": "two"}))
    assert [(event.id, event.type) for event in first] == [(event.id, event.type) for event in again]
    assert first[0].occurred_at == again[0].occurred_at


def test_a_comment_of_another_site_is_another() -> None:
    cloud, data_center = golden("comment_created__by_the_customer"), golden("comment_created__by_the_customer")
    data_center["comment"]["self"] = data_center["comment"]["self"].replace("acme", "other")
    assert SourceRuntime(jira).events(delivery(cloud))[0].id != SourceRuntime(jira).events(delivery(data_center))[0].id


def test_change_with_a_comment_makes_two_events_with_one_header() -> None:
    body = golden("issue_updated__data_center_resolved_with_a_comment")
    headers = {"x-atlassian-webhook-identifier": "one", "x-hub-signature": "sha256=aa"}
    change, comment = SourceRuntime(jira).events(delivery(body, headers))
    assert change.id == "change:jira.acme.example:8443/jira:10225"
    assert (change.type, comment.type) == ("jira:issue_updated", "comment_created")
    assert change.former_ids == (FormerId("one"),)
    assert change.headers == {"x-atlassian-webhook-identifier": "one"}


def test_key_without_the_header_is_the_digest_of_the_bytes() -> None:
    body = golden("project_created__ignored")
    first, again = (SourceRuntime(jira).events(delivery(body))[0].id for _ in range(2))
    assert first == again != SourceRuntime(jira).events(delivery(body | {"timestamp": 1}))[0].id


def test_custom_field_is_the_user_id_if_configured() -> None:
    sent = delivery(golden("issue_created__with_your_id"))
    (event,) = SourceRuntime(jira).events(sent)
    at = replace(endpoint(jira, sent.options), user_id_keys=("customfield_10050",))
    outcome = translate(event, at, namespace="test")
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["userId"] == "user-42"


def test_a_participants_reply_is_not_the_reporters() -> None:
    body = golden("issue_updated__participant_commented")
    body["issue"]["fields"]["customfield_10050"] = "user-42"
    sent = delivery(body)
    at = replace(endpoint(jira, sent.options), user_id_keys=("customfield_10050",))
    for author, user_id in ((body["comment"]["author"], None), (body["issue"]["fields"]["reporter"], "user-42")):
        body["comment"]["author"] = author
        (event,) = SourceRuntime(jira).events(delivery(body))
        outcome = translate(event, at, namespace="test")
        assert isinstance(outcome, Translated)
        assert outcome.messages[0].get("userId") == user_id


@pytest.mark.parametrize("address", ['"?"', "", "hidden"])
def test_a_hidden_address_is_no_address(address: str) -> None:
    body = golden("issue_created__software_project")
    body["issue"]["fields"]["reporter"]["emailAddress"] = address
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Translated)
    assert "email" not in outcome.messages[0]["context"]["traits"]


def test_several_organisations_are_no_account() -> None:
    body = golden("issue_created__request")
    organizations = body["issue"]["fields"]["customfield_10002"]
    organizations.append(organizations[0] | {"id": "18"})
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Translated)
    assert "groupId" not in outcome.messages[0]["context"]


@pytest.mark.parametrize("author", [None, {"accountType": "app", "accountId": "x"}])
def test_comment_without_an_author_is_ignored(author: Any) -> None:
    body = golden("comment_created__by_the_customer")
    body["comment"]["author"] = author
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Ignored)


def test_a_rating_must_be_a_number_in_a_field_that_changed() -> None:
    body = golden("issue_updated__rated")
    for value in (None, {"rating": None}, {"rating": True}, "5"):
        body["issue"]["fields"]["customfield_10026"] = value
        assert names(body) == ["Ticket Updated"]


@pytest.mark.parametrize("author", ["", "visitor"])
def test_rule_reply_needs_an_author(author: str) -> None:
    body = golden("rule_ticket_replied__agent")
    body["comment"] |= {"author": author, "author_id": ""}
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Broken)
    assert "$.comment.author" in outcome.reason


def test_rule_without_a_reporter_is_ignored_but_malformed_without_the_member() -> None:
    (outcome,) = outcomes_of(golden("rule_ticket_created") | {"reporter": {"id": "", "key": "", "email": "{{x.y}}"}})
    assert isinstance(outcome, Ignored)
    body = golden("rule_ticket_created")
    del body["reporter"]
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Broken)
    assert "$.reporter" in outcome.reason


@pytest.mark.parametrize(("later", "is_reply"), [(0, True), (200, False)])
def test_an_edited_comment_of_an_older_server_is_no_new_reply(later: int, is_reply: bool) -> None:
    body = golden("issue_updated__data_center_commented_by_the_reporter")
    del body["issue_event_type_name"]
    written = datetime.fromisoformat("2026-10-05T11:42:07.018+00:00")
    body["comment"]["updated"] = (written + timedelta(seconds=later)).isoformat(timespec="milliseconds")
    (outcome,) = outcomes_of(body)
    if is_reply:
        assert isinstance(outcome, Translated)
    else:
        assert isinstance(outcome, Ignored)
        assert "a later edit" in outcome.reason


def test_a_participant_who_replied_by_a_rule_is_not_the_reporter() -> None:
    body = golden("rule_ticket_replied__said_by_the_rule")
    body["comment"] |= {"author": "customer", "author_id": "712020:another"}
    (outcome,) = outcomes_of(body)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["context"]["externalIds"][0]["id"] == "712020:another"


def test_a_rule_and_a_webhook_know_the_same_person() -> None:
    for rule, hook, key in (
        ("rule_ticket_created", "issue_created__request", None),
        ("rule_ticket_reopened__data_center", "issue_updated__data_center_commented_by_the_reporter", "JIRAUSER539"),
    ):
        body = golden(rule)
        body["reporter"]["key"] = key or ""
        anonymous_ids = set()
        for case in (body, golden(hook)):
            (outcome,) = outcomes_of(case)
            assert isinstance(outcome, Translated)
            anonymous_ids.add(outcome.messages[0]["anonymousId"])
        assert len(anonymous_ids) == 1


def test_one_address_is_one_person_with_any_spelling() -> None:
    anonymous_ids = set()
    for address in ("Jonas@Example.com", " jonas@example.com"):
        (outcome,) = outcomes_of(golden("rule_ticket_created") | {"reporter": {"email": address}})
        assert isinstance(outcome, Translated)
        anonymous_ids.add(outcome.messages[0]["anonymousId"])
    assert len(anonymous_ids) == 1


@pytest.mark.parametrize("body", [{}, [], {"type": "ticket.created"}])
def test_body_that_is_neither_webhook_nor_rule_is_malformed(body: Any) -> None:
    assert problem(jira, delivery(body)).startswith("$")


def test_the_example_of_atlassians_documentation_verifies() -> None:
    # https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    request = HttpRequest(body=b"Hello World!", headers={"x-hub-signature": signature})
    secrets = ("It's a Secret to Everybody",)
    assert verify(jira.schemes["signature"], request, secrets=secrets, now=NOW).ok


def test_user_of_an_application_is_ignored_and_one_without_an_id_malformed() -> None:
    (application,) = golden_outcomes(jira, "user_deleted", {"user.accountType": "app"})
    assert application == Ignored("the user of an application, not a person")
    (nameless,) = golden_outcomes(jira, "user_deleted", {"user.accountId": None})
    assert isinstance(nameless, Broken)
    assert "$.user.accountId is missing" in nameless.reason


def test_comment_whose_times_cannot_be_read_costs_no_change_beside_it() -> None:
    """Only its times say whether a comment was added or changed if the type of the issue's event is missing."""
    change = {"issue_event_type_name": "other", "comment.created": "soon"}
    solved, comment = golden_outcomes(jira, "issue_updated__data_center_resolved_with_a_comment", change)
    assert event_names(solved) == ["Ticket Solved"]
    assert isinstance(comment, Broken)
    assert "$.comment.created is not an ISO 8601 time" in comment.reason


def test_event_without_the_url_of_its_object_is_malformed() -> None:
    (outcome,) = golden_outcomes(jira, "issue_created__request", {"issue.self": None, "user": None})
    assert isinstance(outcome, Broken)
    assert "$.issue.self is missing, so the Jira site is unknown" in outcome.reason
