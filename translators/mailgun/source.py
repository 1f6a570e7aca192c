"""Mailgun's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    HmacFields,
    Identity,
    Item,
    Malformed,
    Message,
    Source,
    digest,
    raw_member,
    track,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT, address, addresses, recipient, tags_of
from translators.kit.metadata import METADATA_FIELDS, metadata_of, own_data

mailgun = Source(
    "mailgun",
    title="Mailgun",
    docs="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks",
    secret_help="Sending > Webhooks > HTTP webhook signing key (not the API key)",
    # https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
    scheme=HmacFields(
        sig_path="signature.signature",
        fields=("signature.timestamp", "signature.token"),
        ts_path="signature.timestamp",
        token_path="signature.token",
        # Mailgun retries for 8 hours, perhaps with the first signature; the stored token stops replays.
        tolerance=9 * 3600.0,
        strength="authenticated",
    ),
    options=[UNSUBSCRIBED_EVENT, METADATA_FIELDS],
)

_VARIABLES: Final = "event-data.user-variables"
"""Mailgun replaces them with a sentence if they are too long or not JSON."""
_SAMPLE_DOMAIN: Final = "sample.mailgun.com"
"""Mailgun's own. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads"""


@mailgun.head
def head(item: Item) -> Head:
    """Return the key from the event's id and time, since an id is unique for a day only; else from all its data.

    The time is unix seconds with a fraction.
    """
    data = item.body.object("event-data")
    type_, at, own = data.text("event"), data.opt.when("timestamp"), data.id("id", "")
    if own:
        id_ = f"{own}:{at.isoformat()}" if at else own
        return Head(id=id_, type=type_, occurred_at=at, former_ids=(FormerId(own, same_bytes=True),))
    former = f"sha256:{sha256(raw_member(item.raw, 'event-data')).hexdigest()}"
    return Head(id=f"{type_}:{digest(data.value)}", type=type_, occurred_at=at, former_ids=(FormerId(former),))


@mailgun.skip_if
def really_sent(event: Event) -> str | None:
    """Skip the console's test, e-mails in test mode, which are not sent, and incoming mail that a route forwards."""
    mark, domain = event.body.get("event-data.user-variables.my_var_1"), event.body.get("event-data.domain.name")
    if mark == "Mailgun Variable #1" or domain == _SAMPLE_DOMAIN:
        return "Mailgun's own test of this URL"
    flags = event.body.maybe("event-data.flags")
    if flags.flag("is-test-mode", False):
        return "sent in Mailgun's test mode: no e-mail was delivered"
    if flags.flag("is-routed", False):
        return "incoming mail that one of your routes forwards"
    return None


@mailgun.identity
def identity(event: Event) -> Identity:
    """Return the recipient. A user variable may be your user id. A rejected e-mail has the `to` header only."""
    people = _people(event)
    if len(people) > 1:
        raise Malformed("$.event-data.recipient", "is missing, and the e-mail has several recipients")
    return people[0]


def _people(event: Event) -> list[Identity]:
    """Return the recipients. User variables belong to the e-mail, so they are used only if it has one recipient."""
    data = event.body.object("event-data")
    emails = [address(data, "recipient")] if "recipient" in data else addresses(data, "message.headers.to")
    variables = own_data(event.body, _VARIABLES) if len(emails) == 1 else {}
    return [recipient(email, variables) for email in emails]


def reader(event: Event) -> dict[str, Any]:
    return event.body.object("event-data").select("ip", userAgent="client-info.user-agent")


@mailgun.tracks({"unsubscribed": UNSUBSCRIBED_EVENT}, context=reader)
@mailgun.tracks({"accepted": "Email Sent", "complained": "Email Marked as Spam"})
def email(event: Event) -> dict[str, Any]:
    data = event.body.object("event-data")
    return {
        **data.select(email_id="message.headers.message-id:id", email_subject="message.headers.subject:text"),
        "list_id": data.first("mailing-list.list-id:id", "mailing-list.address:id"),
        "tags": tags_of(data.get("tags")),
        "metadata": metadata_of(event, own_data(event.body, _VARIABLES)),
        "domain": data.get("domain.name"),
    }


@mailgun.tracks({"delivered": "Email Delivered"})
def response(event: Event) -> dict[str, Any]:
    """Add the receiving server's response. Mailgun puts its own text in one of two members."""
    data = event.body.object("event-data")
    return {
        **email(event),
        **data.select("reason", smtp_code="delivery-status.code", attempt="delivery-status.attempt-no"),
        "response": data.first("delivery-status.message", "delivery-status.description"),
    }


@mailgun.on("rejected")
def rejected(event: Event) -> Iterator[Message]:
    """Make one message per recipient: Mailgun sends one event for the whole e-mail."""
    reason, people = event.body.opt.text("event-data.reject.reason"), _people(event)
    for person in people:
        key = str(person.traits["email"]) if len(people) > 1 else ""
        yield track("Email Dropped", {**email(event), "reason": reason}, key=key, identity=person)


@mailgun.on("failed")
def failed(event: Event) -> Iterator[Message]:
    """Report a deferral, a bounce, or a drop because of an earlier bounce, complaint or unsubscription."""
    data = event.body.object("event-data")
    if data.text("severity") == "temporary":
        name = "Email Deferred"
    elif data.text("reason", "").startswith("suppress-"):
        name = "Email Dropped"
    else:
        name = "Email Bounced"
    yield track(name, response(event))


@mailgun.tracks({"opened": "Email Opened"}, context=reader)
def opened(event: Event) -> dict[str, Any]:
    """Report an open. `client-info.bot` names an automatic client (`apple`, `gmail` ...); it is empty for a person."""
    bot = event.body.opt.text("event-data.client-info.bot")
    return {**email(event), "machine_open": None if bot is None else bool(bot), "bot": bot or None}


@mailgun.tracks({"clicked": "Email Link Clicked"}, context=reader)
def clicked(event: Event) -> dict[str, Any]:
    bot = event.body.first("event-data.client-info.bot")
    return {**email(event), "link_url": event.body.text("event-data.url"), "bot": bot}


mailgun.ignore("stored", because="a stored incoming message, not an e-mail that you sent")
mailgun.ignore("list_*", because="the upload of a mailing list, not a customer event")
