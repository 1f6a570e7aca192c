"""Disputes and fraud warnings. https://docs.adyen.com/risk-management/disputes-api/dispute-notifications/"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from translators.adyen.payments import describe
from translators.adyen.source import additional, adyen
from translators.kit import Event, from_iso

_OUTCOME: Final = {
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": "won",
    "SECOND_CHARGEBACK": "lost",
    "PREARBITRATION_LOST": "lost",
    "PREARBITRATION_WON": "won",
}
_DECIDED: Final = {"Won": "won", "Lost": "lost", "Accepted": "lost", "Expired": "lost"}


@adyen.tracks(
    {
        "NOTIFICATION_OF_CHARGEBACK": "Dispute Opened",
        "DISPUTE_OPENED_WITH_CHARGEBACK": "Dispute Opened",
        "INFORMATION_SUPPLIED": "Dispute Updated",
        "DISPUTE_DEFENSE_PERIOD_ENDED": "Dispute Updated",
        "CHARGEBACK": "Dispute Funds Withdrawn",
        "CHARGEBACK_REVERSED": "Dispute Funds Reinstated",
        "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": "Dispute Closed",
        "SECOND_CHARGEBACK": "Dispute Closed",
        "PREARBITRATION_LOST": "Dispute Closed",
        "PREARBITRATION_WON": "Dispute Closed",
    }
)
def dispute(event: Event) -> dict[str, Any]:
    """All events of a dispute share its reference. `disputeStatus` is its state, and its outcome once decided."""
    status = additional(event, "disputeStatus")
    return {
        **describe(event),
        "dispute_id": event.body.id("pspReference"),
        "status": status or None,
        "outcome": _OUTCOME.get(event.type) or _DECIDED.get(status),
        "reason": event.body.first("reason"),
        "reason_code": additional(event, "chargebackReasonCode") or None,
        "evidence_due_by": _time(additional(event, "defensePeriodEndsAt")),
    }


def _time(text: str) -> datetime | None:
    """Return a time of `additionalData`, which is not signed; None if it is unreadable."""
    try:
        return from_iso(text)
    except ValueError:
        return None


@adyen.tracks({"NOTIFICATION_OF_FRAUD": "Fraud Warning Received"})
def fraud_warning(event: Event) -> dict[str, Any]:
    return {**describe(event), "reason": event.body.first("reason")}
