"""What happens to a subscription between purchases, and transfers to another user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Identity, Message, Payload, Skip, track
from translators.revenuecat.properties import describe, trial
from translators.revenuecat.source import is_own, revenuecat


@revenuecat.tracks(
    {
        "UNCANCELLATION": "Subscription Cancellation Withdrawn",
        "SUBSCRIPTION_PAUSED": "Subscription Paused",
        "BILLING_ISSUE": "Subscription Past Due",
        "PRODUCT_CHANGE": "Subscription Plan Changed",
        "SUBSCRIPTION_EXTENDED": "Subscription Updated",
    }
)
def subscription(event: Event) -> dict[str, Any]:
    purchase = event.body.object("event")
    return {**describe(purchase), **purchase.select(reason="expiration_reason:text", new_plan_id="new_product_id:id")}


@revenuecat.on("EXPIRATION")
def expired(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    if purchase.get("period_type") == "TRIAL":
        yield track("Trial Ended", trial(purchase))
    yield track("Subscription Cancelled", subscription(event))


@revenuecat.on("TRANSFER")
def transferred(event: Event) -> Iterator[Message]:
    """Report purchases that moved to another user of the same store account.

    Two people may share the account, so their ids are not merged.
    """
    purchase = event.body.object("event")
    before, after = (_own_user_ids(purchase, path) for path in ("transferred_from", "transferred_to"))
    if not before or not after:
        raise Skip("the transfer has no user id of yours for the old or the new user")
    recipient = Identity(user_ids=(after[0],))
    yield track("Subscription Transferred", {"previous_user_ids": before, "user_ids": after}, identity=recipient)


def _own_user_ids(purchase: Payload, path: str) -> list[str]:
    value = purchase.get(path)
    ids = value if isinstance(value, list) else []
    return [id_ for id_ in ids if isinstance(id_, str) and id_ and is_own(id_)]
