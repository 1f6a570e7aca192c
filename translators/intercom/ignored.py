"""Ignored topics, with the reason."""

from translators.intercom.source import intercom

intercom.ignore("ping", because="Intercom's own test of this URL")
intercom.ignore("conversation.admin.noted", "ticket.note.created", because="a private note, not a customer action")
intercom.ignore("conversation.operator.replied", because="written by Fin or another bot")
intercom.ignore(
    "conversation.admin.replied.translated",
    "ticket.admin.replied.translated",
    because="a translation of a reply that is reported",
)
intercom.ignore("conversation.admin.unsnoozed", because="the end of a snooze; a reply has its own topic")
intercom.ignore("conversation.deleted", because="its payload names the conversation only, not the customer")
intercom.ignore("conversation.read", because="reading, not a message")
intercom.ignore(
    "conversation.priority.updated", "conversation.contact.*", "conversation.company.*", "conversation_part.*",
    because="internal filing of a conversation by your team",
)  # fmt: skip
intercom.ignore("ticket.resolved", because="ticket.state.updated reports it")
intercom.ignore("ticket.closed", because="ticket.state.updated reports when a ticket is solved")
intercom.ignore("ticket.contact.*", because="internal filing of a ticket by your team")
intercom.ignore(
    "contact.tag.*",
    "contact.user.tag.*",
    "contact.lead.tag.*",
    "user.tag.*",
    because="a tag is an internal label of your team",
)
intercom.ignore(
    "contact.archived", "contact.archive", "contact.unarchive", because="archiving does not change the profile"
)
intercom.ignore("event.created", because="an event that your own product sent to Intercom")
intercom.ignore("call.*", because="a phone call; its conversation reports the outcome")
intercom.ignore("messenger.*", because="configuration of the Messenger")
intercom.ignore("content_stat.*", because="statistics of outbound campaigns")
intercom.ignore("admin.*", because="about your teammates, not a customer")
intercom.ignore("article.*", "content_import_source.*", "content_snippet.*", because="your help content")
intercom.ignore("api.*", "audience.*", "data_connector.*", "job.*", "procedure.*", because="internal to your workspace")
