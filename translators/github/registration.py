"""Create a webhook of a repository or organisation."""

from __future__ import annotations

from translators.github.source import github
from translators.kit import Need, Registered, Registering, bearer, json_call


@github.registration(
    Need("token", "GITHUB_TOKEN", "a token that may write webhooks (admin:repo_hook, or admin:org_hook)"),
    Need("target", "GITHUB_TARGET", "acme/shop for one repository, acme for a whole organisation", secret=False),
)
def register(at: Registering) -> Registered:
    """Create a webhook of a repository or organisation.

    https://docs.github.com/en/rest/repos/webhooks#create-a-repository-webhook, and /rest/orgs/webhooks.
    GitHub sends `installation` only to the webhook in an app's own settings, and `marketplace_purchase` only to that of
    a Marketplace listing.
    """
    target = at.values["target"]
    hook = {
        "name": "web",
        "active": True,
        "events": sorted({type_.partition(".")[0] for type_ in at.types} - {"installation", "marketplace_purchase"}),
        "config": {"url": at.url, "content_type": "json", "secret": at.secret, "insecure_ssl": "0"},
    }
    url = f"https://api.github.com/{'repos' if '/' in target else 'orgs'}/{target}/hooks"
    yield json_call("POST", url, bearer(at.values["token"]) | {"X-GitHub-Api-Version": "2022-11-28"}, hook)
    return at.secret
