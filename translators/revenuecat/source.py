"""RevenueCat's credentials, event ids, sandbox purchases and identity."""

from __future__ import annotations

from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacKvHeader,
    Identity,
    Item,
    SharedToken,
    Source,
    choice_option,
    first_id,
    skip_other_modes,
)

ENVIRONMENT: Final = choice_option(
    "environment", "which purchases to translate", ("production", "sandbox", "both"), "production"
)

revenuecat = Source(
    "revenuecat",
    title="RevenueCat",
    docs="https://www.revenuecat.com/docs/integrations/webhooks",
    secret_help="RevenueCat > Integrations > Webhooks > Authorization header value, whole, as you typed it there; with "
    "SEGUE_REVENUECAT_SCHEME=signature the signing secret of the same page",
    scheme={
        "token": SharedToken(where="header", name="Authorization"),
        # Optional at RevenueCat; each attempt has a new signature
        "signature": HmacKvHeader(header="X-RevenueCat-Webhook-Signature"),
    },
    options=[ENVIRONMENT],
)


@revenuecat.head
def head(item: Item) -> Head:
    """Use the time at which RevenueCat created the event; the purchase has its own (`purchased_at_ms`)."""
    event = item.body.object("event")
    return Head(id=event.id("id"), type=event.text("type"), occurred_at=event.millis("event_timestamp_ms"))


@skip_other_modes(revenuecat, ENVIRONMENT, what="purchase")
def environment(event: Event) -> str:
    return event.body.text("event.environment", "PRODUCTION").lower()


@revenuecat.identity
def subscriber(event: Event) -> Identity:
    """Use `app_user_id`, the app's own user id unless RevenueCat generated it; else the purchase's id."""
    purchase = event.body.object("event")
    id_ = purchase.first("app_user_id:id", "original_app_user_id:id") or ""
    email = purchase.get("subscriber_attributes.$email.value")
    return Identity(
        user_ids=(id_,) if is_own(id_) else (),
        anonymous=first_id(app_user=id_, purchase=purchase.first("original_transaction_id:id", "transaction_id:id")),
        external_ids=(ExternalId("revenuecat_app_user_id", id_),),
        traits={"email": email} if isinstance(email, str) and email else {},
    )


def is_own(user_id: str) -> bool:
    """Return whether the app gave the user id; one that RevenueCat generated was never an id at Segment."""
    return not user_id.startswith("$RCAnonymousID:")
