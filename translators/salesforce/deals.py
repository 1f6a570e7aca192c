"""Translate opportunities and cases to the events that all sources share.

An Outbound Message (`operation` is empty) has the current record only, so the record's state decides the event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from translators.kit import Event, Message, track
from translators.salesforce.change import Change
from translators.salesforce.ids import full_id
from translators.salesforce.settings import CLOSED_STATUSES, CURRENCY, LOST_STAGES, WON_STAGES, entries

# Fields that change with a stage or status; that event reports them.
_STAGE: Final = (
    "StageName", "IsClosed", "IsWon", "Probability", "ForecastCategory", "ForecastCategoryName", "ExpectedRevenue",
    "LastStageChangeDate", "HasOpenActivity", "FiscalQuarter", "FiscalYear", "Fiscal",
)  # fmt: skip
_STATUS: Final = ("Status", "IsClosed", "ClosedDate", "IsClosedOnCreate")


def opportunity(change: Change, event: Event) -> Iterator[Message]:
    """Report an opportunity's change. The amount is expected, so it is not revenue."""
    record = change.record
    properties = {
        "opportunity_id": change.id,
        **record.select(opportunity_name="Name:nonempty", stage="StageName:nonempty", amount="Amount:decimal"),
        "currency": change.text("CurrencyIsoCode") or (CURRENCY.of(event) or None if "Amount" in record else None),
        **record.select(
            probability="Probability:decimal",
            close_date="CloseDate:nonempty",
            type="Type:nonempty",
            lead_source="LeadSource:nonempty",
        ),
        "owner_id": change.ref("OwnerId"),
        "url": change.url,
    }
    if change.operation == "delete":
        yield track("Opportunity Deleted", properties)
        return
    end = _end(change, event)
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


def _end(change: Change, event: Event) -> str | None:
    """Return the event of an end by IsWon and IsClosed; without them by the stage's name."""
    stage = change.text("StageName")
    won, closed = change.flag("IsWon"), change.flag("IsClosed")
    if won or (won is None and stage in entries(WON_STAGES.of(event))):
        return "Opportunity Won"
    if (closed and won is False) or (closed is None and stage in entries(LOST_STAGES.of(event))):
        return "Opportunity Lost"
    return "Opportunity Lost" if closed else None


def case(change: Change, event: Event) -> Iterator[Message]:
    """Report a case as a ticket. One save may assign, prioritise and solve it: report each."""
    properties = {
        "ticket_id": change.id,
        **change.record.select(
            ticket_number="CaseNumber:nonempty",
            subject="Subject:nonempty",
            status="Status:nonempty",
            priority="Priority:nonempty",
            channel="Origin:nonempty",
            type="Type:nonempty",
            reason="Reason:nonempty",
        ),
        **_owner(change.ref("OwnerId")),
        "url": change.url,
    }
    done = entries(CLOSED_STATUSES.of(event))
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
