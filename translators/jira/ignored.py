"""What makes no message, and why."""

from translators.jira.source import jira

jira.ignore("comment_updated", "comment_deleted", because="a later edit of what was told when it was written")
jira.ignore("worklog_*", "jira:worklog_*", because="a time sheet of your team, no customer's act")
jira.ignore("attachment_*", because="a file of a ticket; jira:issue_updated tells that one came or went")
jira.ignore(
    "issuelink_*", "issue_property_*", because="filing of your own; jira:issue_updated tells a ticket's changes"
)
jira.ignore(
    "sprint_*",
    "board_*",
    "jira:version_*",
    "version_*",
    because="your team's planning, not what a customer lived through",
)
jira.ignore(
    "project_*", "filter_*", "issuetype_*", "option_*", "dashboard_*", because="the administration of your site"
)
jira.ignore("app_access_*", "jira_expression_*", "app_*", because="an app's own affairs")
jira.ignore(
    "rule.untyped",
    because="an automation rule's issue data does not say what happened: paste the template of docs/sources/jira.md",
)
jira.ignore("rule.test", because="a test delivery of yours")
