"""What makes no message, and why."""

from translators.intercom.source import intercom

intercom.ignore("ping", because="Intercom's own test of this URL")
intercom.ignore("conversation.admin.noted", "ticket.note.created", because="a private note is no act of the customer")
intercom.ignore("conversation.operator.replied", because="written by Fin or another bot")
intercom.ignore(
    "conversation.admin.replied.translated", "ticket.admin.replied.translated", because="the same reply again"
)
intercom.ignore(
    "conversation.admin.unsnoozed", because="the snooze ran out or was lifted; a reply tells what came next"
)
intercom.ignore("conversation.deleted", because="its payload names the conversation only, not the customer")
intercom.ignore("conversation.read", because="reading is no message")
intercom.ignore(
    "conversation.priority.updated", "conversation.contact.*", "conversation.company.*", "conversation_part.*",
    because="your team's own filing of a conversation",
)  # fmt: skip
intercom.ignore("ticket.resolved", because="ticket.state.updated tells it")
intercom.ignore("ticket.closed", because="a ticket is solved by its state, which ticket.state.updated tells")
intercom.ignore("ticket.contact.*", because="your team's own filing of a ticket")
intercom.ignore(
    "contact.tag.*", "contact.user.tag.*", "contact.lead.tag.*", "user.tag.*", because="a tag is your team's own label"
)
intercom.ignore("contact.archived", "contact.archive", "contact.unarchive", because="housekeeping; the profile stays")
intercom.ignore("event.created", because="an event that your own product sent to Intercom")
intercom.ignore("call.*", because="a phone call; its conversation tells what came of it")
intercom.ignore("messenger.*", because="your own set-up of the Messenger")
intercom.ignore("content_stat.*", because="statistics of outbound campaigns, no conversation")
intercom.ignore("admin.*", because="about your teammates, not a customer")
intercom.ignore("article.*", "content_import_source.*", "content_snippet.*", because="your help content")
intercom.ignore(
    "api.*", "audience.*", "data_connector.*", "job.*", "procedure.*", because="your workspace's own workings"
)
