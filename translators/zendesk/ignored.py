"""What makes no message, and why."""

from translators.zendesk.source import zendesk

zendesk.ignore("ticket.custom_status_changed", because="ticket.status_changed tells the status behind it")
zendesk.ignore("ticket.permanently_deleted", because="ticket.soft_deleted told the deletion")
zendesk.ignore("ticket.marked_as_spam", "ticket.undeleted", because="housekeeping of the inbox, no customer's act")
zendesk.ignore("ticket.csat_requested", because="asking for a rating is no rating; ticket.csat_received tells it")
zendesk.ignore(
    "ticket.attachment_*", "ticket.comment_made_private", "ticket.comment_redacted", "ticket.description_changed",
    because="a later edit of a message that was told when it was written",
)  # fmt: skip
zendesk.ignore(
    "ticket.next_sla_breach_changed", "ticket.*_policy_changed", "ticket.schedule_changed",
    because="it says when a target will be missed, not that it was; a trigger of type ticket.sla_breached does",
)  # fmt: skip
zendesk.ignore(
    "ticket.brand_changed", "ticket.email_ccs_changed", "ticket.external_id_changed", "ticket.followers_changed",
    "ticket.form_changed", "ticket.organization_changed", "ticket.problem_link_changed", "ticket.submitter_changed",
    "ticket.task_due_at_changed", because="a field of your own filing, not of what the customer lived through",
)  # fmt: skip
zendesk.ignore("organization.tags_changed", because="it tells which tags came and went, not which there are")
zendesk.ignore("user.merged", because="which record stays is not documented; its next event names the one that did")
zendesk.ignore(
    "user.alias_changed", "user.custom_*", "user.default_group_changed", "user.group_membership_*",
    "user.last_login_changed", "user.notes_changed", "user.only_private_comments_changed", "user.password_changed",
    "user.photo_changed", "user.role_changed", "user.tags_changed", "user.time_zone_changed",
    because="no trait that Segment knows, or private to your team",
)  # fmt: skip
zendesk.ignore(
    "organization.custom_field_changed", because="free-form fields may hold anything; name the ones you need"
)
zendesk.ignore(
    "article.*", "community_post.*", because="your help centre's content, not a conversation with a customer"
)
zendesk.ignore(
    "agent.*", "agent_availability.*", "omnichannel_config.*", "omnichannel_routing_config.*",
    "messaging_live_metrics.*", because="about your agents and your set-up, not a customer",
)  # fmt: skip
zendesk.ignore("eventbridge", because="AWS relays it unsigned; the same fact comes signed through an event webhook")
zendesk.ignore("mobile_push", because="a push notification meant for your app's devices names no ticket event")
zendesk.ignore("trigger.test", because="a test delivery of yours")
