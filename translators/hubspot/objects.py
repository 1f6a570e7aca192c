"""Map object type ids to kinds of records.

https://developers.hubspot.com/docs/guides/crm/understanding-the-crm#object-type-ids
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from translators.kit import Payload

OBJECTS: Final[Mapping[str, str]] = {
    "0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item",
    "0-14": "quote", "0-18": "communication", "0-19": "feedback_submission", "0-27": "task", "0-46": "note",
    "0-47": "meeting", "0-48": "call", "0-49": "email", "0-53": "invoice", "0-54": "marketing_event",
    "0-69": "subscription", "0-74": "goal_target", "0-84": "discount", "0-85": "fee", "0-86": "tax",
    "0-101": "commerce_payment", "0-115": "user", "0-116": "postal_mail", "0-123": "order", "0-136": "lead",
    "0-142": "cart", "0-145": "partner_client", "0-156": "partner_service", "0-162": "service", "0-410": "course",
    "0-420": "listing", "0-421": "appointment",
}  # fmt: skip


def kind_of(type_id: str) -> str:
    """Return `contact` for `0-1`; return an unknown type id, such as a custom object's `2-1234`, unchanged."""
    return OBJECTS.get(type_id, type_id)


def other_end(body: Payload) -> str:
    """Return an association's target kind, by its type id or the older subscriptions' word (`CONTACT_TO_DEAL`)."""
    if type_id := body.text("toObjectTypeId", ""):
        return kind_of(type_id)
    word = body.text("associationType").lower().partition("_to_")[2]
    return next((kind for kind in ("contact", "company", "deal", "ticket") if word.startswith(kind)), word)
