"""RevenueCat -> Segment. https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields

`INITIAL_PURCHASE`, `RENEWAL` and `NON_RENEWING_PURCHASE` are the purchases; each carries its revenue once.
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
    Option,
    Payload,
    Registered,
    Registering,
    SharedToken,
    Skip,
    Source,
    bearer,
    json_call,
    share,
    to_iso,
    track,
)

_ANONYMOUS: Final = "$RCAnonymousID:"

revenuecat = Source(
    "revenuecat",
    title="RevenueCat",
    docs="https://www.revenuecat.com/docs/integrations/webhooks",
    secret_help="RevenueCat > Integrations > Webhooks > Authorization header value, whole, as you typed it there; with "
    "SEGUE_REVENUECAT_SCHEME=signature the signing secret of the same page",
    scheme={
        "token": SharedToken(where="header", name="Authorization"),
        # Optional at RevenueCat, signed anew on each attempt
        "signature": HmacKvHeader(header="X-RevenueCat-Webhook-Signature"),
    },
    options=[
        Option("environment", "which purchases to translate", "production", ("production", "sandbox", "both")),
    ],
)


@revenuecat.event
def head(item: Item) -> Head:
    """The time the event was generated; the purchase has its own (`purchased_at_ms`)."""
    event = item.body.at("event")
    return Head(event.id("id"), event.text("type"), event.millis("event_timestamp_ms"))


@revenuecat.before
def environment(event: Event) -> None:
    """Sandbox purchases are kept apart by the endpoint's setting."""
    wanted, sent = event.option("environment"), event.body.text("event.environment", "PRODUCTION").lower()
    if wanted not in ("both", sent):
        raise Skip(f"a {sent} purchase; set SEGUE_{event.source.upper()}_ENVIRONMENT=both to deliver it too")


@revenuecat.who
def subscriber(event: Event) -> Identity:
    """`app_user_id` is the app's own user id unless RevenueCat made it up.

    A purchase without one stands for its person.
    """
    purchase = event.body.at("event")
    id_ = purchase.id("app_user_id", "") or purchase.id("original_app_user_id", "")
    own = not id_.startswith(_ANONYMOUS)
    sold = purchase.id("original_transaction_id", "") or purchase.id("transaction_id", "")
    attributes = purchase.maybe("subscriber_attributes")
    email = attributes.get("$email.value")
    return Identity(
        user_ids=(id_,) if own else (),
        anonymous=("app_user", id_) if id_ else ("purchase", sold) if sold else None,
        external_ids=(ExternalId("revenuecat_app_user_id", id_),),
        traits={"email": email} if isinstance(email, str) and email else {},
    )


@revenuecat.registration(
    Need("api_key", "REVENUECAT_API_KEY", "a v2 secret key with project_configuration:integrations:read_write"),
    Need("project_id", "REVENUECAT_PROJECT_ID", "the project's id (proj...), in the dashboard's address", secret=False),
)
def register(at: Registering) -> Registered:
    """Both environments; the endpoint's own setting chooses. https://www.revenuecat.com/docs/api-v2#tag/Integration"""
    webhook = {
        "name": "Segue",
        "url": at.url,
        "authorization_header": at.secret,
        "event_types": [type_.lower() for type_ in at.types],
    }
    url = f"https://api.revenuecat.com/v2/projects/{at.given['project_id']}/integrations/webhooks"
    yield json_call("POST", url, bearer(at.given["api_key"]), webhook)
    return at.secret


@revenuecat.on("INITIAL_PURCHASE")
def bought(event: Event) -> Iterator[Message]:
    purchase = event.body.at("event")
    at = purchase.millis("purchased_at_ms", None)
    yield track("Subscription Started", _describe(purchase), at=at)
    if purchase.get("period_type") == "TRIAL":
        yield track("Trial Started", _trial(purchase), at=at)
    elif not _is_free(purchase):
        yield _order(purchase)


@revenuecat.on("RENEWAL")
def renewed(event: Event) -> Iterator[Message]:
    purchase = event.body.at("event")
    at = purchase.millis("purchased_at_ms", None)
    if purchase.flag("is_trial_conversion", False):  # the first paid period, which renews nothing
        yield track("Trial Ended", _trial_over(purchase), at=at)
        yield track("Trial Converted", _describe(purchase), at=at)
    else:
        yield track("Subscription Renewed", _describe(purchase), at=at)
    if not _is_free(purchase):
        yield _order(purchase)


@revenuecat.on("NON_RENEWING_PURCHASE")
def bought_once(event: Event) -> Iterator[Message]:
    purchase = event.body.at("event")
    if _is_free(purchase):
        raise Skip("granted by you, shared in a family or for nothing: not bought")
    yield _order(purchase)


def _is_free(purchase: Payload) -> bool:
    """Granted by you, shared by a member of the family, who bought it, or for nothing (an offer of the store)."""
    granted = "PROMOTIONAL" in (purchase.get("store"), purchase.get("period_type"))
    return granted or purchase.flag("is_family_share", False) or _price(purchase) == 0


def _order(purchase: Payload) -> Message:
    price, tax = _price(purchase), _tax(purchase)
    return track(
        "Order Completed",
        order_id=purchase.id("transaction_id", None),
        total=price,
        tax=tax,
        revenue=price if price is None or tax is None else price - tax,
        currency=purchase.text("currency", None),
        products=[{"product_id": purchase.id("product_id", None), "price": price, "quantity": 1}],
        store=purchase.text("store", None),
        at=purchase.millis("purchased_at_ms", None),
    )


def _price(purchase: Payload) -> Decimal | None:
    """In the currency that was paid, with tax; RevenueCat's `price` is its conversion to USD."""
    return purchase.decimal("price_in_purchased_currency", None)


def _tax(purchase: Payload) -> Decimal | None:
    """`tax_percentage` is the part of the price that goes to taxes (0.1667); rounded to the currency's unit.

    The store's commission is a cost of the merchant's, not a tax, and stays in the revenue.
    """
    price, part, code = _price(purchase), purchase.decimal("tax_percentage", None), purchase.text("currency", None)
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
    purchase = event.body.at("event")
    if event.type == "EXPIRATION" and purchase.get("period_type") == "TRIAL":
        yield track("Trial Ended", _trial(purchase))
    yield track(
        _NAMES[event.type],
        _describe(purchase),
        reason=purchase.text("expiration_reason", None),
        new_plan_id=purchase.id("new_product_id", None),
    )


@revenuecat.on("CANCELLATION")
def cancelled(event: Event) -> Iterator[Message]:
    """Auto-renewal was switched off, or the store gave the money back."""
    purchase = event.body.at("event")
    reason = purchase.text("cancel_reason", "")
    price = _price(purchase)
    if price is not None and price < 0:
        yield track("Order Refunded", _given_back(purchase), total=-price)
        return
    yield track(
        "Subscription Cancellation Scheduled",
        _describe(purchase),
        reason=reason or None,
        ends_at=purchase.millis("expiration_at_ms", None),
    )


@revenuecat.on("REFUND_REVERSED")
def refund_reversed(event: Event) -> Iterator[Message]:
    """The store took a refund back, so the order is paid again: what a refund that fails means."""
    purchase = event.body.at("event")
    price = _price(purchase)
    yield track("Refund Failed", _given_back(purchase), amount=None if price is None else abs(price), reason="reversed")


def _given_back(purchase: Payload) -> dict[str, Any]:
    tax = _tax(purchase)
    return {
        "order_id": purchase.id("transaction_id", None),
        "subscription_id": purchase.id("original_transaction_id", None),
        "tax": None if tax is None else abs(tax),
        "currency": purchase.text("currency", None),
        "store": purchase.text("store", None),
    }


@revenuecat.on("TRANSFER")
def transferred(event: Event) -> Iterator[Message]:
    """Purchases moved from one user to another, as the store's account did. It may be two people who share it, so
    their ids are not joined.
    """
    purchase = event.body.at("event")
    before, after = (_known(purchase, path) for path in ("transferred_from", "transferred_to"))
    if not before or not after:
        raise Skip("a transfer from or to nobody whose own id is known")
    who = Identity(user_ids=(after[0],))
    yield track("Subscription Transferred", previous_user_ids=before, user_ids=after, who=who)


def _known(purchase: Payload, path: str) -> list[str]:
    """The app's own user ids in the list. One of RevenueCat's making never was an id at Segment."""
    value = purchase.get(path)
    ids = value if isinstance(value, list) else []
    return [id_ for id_ in ids if isinstance(id_, str) and id_ and not id_.startswith(_ANONYMOUS)]


def _describe(purchase: Payload) -> dict[str, Any]:
    return {
        "subscription_id": purchase.id("original_transaction_id", None),
        "plan_id": purchase.id("product_id", None),
        "period_type": purchase.text("period_type", None),
        "amount": _price(purchase) or None,  # 0 of an event that charges nothing is not the plan's price
        "currency": purchase.text("currency", None),
        "store": purchase.text("store", None),
        "expires_at": purchase.millis("expiration_at_ms", None),
    }


def _trial(purchase: Payload) -> dict[str, Any]:
    starts, ends = purchase.millis("purchased_at_ms", None), purchase.millis("expiration_at_ms", None)
    return {
        "subscription_id": purchase.id("original_transaction_id", None),
        "trial_plan_name": purchase.id("product_id", None),
        "trial_start_date": to_iso(starts) if starts else None,
        "trial_end_date": to_iso(ends) if ends else None,
    }


def _trial_over(purchase: Payload) -> dict[str, Any]:
    """A conversion's own period is the paid one, which begins where the trial ended."""
    ended = purchase.millis("purchased_at_ms", None)
    return {
        "subscription_id": purchase.id("original_transaction_id", None),
        "trial_plan_name": purchase.id("product_id", None),
        "trial_end_date": to_iso(ended) if ended else None,
    }


revenuecat.ignore("TEST", because="a test delivery")
revenuecat.ignore("SUBSCRIBER_ALIAS", because="deprecated; TRANSFER reports it")
revenuecat.ignore(
    "TEMPORARY_ENTITLEMENT_GRANT",
    "INVOICE_ISSUANCE",
    "VIRTUAL_CURRENCY_TRANSACTION",
    "EXPERIMENT_ENROLLMENT",
    because="no step of a purchase that Segment's spec or our vocabulary has a name for",
)
