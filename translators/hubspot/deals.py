"""Translate deals and leads. A webhook names no person, so the identity is the deal or lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.hubspot.properties import DEAL, changed, value
from translators.hubspot.source import CURRENCY, DEAL_PROPERTIES, LOST_STAGES, WON_STAGES, hubspot, record
from translators.kit import CLEAR, Event, Message, Skip, track

_DERIVED: Final = {
    "hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost", "hs_deal_stage_probability", "hs_forecast_amount",
    "hs_projected_amount", "hs_closed_amount", "amount_in_home_currency",
}  # fmt: skip


@hubspot.on("deal.propertyChange")
def deal_changed(event: Event) -> Iterator[Message]:
    """Report a changed deal. The amount is expected, so it is not revenue."""
    body = event.body
    name, deal = body.text("propertyName"), {"opportunity_id": record(body)}
    if name == "dealstage":
        stage = value(body)
        if stage is CLEAR:
            raise Skip("the deal left its pipeline")
        end = "Opportunity Lost" if stage in LOST_STAGES.of(event) else "Opportunity Stage Changed"
        yield track("Opportunity Won" if stage in WON_STAGES.of(event) else end, {**deal, "stage": stage})
        return
    if name in _DERIVED:
        raise Skip("HubSpot computes it from the stage and the amount, which are reported")
    property_, new_value = changed(body, DEAL, DEAL_PROPERTIES.of(event), "deal_properties")
    money = {"currency": CURRENCY.of(event) or None} if name == "amount" else {}
    yield track("Opportunity Updated", {**deal, **money, property_: new_value, "changed": [property_]})


@hubspot.on("lead.propertyChange")
def lead_changed(event: Event) -> Iterator[Message]:
    name, stage = event.body.text("propertyName"), value(event.body)
    if name != "hs_pipeline_stage" or stage is CLEAR:
        raise Skip(f"the property {name} of a lead; only its stage (hs_pipeline_stage) is reported")
    yield track("Lead Status Changed", {"lead_id": record(event.body), "status": stage})
