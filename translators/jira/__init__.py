"""Jira and Jira Service Management -> Segment. https://developer.atlassian.com/cloud/jira/platform/webhooks/

One source for both, Cloud and Data Center: a service project's request is an issue, and comes by the same webhooks.

source.py        signatures, ids, time, whom an event is about
person.py        Jira's users: the account of Cloud, the user key of Data Center, applications, customers
issues.py        issues are tickets: made, changed, deleted, rated
status.py        when a change of status or resolution solves or reopens
comments.py      public comments are replies
people.py        users become identify
rules.py         "Send web request" of an automation rule, with the template of docs/sources/jira.md
registration.py  the webhook, made through Jira's API
ignored.py       what makes no message, and why
"""

from translators.jira import comments, ignored, issues, people, registration, rules
from translators.jira.source import jira

__all__ = ["comments", "ignored", "issues", "jira", "people", "registration", "rules"]
