"""Paddle's signature, event ids, simulated events and identity."""

from __future__ import annotations

from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    HmacKvHeader,
    Identity,
    Source,
    choice_option,
    first_id,
    skip_other_modes,
)

ENVIRONMENT: Final = choice_option(
    "environment", "real events only, or those of Paddle's simulator too", ("live", "both"), "live"
)

paddle = Source(
    "paddle",
    title="Paddle",
    docs="https://developer.paddle.com/webhooks/overview",
    secret_help="Paddle > Developer tools > Notifications > your destination > Secret key (pdl_ntfset_...)",
    # https://developer.paddle.com/webhooks/signature-verification; its library allows 5 s, too short for slow networks
    scheme=HmacKvHeader(
        header="Paddle-Signature", delimiter=";", ts_key="ts", sig_key="h1", template="{ts}:{body}", tolerance=60
    ),
    options=[ENVIRONMENT],
)


# `evt_...` is the same on every retry; `notification_id` differs by destination
paddle.head_at(id="event_id", type="event_type", occurred_at="occurred_at:utc")


@skip_other_modes(paddle, ENVIRONMENT, context={"simulated": {"test": True}})
def environment(event: Event) -> str:
    """Simulated events sell nothing. https://developer.paddle.com/webhooks/simulator/test-webhooks"""
    ids = (event.body.get("event_id"), event.body.get("notification_id"))
    return "simulated" if any(isinstance(id_, str) and id_.startswith("ntfsim") for id_ in ids) else "live"


@paddle.identity
def customer(event: Event) -> Identity:
    """Use the customer's id (`ctm_...`); `custom_data` holds the merchant's own metadata."""
    data = event.body.object("data")
    is_customer = event.type.startswith("customer.")
    id_ = data.id("id" if is_customer else "customer_id", "")
    return Identity(
        metadata=(data.texts("custom_data"),) if isinstance(data.get("custom_data"), dict) else (),
        anonymous=first_id(customer=id_, account=f"self:{event.source}"),
        external_ids=(ExternalId("paddle_customer_id", id_),),
        traits=data.select("email:text", "name:text") if is_customer else {},
    )
