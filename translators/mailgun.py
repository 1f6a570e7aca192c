"""Translate Mailgun's webhooks. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads"""

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
    Need,
    Registered,
    Registering,
    Source,
    basic,
    digest,
    form_call,
    json_call,
    raw_member,
    track,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT, address, addresses, recipient, tags_of
from translators.kit.metadata import METADATA_FIELDS, metadata_of

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


_SAMPLE_DOMAIN: Final = "sample.mailgun.com"
"""Mailgun's own. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads"""


@mailgun.head
def head(item: Item) -> Head:
    """Return the key from the event's id and time, since an id is unique for a day only; else from all its data.

    The time is unix seconds with a fraction.
    """
    data = item.body.object("event-data")
    type_, at, own = data.text("event"), data.opt.when("timestamp"), data.id("id", "")
    if own and at:
        return Head(
            id=f"{own}:{at.isoformat()}", type=type_, occurred_at=at, former_ids=(FormerId(own, same_bytes=True),)
        )
    if own:
        return Head(id=own, type=type_, occurred_at=at)
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
    variables = _variables(event) if len(emails) == 1 else {}
    return [recipient(email, variables) for email in emails]


def _variables(event: Event) -> dict[str, Any]:
    """Return the user variables. Mailgun replaces them with a sentence if they are too long or not JSON."""
    variables = event.body.get("event-data.user-variables")
    return variables if isinstance(variables, dict) else {}


@mailgun.registration(
    Need("api_key", "MAILGUN_API_KEY", "a private API key of the account"),
    Need("domain", "MAILGUN_DOMAIN", "the sending domain, such as mg.example.com", secret=False),
    Need("region", "MAILGUN_REGION", "us or eu, the region of the domain", False, "us"),
)
def register(at: Registering) -> Registered:
    """Create one webhook per event kind, then read the account's signing key. `rejected` has no webhook.

    https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domain-webhooks
    """
    base = "https://api.eu.mailgun.net" if at.values["region"] == "eu" else "https://api.mailgun.net"
    headers = basic("api", at.values["api_key"])
    kinds = {"failed": ("permanent_fail", "temporary_fail"), "rejected": ()}
    for kind in (kind for type_ in at.types for kind in kinds.get(type_, (type_,))):
        url = f"{base}/v3/domains/{at.values['domain']}/webhooks"
        yield form_call(url, headers, [("id", kind), ("url", at.url)])
    signing_key = yield json_call("GET", f"{base}/v5/accounts/http_signing_key", headers)
    return signing_key.text("http_signing_key")


def _email(event: Event) -> dict[str, Any]:
    data = event.body.object("event-data")
    properties = {
        **data.select(email_id="message.headers.message-id:id", email_subject="message.headers.subject:text"),
        "list_id": data.opt.id("mailing-list.list-id") or data.opt.id("mailing-list.address"),
        "tags": tags_of(data.get("tags")),
        "metadata": metadata_of(event, _variables(event)),
        "domain": data.get("domain.name"),
    }
    return {name: value for name, value in properties.items() if value is not None}


def _reader(event: Event) -> dict[str, Any]:
    return event.body.object("event-data").select("ip", userAgent="client-info.user-agent")


def _response(event: Event) -> dict[str, Any]:
    """Return the receiving server's response. Mailgun puts its own text in one of two members."""
    data = event.body.object("event-data")
    response = data.text("delivery-status.message", "") or data.text("delivery-status.description", "")
    return data.select("reason", smtp_code="delivery-status.code", attempt="delivery-status.attempt-no") | (
        {"response": response} if response else {}
    )


@mailgun.on("accepted")
def accepted(event: Event) -> Iterator[Message]:
    yield track("Email Sent", _email(event))


@mailgun.on("rejected")
def rejected(event: Event) -> Iterator[Message]:
    """Make one message per recipient: Mailgun sends one event for the whole e-mail."""
    reason, people = event.body.opt.text("event-data.reject.reason"), _people(event)
    for person in people:
        key = str(person.traits["email"]) if len(people) > 1 else ""
        yield track("Email Dropped", {**_email(event), "reason": reason}, key=key, identity=person)


@mailgun.on("delivered")
def delivered(event: Event) -> Iterator[Message]:
    yield track("Email Delivered", _email(event) | _response(event))


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
    yield track(name, _email(event) | _response(event))


@mailgun.on("opened")
def opened(event: Event) -> Iterator[Message]:
    """Report an open. `client-info.bot` names an automatic client (`apple`, `gmail` ...); it is empty for a person."""
    bot = event.body.opt.text("event-data.client-info.bot")
    machine = None if bot is None else bool(bot)
    yield track("Email Opened", {**_email(event), "machine_open": machine, "bot": bot or None}, context=_reader(event))


@mailgun.on("clicked")
def clicked(event: Event) -> Iterator[Message]:
    bot = event.body.opt.text("event-data.client-info.bot")
    url = event.body.text("event-data.url")
    yield track("Email Link Clicked", {**_email(event), "link_url": url, "bot": bot or None}, context=_reader(event))


@mailgun.on("unsubscribed")
def unsubscribed(event: Event) -> Iterator[Message]:
    yield track(UNSUBSCRIBED_EVENT.of(event), _email(event), context=_reader(event))


@mailgun.on("complained")
def complained(event: Event) -> Iterator[Message]:
    yield track("Email Marked as Spam", _email(event))


mailgun.ignore("stored", because="a stored incoming message, not an e-mail that you sent")
mailgun.ignore("list_*", because="the upload of a mailing list, not a customer event")
