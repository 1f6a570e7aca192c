"""Translate webhooks of Jira and Jira Service Management. https://developer.atlassian.com/cloud/jira/platform/webhooks/

One source for both, on Cloud and Data Center: a service request is an issue and is sent by the same webhooks.

source.py        signatures, keys, times, identity
person.py        Jira's users: the account of Cloud, the user key of Data Center, applications, customers
issues.py        issues to tickets: created, changed, deleted, rated
status.py        when a change of status or resolution solves or reopens
comments.py      public comments to replies
people.py        users to identify
rules.py         automation rules ("Send web request") with the template of docs/sources/jira.md
registration.py  registers the webhook through Jira's API
ignored.py       ignored event types, with the reason
"""

from translators.jira import comments, ignored, issues, people, registration, rules
from translators.jira.source import jira

__all__ = ["comments", "ignored", "issues", "jira", "people", "registration", "rules"]
