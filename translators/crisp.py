"""Translate Crisp's web hooks to Live Chat events and identify. https://docs.crisp.chat/references/web-hooks/v1/

Plugin hooks are signed; website hooks have a key in their URL. Both send the same events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Message,
    Payload,
    SharedToken,
    Skip,
    Source,
    accept_account,
    choice_option,
    identify,
    list_option,
    real_name,
    track,
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
    nickname = data.text("nickname", "") or (data.text("user.nickname", "") if event.type == "message:send" else "")
    traits = {
        "email": email,
        "name": _name(nickname),
        "phone": data.text("phone", ""),
    }
    if session:
        anonymous = ("session", session)
    elif profile:
        anonymous = ("people", profile)
    elif email:
        anonymous = ("email", email.strip().lower())
    else:
        raise Skip("no customer: neither a session, a profile nor an e-mail address is named")
    return Identity(
        metadata=(data.texts("data"),) if event.type == "session:set_data" else (),
        anonymous=anonymous,
        external_ids=(ExternalId("crisp_session_id", session), ExternalId("crisp_people_id", profile)),
        traits={name: value for name, value in traits.items() if value},
    )


def _name(nickname: str) -> str | None:
    return None if _MADE_UP.fullmatch(nickname) else real_name(nickname)


def _chat(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    return {
        "conversation_id": data.id("session_id"),
        "website_id": data.opt.id("website_id") or event.body.opt.id("website_id"),
        "inbox_id": data.opt.id("inbox_id"),
    }


@crisp.on("session:request:initiated")
def conversation_started(event: Event) -> Iterator[Message]:
    if INITIATED.of(event) == "ignore":
        raise Skip(f"SEGUE_{event.source.upper()}_INITIATED is ignore")
    yield track("Live Chat Conversation Started", _chat(event))


@crisp.on("message:send")
def message_sent(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    _by_a_person(data, "user")
    properties = {"message_id": data.id("fingerprint"), "channel": data.opt.text("origin")}
    yield track("Live Chat Message Sent", _chat(event) | properties)


@crisp.on("message:received")
def message_received(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    _by_a_person(data, "operator")
    operator = data.maybe("user")
    if operator.get("type") == "website" or not operator.get("user_id"):
        raise Skip("written by a bot, a campaign or a plugin in the name of the website")
    properties = {"message_id": data.id("fingerprint"), "channel": data.opt.text("origin")}
    agent = {"agent_id": operator.id("user_id"), "agent_name": operator.opt.text("nickname")}
    yield track("Live Chat Message Received", _chat(event) | properties | agent)


def _by_a_person(data: Payload, side: str) -> None:
    kind = data.text("type")
    if kind in {"note", "event"}:
        raise Skip("a private note" if kind == "note" else "a line of the history")
    if data.flag("automated", False) or data.text("from", side) != side:
        raise Skip("written by a bot or a campaign")


@crisp.on("session:set_routing")
def conversation_assigned(event: Event) -> Iterator[Message]:
    assignee = event.body.opt.id("data.routing_id")
    if assignee is None:
        raise Skip("the conversation was unassigned")
    yield track("Live Chat Conversation Assigned", {**_chat(event), "assignee_id": assignee})


@crisp.on("session:set_state")
def state_changed(event: Event) -> Iterator[Message]:
    state = event.body.text("data.state")
    if state != "resolved":
        raise Skip(f"{state}: Crisp does not send whether it was resolved before")
    yield track("Live Chat Conversation Ended", {**_chat(event), "status": state})


@crisp.on("session:sync:rating")
def rated(event: Event) -> Iterator[Message]:
    score = event.body.integer("data.rating.stars")
    yield track("Satisfaction Rated", {**_chat(event), "rating": str(score), "score": score})


@crisp.on("session:set_email", "session:set_nickname", "session:set_phone", "people:profile:created")
def person_known(event: Event) -> Iterator[Message]:
    if not identity(event).traits:
        raise Skip("a name that Crisp made up for a visitor")
    yield identify()


@crisp.on("session:set_data")
def data_known(event: Event) -> Iterator[Message]:
    """Identify with the session's data. It has the userId if your site sets a key of `identity.user_id_keys`."""
    data = event.body.object("data.data")
    fields = data.select(*DATA_TRAITS.of(event))
    traits = {name: value for name, value in fields.items() if not isinstance(value, dict | list)}
    if not traits and not event.body.texts("data.data"):
        raise Skip("no field that is a trait or could be your user id")
    yield identify(traits)


@crisp.on("people:profile:updated", "people:sync:profile")
def profile_known(event: Event) -> Iterator[Message]:
    profile = event.body.object("data").maybe("update" if event.type == "people:profile:updated" else "identity")
    person, company = profile.maybe("person"), profile.maybe("company")
    place, work = person.maybe("geolocation"), person.maybe("employment")
    address = {
        "street": person.opt.text("address"),
        **place.select("city:text", state="region:text", country="country:text"),
    }
    employer = company.opt.text("name") or work.opt.text("name")
    traits = {
        "name": _name(person.text("nickname", "")),
        **person.select("phone:text", "avatar:text", "website:text", "gender:text"),
        "title": work.opt.text("title"),
        "company": {"name": employer} if employer else None,
        "address": address if any(address.values()) else None,
    }
    traits = {trait: value for trait, value in traits.items() if value}
    if not traits and "email" not in event.body.object("data"):
        raise Skip("no field changed that is a Segment trait")
    yield identify(traits)


@crisp.on("people:bind:session")
def profile_bound(_: Event) -> Iterator[Message]:
    """Identify with both of Crisp's ids, so that Unify joins the session and the known person."""
    yield identify()


@crisp.on("people:profile:removed")
def profile_removed(event: Event) -> Iterator[Message]:
    yield track("Contact Deleted", {"contact_id": event.body.id("data.people_id")})


@crisp.on("email:subscribe")
def subscription_changed(event: Event) -> Iterator[Message]:
    yield track("Email Resubscribed" if event.body.flag("data.subscribed") else "Unsubscribed")


crisp.ignore("message:updated", "message:removed", because="an edit; the message was reported when it was sent")
crisp.ignore(
    "message:compose:*", "message:acknowledge:*", "message:notify:*", because="typing or reading, not a message"
)
crisp.ignore(
    "session:set_opened", "session:set_closed", because="an operator opened or closed the view of a conversation"
)
crisp.ignore(
    "session:set_segments", "session:set_inbox", "session:set_participants", "session:set_mentions",
    "session:set_subject", "session:set_block", "session:sync:topic", "session:removed",
    because="internal filing of a conversation by your team",
)  # fmt: skip
crisp.ignore(
    "session:sync:*", "session:set_avatar", "session:set_address", "session:set_origin", "session:update_*",
    because="a visitor's location, browser and pages",
)  # fmt: skip
crisp.ignore("session:error", "identity:*", because="internal to Crisp")
crisp.ignore("people:import:*", because="progress of an import")
crisp.ignore("campaign:*", "email:track:*", because="campaign statistics, without a person")
crisp.ignore("browsing:*", "call:*", because="a request without an outcome")
crisp.ignore("spam:*", because="spam, not a customer's conversation")
crisp.ignore(
    "website:*",
    "status:*",
    "bucket:*",
    "media:*",
    "plugin:*",
    "plan:*",
    "widget:*",
    because="configuration of your account, not a customer event",
)
