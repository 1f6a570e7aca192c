"""What makes no message, and why."""

from translators.chatwoot.source import chatwoot

chatwoot.ignore("webwidget_triggered", because="the chat window was opened and nothing was said")
chatwoot.ignore("conversation_typing_on", "conversation_typing_off", because="typing is no message")
chatwoot.ignore("inbox_created", "inbox_updated", because="your own settings")
chatwoot.ignore("conversation_resolved", "conversation_opened", because="conversation_status_changed tells the same")
chatwoot.ignore("automation_event.*", "macro.executed", because="sent by a rule of yours; the event itself is told")
