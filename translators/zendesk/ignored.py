"""Ignored event types, with the reason."""

from translators.zendesk.source import zendesk

zendesk.ignore("ticket.custom_status_changed", because="ticket.status_changed reports the standard status")
zendesk.ignore("ticket.permanently_deleted", because="ticket.soft_deleted reported the deletion")
zendesk.ignore("ticket.marked_as_spam", "ticket.undeleted", because="inbox maintenance, not a customer action")
zendesk.ignore("ticket.csat_requested", because="a request for a rating; ticket.csat_received reports the rating")
zendesk.ignore(
    "ticket.attachment_*", "ticket.comment_made_private", "ticket.comment_redacted", "ticket.description_changed",
    because="a later edit of a message that was reported when it was written",
)  # fmt: skip
zendesk.ignore(
    "ticket.next_sla_breach_changed", "ticket.*_policy_changed", "ticket.schedule_changed",
    because="the time of a future breach; a trigger of type ticket.sla_breached reports a breach",
)  # fmt: skip
zendesk.ignore(
    "ticket.brand_changed", "ticket.email_ccs_changed", "ticket.external_id_changed", "ticket.followers_changed",
    "ticket.form_changed", "ticket.organization_changed", "ticket.problem_link_changed", "ticket.submitter_changed",
    "ticket.task_due_at_changed", because="an internal field of your team, not a customer event",
)  # fmt: skip
zendesk.ignore("organization.tags_changed", because="it has the added and removed tags, not the current ones")
zendesk.ignore("user.merged", because="Zendesk does not document which record remains; the next event names it")
zendesk.ignore(
    "user.alias_changed", "user.custom_*", "user.default_group_changed", "user.group_membership_*",
    "user.last_login_changed", "user.notes_changed", "user.only_private_comments_changed", "user.password_changed",
    "user.photo_changed", "user.role_changed", "user.tags_changed", "user.time_zone_changed",
    because="not a trait of Segment, or internal to your team",
)  # fmt: skip
zendesk.ignore("organization.custom_field_changed", because="free-form fields may contain anything")
zendesk.ignore(
    "article.*", "community_post.*", because="your help centre's content, not a conversation with a customer"
)
zendesk.ignore(
    "agent.*", "agent_availability.*", "omnichannel_config.*", "omnichannel_routing_config.*",
    "messaging_live_metrics.*", because="about your agents or configuration, not a customer",
)  # fmt: skip
zendesk.ignore("eventbridge", because="AWS relays it unsigned; an event webhook sends the same event signed")
zendesk.ignore("mobile_push", because="a push notification for your app's devices, without a ticket event")
zendesk.ignore("trigger.test", because="your own test delivery")
