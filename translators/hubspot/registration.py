"""Register the subscriptions through HubSpot's API, which serves legacy public apps.

Apps of the developer platform use docs/hubspot/webhooks-hsmeta.json instead.

https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
https://developers.hubspot.com/docs/apps/developer-platform/add-features/configure-webhooks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from translators.hubspot import people
from translators.hubspot.objects import OBJECTS
from translators.hubspot.properties import COMPANY, CONTACT, DEAL, TICKET
from translators.hubspot.source import hubspot
from translators.kit import Need, Refused, Registered, Registering, json_call

PROPERTIES: Final[Mapping[str, Sequence[str]]] = {
    "contact": [*CONTACT, "hs_email_optout", *people.RATINGS],
    "company": [*COMPANY],
    "deal": ["dealstage", *DEAL],
    "ticket": [*TICKET, "hs_pipeline_stage", "hs_ticket_priority", "hs_ticket_reopened_at", "hubspot_owner_id"],
    "conversation": ["assignedTo", "status"],
    "lead": ["hs_pipeline_stage"],
}
"""The subscribed properties, without the team (it changes with its agent) and a ticket's rating (a contact has it)."""
_GENERIC: Final = {"lead"}
_CONCURRENT_REQUESTS: Final = 10

hubspot.manual_steps(
    "An app of the developer platform: put docs/hubspot/webhooks-hsmeta.json into its src/app/webhooks/, with {url} as "
    "targetUrl and without the events that you do not want, and run `hs project upload`.",
    "A legacy private app: Settings > Integrations > Legacy apps > your app > Webhooks, target URL {url}, and one "
    "subscription for each line of that file.",
    "Give the app the scopes of its subscriptions: crm.objects.contacts.read, crm.objects.companies.read, "
    "crm.objects.deals.read, crm.objects.leads.read, tickets, conversations.read.",
    "Set SEGUE_HUBSPOT_PUBLIC_URL to {url}: HubSpot signs exactly this URL.",
)


@hubspot.registration(
    Need("app_id", "HUBSPOT_APP_ID", "the id of your legacy public app (its Auth tab)", secret=False),
    Need("developer_api_key", "HUBSPOT_DEVELOPER_API_KEY", "the developer account's key (Keys > Developer API key)"),
    Need(
        "properties", "HUBSPOT_PROPERTIES", "more properties, such as contact.user_id deal.arr", secret=False,
        default="",
    ),
    after="give the app the scopes of its subscriptions, and install it in the account",
)  # fmt: skip
def register(at: Registering) -> Registered:
    """Set the app's only target URL, then add the missing subscriptions. The API does not return the secret."""
    app = f"https://api.hubapi.com/webhooks/v3/{quote(at.values['app_id'], safe='')}"
    key = f"?hapikey={quote(at.values['developer_api_key'], safe='')}"
    settings_now = yield replace(json_call("GET", f"{app}/settings{key}", {}), absent=True)
    target = settings_now.text("targetUrl", "")
    if target not in {"", at.url}:
        raise Refused(f"the app sends its webhooks to {target}, and an app has one URL only: use another app")
    if not target:
        settings = {"targetUrl": at.url, "throttling": {"maxConcurrentRequests": _CONCURRENT_REQUESTS}}
        yield json_call("PUT", f"{app}/settings{key}", {}, settings)
    listed = yield json_call("GET", f"{app}/subscriptions{key}", {})
    existing = {
        (known.text("eventType"), known.opt.text("propertyName"), known.opt.text("objectTypeId")): known
        for known in listed.each("results")
    }
    for subscription in subscriptions(at.types, at.values["properties"].split()):
        known = existing.get(
            (subscription["eventType"], subscription.get("propertyName"), subscription.get("objectTypeId"))
        )
        if known is None:
            yield json_call("POST", f"{app}/subscriptions{key}", {}, subscription)
        elif not known.flag("active", True):
            yield json_call("PATCH", f"{app}/subscriptions/{known.id('id')}{key}", {}, {"active": True})
    return ""


def subscriptions(types: Sequence[str], more: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield one subscription per type, and one per property of a propertyChange type, in the API's format."""
    ids = {name: id_ for id_, name in OBJECTS.items()}
    for type_ in types:
        kind, _, action = type_.partition(".")
        subscription: dict[str, Any] = {"eventType": type_, "active": True}
        if kind in _GENERIC:
            subscription |= {"eventType": f"object.{action}", "objectTypeId": ids[kind]}
        if action != "propertyChange":
            yield subscription
            continue
        own = [name.partition(".")[2] for name in more if name.startswith(f"{kind}.")]
        for property_ in dict.fromkeys([*PROPERTIES[kind], *own]):
            yield subscription | {"propertyName": property_}
