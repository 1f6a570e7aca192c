"""Ignored event types, with the reason."""

from translators.hubspot.source import hubspot

hubspot.ignore(
    "company.associationChange", "deal.associationChange", "ticket.associationChange", "lead.associationChange",
    because="contact.associationChange reports it; an association between records alone has no person",
)  # fmt: skip
hubspot.ignore("lead.merge", "lead.restore", because="the lead's next change of stage is reported")
hubspot.ignore("conversation.deletion", because="the thread was moved to the trash, not ended")
hubspot.ignore(
    "conversation.privacyDeletion", because="it names the thread only; contact.privacyDeletion names the person"
)
hubspot.ignore("conversation.merge", "conversation.restore", because="internal filing by your team")
hubspot.ignore("product.*", "line_item.*", because="your catalogue, without a person or a purchase")
hubspot.ignore(
    "cart.*", "commerce_payment.*", "discount.*", "fee.*", "invoice.*", "order.*", "quote.*", "subscription.*", "tax.*",
    because="one property of a purchase, without a person; the shop or biller reports the purchase",
)  # fmt: skip
hubspot.ignore(
    "call.*", "communication.*", "email.*", "meeting.*", "note.*", "postal_mail.*", "task.*",
    because="your team's record of its work, including private notes",
)  # fmt: skip
hubspot.ignore("feedback_submission.*", because="it names no person; the rating is a property of the contact or ticket")
hubspot.ignore(
    "appointment.*", "course.*", "goal_target.*", "listing.*", "marketing_event.*", "partner_client.*",
    "partner_service.*", "service.*", "user.*", because="one property of a record, without a customer",
)  # fmt: skip
hubspot.ignore("2-*", because="a custom object: its webhook has neither a person nor the meaning of a change")
hubspot.ignore(
    "workflow", because="the workflow's author chose its format; docs/sources/hubspot.md shows how to configure it"
)
