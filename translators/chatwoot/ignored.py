"""Ignored event types, with the reason."""

from translators.chatwoot.source import chatwoot

chatwoot.ignore("webwidget_triggered", because="the chat window was opened, without a message")
chatwoot.ignore("conversation_typing_on", "conversation_typing_off", because="typing, not a message")
chatwoot.ignore("inbox_created", "inbox_updated", because="your own settings")
chatwoot.ignore("conversation_resolved", "conversation_opened", because="conversation_status_changed reports the same")
chatwoot.ignore(
    "automation_event.*", "macro.executed", because="sent by one of your rules; the event itself is reported"
)
