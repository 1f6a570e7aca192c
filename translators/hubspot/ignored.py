"""What makes no message, and why."""

from translators.hubspot.source import hubspot

hubspot.ignore(
    "company.associationChange", "deal.associationChange", "ticket.associationChange", "lead.associationChange",
    because="contact.associationChange tells it from the person's side; between records alone nobody acted",
)  # fmt: skip
hubspot.ignore("lead.merge", "lead.restore", because="its next change of stage tells that it is worked on")
hubspot.ignore("conversation.deletion", because="the thread was put into the bin, it did not end")
hubspot.ignore(
    "conversation.privacyDeletion", because="it names the thread only; contact.privacyDeletion names the person"
)
hubspot.ignore("conversation.merge", "conversation.restore", because="your team's own filing")
hubspot.ignore("product.*", "line_item.*", because="your catalogue: it names neither a person nor a purchase")
hubspot.ignore(
    "cart.*", "commerce_payment.*", "discount.*", "fee.*", "invoice.*", "order.*", "quote.*", "subscription.*", "tax.*",
    because="one property of a purchase, without whose it is; the shop or biller itself tells the whole",
)  # fmt: skip
hubspot.ignore(
    "call.*", "communication.*", "email.*", "meeting.*", "note.*", "postal_mail.*", "task.*",
    because="your team's own record of its work, private notes among it",
)  # fmt: skip
hubspot.ignore(
    "feedback_submission.*", because="it names nobody; the rating comes as a property of the contact or ticket"
)
hubspot.ignore(
    "appointment.*", "course.*", "goal_target.*", "listing.*", "marketing_event.*", "partner_client.*",
    "partner_service.*", "service.*", "user.*", because="it names no customer, and only one property of a record",
)  # fmt: skip
hubspot.ignore("2-*", because="an object of your own: its webhook names neither a person nor what a change means")
hubspot.ignore("workflow", because="its shape is its author's; docs/sources/hubspot.md shows how to describe it")
