"""Ignored event types, with the reason."""

from translators.jira.source import jira

jira.ignore(
    "comment_updated", "comment_deleted", because="a later edit of a comment that was reported when it was written"
)
jira.ignore("worklog_*", "jira:worklog_*", because="a time sheet of your team, not a customer action")
jira.ignore("attachment_*", because="a file of a ticket; jira:issue_updated reports added and removed files")
jira.ignore("issuelink_*", "issue_property_*", because="internal filing; jira:issue_updated reports a ticket's changes")
jira.ignore("sprint_*", "board_*", "jira:version_*", "version_*", because="your team's planning, not a customer event")
jira.ignore("project_*", "filter_*", "issuetype_*", "option_*", "dashboard_*", because="administration of your site")
jira.ignore("app_access_*", "jira_expression_*", "app_*", because="internal to an app")
jira.ignore(
    "rule.untyped",
    because="an automation rule's issue data has no event type: paste docs/sources/jira.md's template into the rule",
)
jira.ignore("rule.test", because="your own test delivery")
