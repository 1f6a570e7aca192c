"""Linear -> Segment. https://linear.app/developers/webhooks

source.py        signature, ids, time, whom an event is about
issues.py        issues are tickets; comments, reactions and service levels of them
customers.py     customers become group, their requests track, members identify
registration.py  the webhook, made through Linear's API
ignored.py       what makes no message, and why
"""

from translators.linear import customers, ignored, issues, registration
from translators.linear.source import linear

__all__ = ["customers", "ignored", "issues", "linear", "registration"]
