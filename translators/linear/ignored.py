"""What makes no message, and why."""

from translators.linear.source import linear

linear.ignore(
    "IssueSLA.set", "IssueSLA.highRisk", "IssueSLA.mediumRisk",
    because="it says when a target will be missed, not that it was; IssueSLA.breached does",
)  # fmt: skip
linear.ignore("Comment.update", "Comment.remove", because="a later edit of what was told when it was written")
linear.ignore("Reaction.update", because="a reaction is put or taken off; both are told")
linear.ignore("Attachment.*", because="a link on an issue; a customer's request comes as CustomerNeed")
linear.ignore("Document.*", "DocumentContent.*", because="your team's own papers, not a conversation with a customer")
linear.ignore(
    "Project.*", "ProjectUpdate.*", "ProjectLabel.*", "ProjectMilestone.*", "Initiative.*", "InitiativeUpdate.*",
    "InitiativeLabel.*", "Cycle.*", because="your team's planning, not what a customer lived through",
)  # fmt: skip
linear.ignore("IssueLabel.*", "IssueRelation.*", because="filing of your own; a ticket's labels are in its own events")
linear.ignore("Release.*", "ReleaseNote.*", because="your own shipping, no customer's act")
linear.ignore("Customer.*", because="a merge or an archive of the record; its next update tells what it is")
linear.ignore("CustomerNeed.*", because="an archive of the record; create, update and remove tell the request")
linear.ignore("Issue.archive", "Issue.unarchive", because="Linear tidies ended issues away by itself")
linear.ignore("User.*", because="a member's role or settings; create and update tell who it is")
linear.ignore("AuditEntry.*", because="the workspace's own security log")
linear.ignore("AgentSessionEvent.*", because="an agent at work: a bot's act is nobody's")
linear.ignore("AppUserNotification.*", because="a notification of your application; what it tells of has its own event")
linear.ignore("PermissionChange.*", "OAuthAuthorization.*", because="which teams or tokens an application may use")
