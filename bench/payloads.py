"""Signed Stripe events of about 3 kB, of our own making: a charge, and a paid checkout that becomes two messages."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from translators.kit import Event, HmacKvHeader
from translators.stripe import stripe
from webhooks.signatures import sign
from webhooks.sources.endpoints import Endpoint

SECRET = "whsec_bench"
SCHEME = HmacKvHeader(header="Stripe-Signature")
CHECKOUT = "checkout.session.completed"
PATH = "/webhooks/stripe"
FIELDS = ["city", "country", "line1", "line2", "postal_code", "state"]


def charge(number: int, run: str, now: int) -> bytes:
    """Return a charge.succeeded."""
    card = {"brand": "visa", "country": "US", "exp_month": 8, "exp_year": 2030, "last4": "4242", "network": "visa"}
    item = {
        "id": f"ch_{run}_{number}", "object": "charge", "amount": 1999, "amount_captured": 1999, "currency": "usd",
        "created": now, "customer": f"cus_{number % 997}", "description": "Subscription update " * 20,
        "billing_details": {"address": dict.fromkeys(FIELDS), "email": None},
        "metadata": {"user_id": f"u{number}", "note": "x" * 1200}, "paid": True, "status": "succeeded",
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_url": "https://pay.example.com/receipts/" + "r" * 200,
        "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "seller_message": "y" * 300},
    }  # fmt: skip
    return _event(f"evt_{run}_{number}", "charge.succeeded", item, now)


def checkout(number: int, run: str, now: int) -> bytes:
    """Return a checkout.session.completed with an address, custom fields and metadata."""
    address = {"city": "Lyon", "country": "FR", "line1": "1 rue X", "line2": None, "postal_code": "69001"}
    email = f"user{number % 997}@example.com"
    item = {
        "id": f"cs_{run}_{number}", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "status": "complete", "amount_subtotal": 4500, "amount_total": 5400, "currency": "eur", "created": now,
        "client_reference_id": f"u{number % 997}", "customer": f"cus_{number % 997}", "customer_email": email,
        "customer_details": {"address": address, "email": email, "name": "Ada Example", "phone": "+33100000000"},
        "payment_intent": f"pi_{run}_{number}", "metadata": {"note": "x" * 900, "campaign": "spring"},
        "total_details": {"amount_discount": 0, "amount_shipping": 500, "amount_tax": 400}, "livemode": True,
        "success_url": "https://shop.example.com/done/" + "s" * 300, "locale": "fr", "custom_text": "t" * 400,
        "custom_fields": [{"key": f"field{place}", "label": "A question " * 4, "type": "text"} for place in range(4)],
    }  # fmt: skip
    return _event(f"evt_{run}_{number}", CHECKOUT, item, now)


def _event(key: str, type_: str, item: dict[str, object], now: int) -> bytes:
    event = {
        "id": key, "object": "event", "api_version": "2025-06-30", "created": now, "data": {"object": item},
        "livemode": True, "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}, "type": type_,
    }  # fmt: skip
    return json.dumps(event).encode()


def requests(run: str, count: int) -> Iterator[bytes]:
    """Return signed requests without their first line: the path is a server's own."""
    now = datetime.now(UTC)
    for number in range(count):
        body = charge(number, run, int(now.timestamp()))
        signed = sign(SCHEME, body=body, secret=SECRET, now=now)
        lines = ["Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in signed.headers.items()]
        yield "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def write_requests(path: Path, run: str, count: int) -> None:
    """Write requests to a file, each after its length as six digits and a line feed."""
    with path.open("wb") as file:
        for request in requests(run, count):
            file.write(b"%06d\n" % len(request) + request)


def read_requests(path: Path) -> Iterator[bytes]:
    """Return the requests of a file, one at a time."""
    with path.open("rb") as file:
        while length := file.read(7):
            yield file.read(int(length))


def endpoint() -> Endpoint:
    """Return an endpoint for the events."""
    return Endpoint(
        name="stripe", source=stripe, scheme=SCHEME, secrets=(SECRET,), options=stripe.defaults(),
        public_url="https://segue.example/webhooks/stripe",
    )  # fmt: skip


def checkouts(count: int, run: str = "b") -> list[Event]:
    """Return checkout events as the journal has them."""
    now = int(time.time())
    at = datetime.fromtimestamp(now, UTC)
    events = []
    for number in range(count):
        key, raw = f"evt_{run}_{number}", checkout(number, run, now)
        event = Event(source="stripe", id=key, type=CHECKOUT, occurred_at=at, received_at=at, raw=raw)
        events.append(event)
    return events
