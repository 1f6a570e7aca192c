"""Translate opportunities and cases to the events that all sources share.

An Outbound Message (`operation` is empty) has the current record only, so the record's state decides the event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from translators.kit import Message, track
from translators.salesforce.change import Change
from translators.salesforce.ids import full_id
from translators.salesforce.settings import entries

# Fields that change with a stage or status; that event reports them.
_STAGE: Final = (
    "StageName", "IsClosed", "IsWon", "Probability", "ForecastCategory", "ForecastCategoryName", "ExpectedRevenue",
    "LastStageChangeDate", "HasOpenActivity", "FiscalQuarter", "FiscalYear", "Fiscal",
)  # fmt: skip
_STATUS: Final = ("Status", "IsClosed", "ClosedDate", "IsClosedOnCreate")


def opportunity(change: Change, options: Mapping[str, Any]) -> Iterator[Message]:
    """Report an opportunity's change. The amount is expected, so it is not revenue."""
    stage = change.text("StageName")
    properties = {
        "opportunity_id": change.id,
        "opportunity_name": change.text("Name"),
        "stage": stage,
        "amount": change.number("Amount"),
        "currency": change.text("CurrencyIsoCode")
        or (options["currency"] or None if "Amount" in change.record else None),
        "probability": change.number("Probability"),
        "close_date": change.text("CloseDate"),
        "type": change.text("Type"),
        "lead_source": change.text("LeadSource"),
        "owner_id": change.ref("OwnerId"),
        "url": change.url,
    }
    if change.operation == "delete":
        yield track("Opportunity Deleted", properties)
        return
    end = _end(change, stage, options)
    if change.operation == "":
        yield track(end or f"Opportunity {'Created' if change.new else 'Updated'}", properties)
    elif change.new:
        yield track("Opportunity Created", properties)
        if end:
            yield track(end, properties)
    elif change.has_changed("StageName", "IsWon", "IsClosed"):
        yield track(
            end or "Opportunity Stage Changed", {**properties, "previous_stage": change.old.opt.text("StageName")}
        )
    elif others := change.other_changes(*_STAGE):
        yield track("Opportunity Updated", {**properties, "changed": others})


def _end(change: Change, stage: str | None, options: Mapping[str, Any]) -> str | None:
    """Return the event of an end by IsWon and IsClosed; without them by the stage's name."""
    won, closed = change.flag("IsWon"), change.flag("IsClosed")
    if won or (won is None and stage in entries(options["won_stages"])):
        return "Opportunity Won"
    if (closed and won is False) or (closed is None and stage in entries(options["lost_stages"])):
        return "Opportunity Lost"
    return "Opportunity Lost" if closed else None


def case(change: Change, options: Mapping[str, Any]) -> Iterator[Message]:
    """Report a case as a ticket. One save may assign, prioritise and solve it: report each."""
    properties = {
        "ticket_id": change.id,
        "ticket_number": change.text("CaseNumber"),
        "subject": change.text("Subject"),
        "status": change.text("Status"),
        "priority": change.text("Priority"),
        "channel": change.text("Origin"),
        "type": change.text("Type"),
        "reason": change.text("Reason"),
        **_owner(change.ref("OwnerId")),
        "url": change.url,
    }
    done = entries(options["closed_statuses"])
    closed = _closed(change, done)
    if change.operation == "delete":
        yield track("Ticket Deleted", properties)
    elif change.operation == "":
        yield track("Ticket Solved" if closed else "Ticket Created" if change.new else "Ticket Updated", properties)
    elif change.new:
        yield track("Ticket Created", properties)
        if closed:
            yield track("Ticket Solved", properties)
    else:
        yield from _case_changed(change, properties, closed=closed, done=done)


def _case_changed(
    change: Change, properties: dict[str, Any], *, closed: bool, done: Collection[str]
) -> Iterator[Message]:
    if change.has_changed("Status", "IsClosed"):
        before = change.old.opt.text("Status")
        name = "Ticket Solved" if closed else "Ticket Status Changed"
        if not closed and (before in done or change.has_changed("IsClosed")):
            name = "Ticket Reopened"
        yield track(name, {**properties, "previous_status": before})
    if change.has_changed("Priority"):
        yield track("Ticket Priority Changed", {**properties, "previous_priority": change.old.opt.text("Priority")})
    if change.has_changed("OwnerId"):
        yield track("Ticket Assigned", properties | _owner(change.old.opt.id("OwnerId"), "previous_"))
    others = change.other_changes(*_STATUS, "Priority", "OwnerId")
    if others and not change.has_changed("Status", "IsClosed", "Priority", "OwnerId"):
        yield track("Ticket Updated", {**properties, "changed": others})


def _owner(id_: str | None, prefix: str = "") -> dict[str, str]:
    """Return the owner: an agent, or a queue, whose id begins with 00G."""
    return {f"{prefix}{'team' if id_.startswith('00G') else 'assignee'}_id": full_id(id_)} if id_ else {}


def _closed(change: Change, statuses: Collection[str]) -> bool:
    is_closed = change.flag("IsClosed")
    return change.text("Status") in statuses if is_closed is None else is_closed
