"""Register the webhook through Jira's API. https://developer.atlassian.com/cloud/jira/platform/webhooks/#registering-a-webhook

Cloud and Data Center up to version 9 have the same URL; Data Center 10 is registered by hand.
"""

from __future__ import annotations

from translators.jira.source import jira
from translators.kit import Need, Registered, Registering, basic, json_call


@jira.registration(
    Need("site", "JIRA_SITE", "acme.atlassian.net, or the address of your own server", secret=False),
    Need(
        "email",
        "JIRA_EMAIL",
        "the e-mail address of a Jira administrator (a user name on your own server)",
        secret=False,
    ),
    Need("api_token", "JIRA_API_TOKEN", "an API token of id.atlassian.com (the password on your own server)"),
    Need("jql", "JIRA_JQL", "which issues, such as `project = HELP`; all if empty", secret=False, default=""),
    after="create automation rules for SLA breaches and what webhooks do not send: see docs/sources/jira.md.",
)
def register(at: Registering) -> Registered:
    """Create one admin webhook for the translated events, signed with a generated secret."""
    site = at.values["site"].rstrip("/")
    base = site if "://" in site else f"https://{site}"
    jql = at.values["jql"]
    webhook = {
        "name": "Segue",
        "url": at.url,
        "events": [type_ for type_ in at.types if not type_.startswith("rule.")],
        "filters": {"issue-related-events-section": jql} if jql else {},
        "excludeBody": False,
        "secret": at.secret,
    }
    created = yield json_call(
        "POST", f"{base}/rest/webhooks/1.0/webhook", basic(at.values["email"], at.values["api_token"]), webhook
    )
    created.text("self")
    return at.secret


jira.manual_steps(
    "Settings > System > WebHooks (Data Center: Administration > System > WebHooks) > Create a WebHook",
    "URL: {url}",
    "Secret: {secret}",
    "Leave Exclude body off, and choose these events (those of `rule.` come by automation rules):{types}",
    "JQL: which issues, such as project = HELP; all if empty",
    chosen="{random}",
)
