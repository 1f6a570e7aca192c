"""Ignored event types, with the reason."""

from translators.crisp.source import crisp

crisp.ignore("message:updated", "message:removed", because="an edit; the message was reported when it was sent")
crisp.ignore(
    "message:compose:*", "message:acknowledge:*", "message:notify:*", because="typing or reading, not a message"
)
crisp.ignore(
    "session:set_opened", "session:set_closed", because="an operator opened or closed the view of a conversation"
)
crisp.ignore(
    "session:set_segments", "session:set_inbox", "session:set_participants", "session:set_mentions",
    "session:set_subject", "session:set_block", "session:sync:topic", "session:removed",
    because="internal filing of a conversation by your team",
)  # fmt: skip
crisp.ignore(
    "session:sync:*", "session:set_avatar", "session:set_address", "session:set_origin", "session:update_*",
    because="a visitor's location, browser and pages",
)  # fmt: skip
crisp.ignore("session:error", "identity:*", because="internal to Crisp")
crisp.ignore("people:import:*", because="progress of an import")
crisp.ignore("campaign:*", "email:track:*", because="campaign statistics, without a person")
crisp.ignore("browsing:*", "call:*", because="a request without an outcome")
crisp.ignore("spam:*", because="spam, not a customer's conversation")
crisp.ignore(
    "website:*", "status:*", "bucket:*", "media:*", "plugin:*", "plan:*", "widget:*",
    because="configuration of your account, not a customer event",
)  # fmt: skip
