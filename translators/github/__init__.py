"""GitHub -> Segment. https://docs.github.com/en/webhooks/webhook-events-and-payloads

events.py       signature, ids, time, identity; stars, pushes, issues, pull requests, releases, installations
marketplace.py  purchases of your app in GitHub's Marketplace
ignored.py      ignored events, each with its reason
"""

from translators.github import ignored, marketplace
from translators.github.events import github

__all__ = ["github", "ignored", "marketplace"]
