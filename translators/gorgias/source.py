"""Signature, key, time and identity of Gorgias's deliveries."""

from __future__ import annotations

from typing import Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    Identity,
    Item,
    Payload,
    SharedToken,
    Skip,
    Source,
    first_id,
    moment,
    real_name,
    template_object,
)

gorgias = Source(
    "gorgias",
    title="Gorgias",
    docs="https://developers.gorgias.com/reference/integrations",
    secret_help="a long random text that you choose and paste into the integration's headers",
    scheme=SharedToken(where="header", name="X-Segue-Token"),
    methods=["PUT", "PATCH", "DELETE"],  # https://developers.gorgias.com/reference/the-integration-object
)

MESSAGE_CREATED: Final = "ticket-message-created"
# The fields that a change is about; the rest of the ticket may have changed since
_STATE: Final = {
    "ticket-status-updated": ("ticket.status",),
    "ticket-assignment-updated": ("assignee.id", "team.id"),
}


@gorgias.head
def head(item: Item) -> Head:
    """Return the key, and the time of the template or message, else that of the ticket's last change.

    Gorgias's times have no zone and are UTC: https://developers.gorgias.com/reference/the-ticket-object
    """
    body = item.filled
    type_ = body.text("type")
    created_path = "ticket.created_at" if type_ == "ticket-created" else "message.created_at"
    at = moment(body, "at", naive_is_utc=True) or moment(body, created_path, naive_is_utc=True)
    changed_at = moment(body, "ticket.updated_at", naive_is_utc=True)
    clock: Clock = "record" if changed_at and not at else "event"
    key, former = _key(type_, body, item.digest)
    return Head(id=key, type=type_, occurred_at=at or changed_at, clock=clock, former_ids=(FormerId(former),))


def _key(type_: str, body: Payload, digest: str) -> tuple[str, str]:
    """Return the key and a former one: the template's event id, the created object's id, or the ticket and its change.

    The time of the change has microseconds. Without any of these the key is the digest of the bytes, which may differ
    in a repeated delivery.
    """
    if own := body.id("id", ""):
        return f"{type_}:{own}", own  # templates of two types may have the same id, the ticket's
    if id_path := {"ticket-created": "ticket.id", MESSAGE_CREATED: "message.id"}.get(type_):
        return f"{type_}:{body.id(id_path)}" if id_path in body else digest, ""
    if "ticket.id" in body and "ticket.updated_at" in body:
        state = [body.id(path, "") for path in _STATE.get(type_, ())]
        return ":".join((type_, body.id("ticket.id"), body.text("ticket.updated_at"), *state)), digest
    return digest, ""


@gorgias.identity
def identity(event: Event) -> Identity:
    """Return the ticket's customer. `external_id` may belong to another system, so it is used only if configured."""
    customer = template_object(event.filled, "customer", page="gorgias", place="integration")
    customer_id, email = customer.id("id", ""), customer.text("email", "")
    anonymous = first_id(customer=customer_id, email=email.strip().lower())
    if anonymous is None:
        raise Skip("no customer: the ticket names none")
    return Identity(
        metadata=({**customer.texts("own"), "external_id": customer.id("external_id", "")},),
        anonymous=anonymous,
        external_ids=(ExternalId("gorgias_customer_id", customer_id),),
        traits={"email": email, "name": real_name(customer.opt.text("name"))},
    )
