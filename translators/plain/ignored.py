"""Ignored event types, with the reason."""

from translators.plain.source import plain

plain.ignore("thread.note_created", because="a private note, not a customer action")
plain.ignore(
    "thread.slack_message_updated", "thread.discord_message_updated",
    because="an edit of a message that was reported when it was sent, or a reaction",
)  # fmt: skip
plain.ignore(
    "customer.customer_changed", "timeline.timeline_entry_changed", because="more specific event types report the same"
)
plain.ignore(
    "customer.customer_group_changed", "customer.customer_group_memberships_changed",
    because="internal filing of customers by your team",
)  # fmt: skip
