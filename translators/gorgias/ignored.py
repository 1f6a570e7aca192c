"""Ignored event types, with the reason."""

from translators.gorgias.source import gorgias

gorgias.ignore("ticket-updated", because="any change of any field; more specific triggers report it")
gorgias.ignore("ticket-message-failed", because="a message that was not sent")
gorgias.ignore(
    "ticket-handed-over", because="from the AI agent to people; ticket-assignment-updated reports the assignee"
)
gorgias.ignore("ticket-self-unsnoozed", because="the end of a snooze, not an action")
gorgias.ignore("test", because="your own test delivery")
