"""GitHub -> Segment. https://docs.github.com/en/webhooks/webhook-events-and-payloads

events.py       signature, ids, time, who acted; stars, pushes, issues, pull requests, releases, installations
marketplace.py  what customers buy of your app in GitHub's Marketplace
ignored.py      what makes no message, and why
"""

from translators.github import ignored, marketplace
from translators.github.events import github

__all__ = ["github", "ignored", "marketplace"]
