"""GitHub -> Segment. https://docs.github.com/en/webhooks/webhook-events-and-payloads

source.py         signature, ids, time, identity
repositories.py   stars, forks, pushes, releases
issues.py         issues, pull requests, their comments and reviews
apps.py           your app: its installations, and its purchases in GitHub's Marketplace
registration.py   creates a webhook of a repository or organisation
ignored.py        ignored events, each with its reason
"""

from translators.github import apps, ignored, issues, registration, repositories
from translators.github.source import github

__all__ = ["apps", "github", "ignored", "issues", "registration", "repositories"]
