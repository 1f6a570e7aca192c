"""Chargebee's credentials, event ids and identity."""

from __future__ import annotations

from typing import Final

from translators.kit import Event, ExternalId, Identity, SharedToken, Source, first_id, name_traits

chargebee = Source(
    "chargebee",
    title="Chargebee",
    docs="https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings",
    secret_help="user:password, as you typed them under Basic authentication of the webhook in Chargebee",
    scheme={"basic": SharedToken(where="basic"), "token": SharedToken(where="path")},
)

_RECORDS: Final = ("subscription", "invoice", "transaction", "credit_note", "payment_source", "quote")


chargebee.head_at(id="id", type="event_type", occurred_at="occurred_at:seconds")  # `ev_...` is the same on every retry


@chargebee.identity
def customer(event: Event) -> Identity:
    """Use the customer's id, else the record's. It is not a userId, because the merchant may choose it but need not."""
    content = event.body.object("content")
    person = content.maybe("customer")
    id_ = content.first("customer.id:id", *(f"{name}.customer_id:id" for name in _RECORDS)) or ""
    return Identity(
        metadata=tuple(
            content.texts(f"{name}.meta_data") for name in ("subscription", "customer") if content.get(name)
        ),
        anonymous=first_id(customer=id_) or first_id(record=content.first(*(f"{name}.id:id" for name in _RECORDS))),
        external_ids=(ExternalId("chargebee_customer_id", id_),),
        traits={
            "email": person.opt.text("email"),
            **name_traits(person.opt.text("first_name"), person.opt.text("last_name")),
            "phone": person.opt.text("phone"),
        },
    )
