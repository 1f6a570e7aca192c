"""RevenueCat -> Segment. https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields

`INITIAL_PURCHASE`, `RENEWAL` and `NON_RENEWING_PURCHASE` are purchases; each carries its revenue once.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacKvHeader,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    SharedToken,
    Skip,
    Source,
    bearer,
    choice_option,
    json_call,
    share,
    skip_other_modes,
    to_iso,
    track,
)

_ANONYMOUS: Final = "$RCAnonymousID:"

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
    id_ = purchase.id("app_user_id", "") or purchase.id("original_app_user_id", "")
    is_user_id = not id_.startswith(_ANONYMOUS)
    purchase_id = purchase.id("original_transaction_id", "") or purchase.id("transaction_id", "")
    attributes = purchase.maybe("subscriber_attributes")
    email = attributes.get("$email.value")
    return Identity(
        user_ids=(id_,) if is_user_id else (),
        anonymous=("app_user", id_) if id_ else ("purchase", purchase_id) if purchase_id else None,
        external_ids=(ExternalId("revenuecat_app_user_id", id_),),
        traits={"email": email} if isinstance(email, str) and email else {},
    )


@revenuecat.registration(
    Need("api_key", "REVENUECAT_API_KEY", "a v2 secret key with project_configuration:integrations:read_write"),
    Need("project_id", "REVENUECAT_PROJECT_ID", "the project's id (proj...), in the dashboard's address", secret=False),
)
def register(at: Registering) -> Registered:
    """Subscribe to both environments; the endpoint's setting filters. https://www.revenuecat.com/docs/api-v2#tag/Integration"""
    webhook = {
        "name": "Segue",
        "url": at.url,
        "authorization_header": at.secret,
        "event_types": [type_.lower() for type_ in at.types],
    }
    url = f"https://api.revenuecat.com/v2/projects/{at.values['project_id']}/integrations/webhooks"
    yield json_call("POST", url, bearer(at.values["api_key"]), webhook)
    return at.secret


@revenuecat.on("INITIAL_PURCHASE")
def initial_purchase(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    at = purchase.opt.millis("purchased_at_ms")
    yield track("Subscription Started", _describe(purchase), occurred_at=at)
    if purchase.get("period_type") == "TRIAL":
        yield track("Trial Started", _trial(purchase), occurred_at=at)
    elif not _is_free(purchase):
        yield _order(purchase)


@revenuecat.on("RENEWAL")
def renewed(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    at = purchase.opt.millis("purchased_at_ms")
    if purchase.flag("is_trial_conversion", False):  # the first paid period is not a renewal
        yield track("Trial Ended", _ended_trial(purchase), occurred_at=at)
        yield track("Trial Converted", _describe(purchase), occurred_at=at)
    else:
        yield track("Subscription Renewed", _describe(purchase), occurred_at=at)
    if not _is_free(purchase):
        yield _order(purchase)


@revenuecat.on("NON_RENEWING_PURCHASE")
def one_time_purchase(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    if _is_free(purchase):
        raise Skip("not bought: granted by you, shared by a family member, or free")
    yield _order(purchase)


def _is_free(purchase: Payload) -> bool:
    """Return whether you granted the purchase, a family member bought it, or a store offer made it free."""
    granted = "PROMOTIONAL" in (purchase.get("store"), purchase.get("period_type"))
    return granted or purchase.flag("is_family_share", False) or _price(purchase) == 0


def _order(purchase: Payload) -> Message:
    price, tax = _price(purchase), _tax(purchase)
    return track(
        "Order Completed",
        {
            "order_id": purchase.opt.id("transaction_id"),
            "total": price,
            "tax": tax,
            "revenue": price if price is None or tax is None else price - tax,
            "currency": purchase.opt.text("currency"),
            "products": [{"product_id": purchase.opt.id("product_id"), "price": price, "quantity": 1}],
            "store": purchase.opt.text("store"),
        },
        occurred_at=purchase.opt.millis("purchased_at_ms"),
    )


def _price(purchase: Payload) -> Decimal | None:
    """Return the price with tax, in the currency that was paid. RevenueCat's `price` is converted to USD."""
    return purchase.opt.decimal("price_in_purchased_currency")


def _tax(purchase: Payload) -> Decimal | None:
    """Return the tax: `tax_percentage` is its part of the price (0.1667); rounded to the currency's unit.

    The store's commission is a cost of the merchant, not a tax, and stays in the revenue.
    """
    price, part, code = _price(purchase), purchase.opt.decimal("tax_percentage"), purchase.opt.text("currency")
    if price is None or part is None or code is None:
        return None
    if not 0 <= part <= 1:
        raise Malformed(f"{purchase.path}.tax_percentage", "is not between 0 and 1")
    return share(price, part, Decimal(1), code)


_NAMES: Final = {
    "UNCANCELLATION": "Subscription Cancellation Withdrawn",
    "SUBSCRIPTION_PAUSED": "Subscription Paused",
    "BILLING_ISSUE": "Subscription Past Due",
    "PRODUCT_CHANGE": "Subscription Plan Changed",
    "SUBSCRIPTION_EXTENDED": "Subscription Updated",
    "EXPIRATION": "Subscription Cancelled",
}


@revenuecat.on(*_NAMES)
def subscription(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    if event.type == "EXPIRATION" and purchase.get("period_type") == "TRIAL":
        yield track("Trial Ended", _trial(purchase))
    yield track(
        _NAMES[event.type],
        {**_describe(purchase), **purchase.select(reason="expiration_reason:text", new_plan_id="new_product_id:id")},
    )


@revenuecat.on("CANCELLATION")
def cancelled(event: Event) -> Iterator[Message]:
    """Translate a switched-off auto-renewal, or a refund by the store."""
    purchase = event.body.object("event")
    reason = purchase.text("cancel_reason", "")
    price = _price(purchase)
    if price is not None and price < 0:
        yield track("Order Refunded", {**_refund(purchase), "total": -price})
        return
    yield track(
        "Subscription Cancellation Scheduled",
        {**_describe(purchase), "reason": reason or None, "ends_at": purchase.opt.millis("expiration_at_ms")},
    )


@revenuecat.on("REFUND_REVERSED")
def refund_reversed(event: Event) -> Iterator[Message]:
    """The store reversed a refund, so the order is paid again, as after a failed refund."""
    purchase = event.body.object("event")
    price = _price(purchase)
    yield track(
        "Refund Failed", {**_refund(purchase), "amount": None if price is None else abs(price), "reason": "reversed"}
    )


def _refund(purchase: Payload) -> dict[str, Any]:
    tax = _tax(purchase)
    return {
        **purchase.select(order_id="transaction_id:id", subscription_id="original_transaction_id:id"),
        "tax": None if tax is None else abs(tax),
        **purchase.select("currency:text", "store:text"),
    }


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
    """Return the app's own user ids in the list. Ids that RevenueCat generated were never ids at Segment."""
    value = purchase.get(path)
    ids = value if isinstance(value, list) else []
    return [id_ for id_ in ids if isinstance(id_, str) and id_ and not id_.startswith(_ANONYMOUS)]


def _describe(purchase: Payload) -> dict[str, Any]:
    return {
        **purchase.select(
            subscription_id="original_transaction_id:id", plan_id="product_id:id", period_type="period_type:text"
        ),
        "amount": _price(purchase) or None,
        **purchase.select("currency:text", "store:text", expires_at="expiration_at_ms:millis"),
    }


def _trial(purchase: Payload) -> dict[str, Any]:
    starts, ends = purchase.opt.millis("purchased_at_ms"), purchase.opt.millis("expiration_at_ms")
    return {
        **purchase.select(subscription_id="original_transaction_id:id", trial_plan_name="product_id:id"),
        "trial_start_date": to_iso(starts) if starts else None,
        "trial_end_date": to_iso(ends) if ends else None,
    }


def _ended_trial(purchase: Payload) -> dict[str, Any]:
    """Describe a converted trial. The event's period is the paid one, which starts when the trial ended."""
    ended = purchase.opt.millis("purchased_at_ms")
    return {
        **purchase.select(subscription_id="original_transaction_id:id", trial_plan_name="product_id:id"),
        "trial_end_date": to_iso(ended) if ended else None,
    }


revenuecat.ignore("TEST", because="a test delivery")
revenuecat.ignore("SUBSCRIBER_ALIAS", because="deprecated; TRANSFER reports it")
revenuecat.ignore(
    "TEMPORARY_ENTITLEMENT_GRANT",
    "INVOICE_ISSUANCE",
    "VIRTUAL_CURRENCY_TRANSACTION",
    "EXPERIMENT_ENROLLMENT",
    because="neither Segment's spec nor our vocabulary has an event for it",
)
