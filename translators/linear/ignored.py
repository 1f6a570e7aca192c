"""Ignored event types, with the reason."""

from translators.linear.source import linear

linear.ignore(
    "IssueSLA.set", "IssueSLA.highRisk", "IssueSLA.mediumRisk",
    because="a future breach; IssueSLA.breached reports a breach",
)  # fmt: skip
linear.ignore(
    "Comment.update", "Comment.remove", because="a later edit of a comment that was reported when it was written"
)
linear.ignore("Reaction.update", because="Reaction.create and Reaction.remove report reactions")
linear.ignore("Attachment.*", because="a link on an issue; CustomerNeed reports a customer's request")
linear.ignore("Document.*", "DocumentContent.*", because="documents of your team, not a conversation with a customer")
linear.ignore(
    "Project.*", "ProjectUpdate.*", "ProjectLabel.*", "ProjectMilestone.*", "Initiative.*", "InitiativeUpdate.*",
    "InitiativeLabel.*", "Cycle.*", because="your team's planning, not a customer event",
)  # fmt: skip
linear.ignore("IssueLabel.*", "IssueRelation.*", because="internal filing; a ticket's labels are in its own events")
linear.ignore("Release.*", "ReleaseNote.*", because="your own releases, not a customer action")
linear.ignore("Customer.*", because="a merge or archiving of the record; the next update has its state")
linear.ignore("CustomerNeed.*", because="archiving of the record; create, update and remove report the request")
linear.ignore("Issue.archive", "Issue.unarchive", because="Linear archives ended issues automatically")
linear.ignore("User.*", because="a member's role or settings; create and update report the member")
linear.ignore("AuditEntry.*", because="the workspace's own security log")
linear.ignore("AgentSessionEvent.*", because="the work of an agent, which is a bot")
linear.ignore("AppUserNotification.*", because="a notification of your application; its subject has its own event")
linear.ignore("PermissionChange.*", "OAuthAuthorization.*", because="permissions of an application")
