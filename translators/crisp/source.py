"""Signature, key, time and identity of Crisp's events."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    SharedToken,
    Skip,
    Source,
    accept_account,
    choice_option,
    first_id,
    list_option,
    real_name,
)

WEBSITE_IDS: Final = list_option(
    "website_ids", "accept these websites only (a plugin receives events of all that installed it)"
)
DATA_TRAITS: Final = list_option("data_traits", "which fields of a session's data become traits; none by default")
INITIATED: Final = choice_option(
    "initiated",
    "whether session:request:initiated counts as the start of a conversation or is ignored",
    ("conversation", "ignore"),
    "conversation",
)

crisp = Source(
    "crisp",
    title="Crisp",
    docs="https://docs.crisp.chat/guides/web-hooks/quickstart/",
    secret_help="plugin hooks: Marketplace > your plugin > Web Hooks > Signing secret; "
    "website hooks (scheme website): a long random text that you choose, appended to the URL as ?key=...",
    scheme={
        # The brackets and the semicolon are signed too: https://docs.crisp.chat/references/web-hooks/v1/#delivery
        "plugin": HmacTimestamped(
            header="X-Crisp-Signature", ts_header="X-Crisp-Request-Timestamp", ts_form="auto", template="[{ts};{body}]"
        ),
        "website": SharedToken(where="query", name="key"),
    },
    options=[WEBSITE_IDS, DATA_TRAITS, INITIATED],
)

crisp.manual_steps(
    "Marketplace (https://marketplace.crisp.chat) > your plugin > Web Hooks: {url}",
    "Choose these events:{types}",
    "Copy the signing secret of the same page.",
    "Without a plugin: dashboard > Settings > Advanced > Web Hooks, with ?key=<a long random text> appended to the "
    "URL, and SEGUE_CRISP_SCHEME=website; the secret is then that text.",
)

_MESSAGES: Final = {"message:send", "message:received"}
# The chatbox's name for an unknown visitor, such as visitor493603.
_MADE_UP: Final = re.compile(r"visitor\d+")


accept_account(crisp, WEBSITE_IDS, lambda delivery: delivery.payload.opt.id("website_id"), what="Crisp website")


@crisp.head
def head(item: Item) -> Head:
    """Return a message's key from its fingerprint, any other from the bytes, which are the same on every retry."""
    body = item.body
    type_, at = body.text("event"), body.opt.when("timestamp") or body.opt.when("data.timestamp")
    data = body.maybe("data")
    if type_ in _MESSAGES and "fingerprint" in data:
        return Head(id=f"{type_}:{data.id('session_id')}:{data.id('fingerprint')}", type=type_, occurred_at=at)
    return Head(id=f"{type_}:{sha256(item.raw).hexdigest()[:40]}", type=type_, occurred_at=at)


@crisp.identity
def identity(event: Event) -> Identity:
    """Return the visitor by the session; by the profile if Crisp names no session."""
    data = event.body.object("data")
    session, profile, email = data.id("session_id", ""), data.id("people_id", ""), data.text("email", "")
    anonymous = first_id(session=session, people=profile, email=email.strip().lower())
    if anonymous is None:
        raise Skip("no customer: neither a session, a profile nor an e-mail address is named")
    name = data.first("nickname", *(["user.nickname"] if event.type == "message:send" else []))
    return Identity(
        metadata=(data.texts("data"),) if event.type == "session:set_data" else (),
        anonymous=anonymous,
        external_ids=(ExternalId("crisp_session_id", session), ExternalId("crisp_people_id", profile)),
        traits={"email": email, "name": nickname(name), "phone": data.opt.text("phone")},
    )


def nickname(name: str | None) -> str | None:
    """Return a person's name, None if Crisp made it up."""
    return None if _MADE_UP.fullmatch(name or "") else real_name(name)
