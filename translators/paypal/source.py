"""PayPal's signature, event ids, times, sandbox events and identity."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Malformed,
    Payload,
    PublicKey,
    Source,
    choice_option,
    first_id,
    name_traits,
    skip_other_modes,
)

ENVIRONMENT: Final = choice_option("environment", "which events to translate", ("live", "sandbox", "both"), "live")

paypal = Source(
    "paypal",
    title="PayPal",
    docs="https://developer.paypal.com/api/rest/webhooks/",
    secret_help="the Webhook ID that PayPal shows beside your webhook; PayPal includes it in the signature",
    # https://developer.paypal.com/api/rest/webhooks/rest/#link-verifywebhooksignature
    scheme=PublicKey(
        kind="rsa-pkcs1v15-sha256",
        header="PAYPAL-TRANSMISSION-SIG",
        ts_header="PAYPAL-TRANSMISSION-TIME",
        ts_form="iso",
        id_header="PAYPAL-TRANSMISSION-ID",
        template="{id}|{ts}|{secret}|{crc32}",
        cert_url_header="PAYPAL-CERT-URL",
        cert_hosts=("api.paypal.com", "api.sandbox.paypal.com"),
        cert_path="/v1/notifications/certs/",
        tolerance=4 * 24 * 3600,  # a retry, for three days, may carry the first attempt's time; the id stops replays
    ),
    options=[ENVIRONMENT],
    keep_headers=["PAYPAL-CERT-URL"],
)


@paypal.head
def head(item: Item) -> Head:
    """`WH-...` is the same on every retry and resend. The simulator may send an impossible time (month 19)."""
    return Head(id=item.body.id("id"), type=item.body.text("event_type"), occurred_at=time(item.body, "create_time"))


def time(body: Payload, path: str) -> datetime | None:
    """Return a time, or None if it is missing or invalid; an event then has the time of receipt."""
    try:
        return body.opt.utc(path)
    except Malformed:
        return None


@skip_other_modes(paypal, ENVIRONMENT, context={"sandbox": {"environment": "sandbox"}})
def environment(event: Event) -> str:
    """Recognise sandbox events by the host of their certificate; nothing else names the environment."""
    host = event.headers.get("paypal-cert-url", "").lower().partition("://")[2].partition("/")[0]
    return "sandbox" if host == "api.sandbox.paypal.com" else "live"


@paypal.identity
def payer(event: Event) -> Identity:
    """Use the subscription's id, since its payments name nothing else; else the payer, else the payment.

    `custom_id` is the merchant's free text. Version 1 of the API has the payer in `payer_info`.
    """
    resource = event.body.object("resource")
    person = resource.maybe("payer") or resource.maybe("subscriber")
    id_ = person.first("payer_id:id", "payer_info.payer_id:id") or ""
    subscription = resource.id("id", "") if event.type.startswith("BILLING.SUBSCRIPTION.") else ""
    return Identity(
        metadata=tuple(_custom(holder) for holder in (resource, *resource.each("disputed_transactions"))),
        anonymous=first_id(payment=subscription or resource.id("billing_agreement_id", ""), payer=id_)
        or first_id(payment=_payment(resource)),
        external_ids=(ExternalId("paypal_payer_id", id_),),
        traits={
            "email": person.first("email_address", "payer_info.email"),
            **name_traits(
                person.first("name.given_name", "payer_info.first_name"),
                person.first("name.surname", "payer_info.last_name"),
            ),
        },
    )


def _custom(holder: Payload) -> dict[str, str]:
    return {name: value for name in ("custom_id", "custom") if isinstance(value := holder.get(name), str) and value}


def _payment(resource: Payload) -> str | None:
    """Return the id that a payment, its refund and its dispute share; else the record's own."""
    shared = refunded_payment(resource) or disputed_payment(resource)
    return shared or resource.first("dispute_id:id", "invoice.id:id", "id:id")


def refunded_payment(resource: Payload) -> str | None:
    """Return the id of the refunded capture or sale: `sale_id`, `capture_id`, or the end of a link to it."""
    links = (link.text("href", "") for link in resource.each("links") if link.get("rel") in ("up", "sale", "capture"))
    up = next((href for href in links if any(part in href for part in ("/captures/", "/capture/", "/sale/"))), "")
    return resource.first("sale_id:id", "capture_id:id") or up.rpartition("/")[2] or None


def disputed_payment(resource: Payload) -> str | None:
    """Return the id of the first payment that a dispute is about."""
    return resource.opt.id("disputed_transactions.0.seller_transaction_id")
