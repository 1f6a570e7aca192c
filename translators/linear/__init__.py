"""Translate Linear's webhooks. https://linear.app/developers/webhooks

source.py        signature, keys, times, identity
issues.py        issues to tickets; their comments, reactions and service levels
customers.py     customers to group, their requests to track, members to identify
registration.py  registers the webhook through Linear's API
ignored.py       ignored event types, with the reason
"""

from translators.linear import customers, ignored, issues, registration
from translators.linear.source import linear

__all__ = ["customers", "ignored", "issues", "linear", "registration"]
