"""Adjustments (refunds, disputes, credits) and payouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.paddle.amounts import amount
from translators.paddle.source import paddle

_DISPUTE: Final = {"chargeback": "Dispute Opened", "chargeback_reverse": "Dispute Funds Reinstated"}


@paddle.on("adjustment.created")
def adjusted(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    action = data.text("action", "")
    if action == "refund":
        if data.text("status", "") != "approved":
            raise Skip("the refund waits for approval; adjustment.updated reports it")
        yield _refund(data)
    elif action in _DISPUTE:
        yield track(_DISPUTE[action], {**_adjustment(data), "dispute_id": data.id("id")})
    elif action.startswith("chargeback_warning"):
        raise Skip("a chargeback warning or its end; a chargeback has its own event")
    else:
        yield track("Credit Note Voided" if action == "credit_reverse" else "Credit Note Created", _adjustment(data))


@paddle.on("adjustment.updated")
def adjustment_decided(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    if data.text("action", "") != "refund" or data.text("status", "") != "approved":
        raise Skip("not an approved refund; other changes do not concern the customer")
    yield _refund(data)


def _refund(data: Payload) -> Message:
    return track("Order Refunded", {**_adjustment(data), "refund_id": data.id("id")})


def _adjustment(data: Payload) -> dict[str, Any]:
    code = data.opt.text("currency_code")
    return {
        "order_id": data.opt.id("transaction_id"),
        "total": amount(data.maybe("totals"), "total", code),
        "currency": code,
        "reason": data.opt.text("reason"),
        "adjustment_id": data.id("id"),
    }


@paddle.tracks({"payout.created": "Payout Created", "payout.paid": "Payout Paid"})
def payout(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    code = data.opt.text("currency_code")
    return {"payout_id": data.id("id"), "amount": amount(data, "amount", code), "currency": code}
