"""Create one HTTP integration per trigger through Gorgias's API, since no template variable names the trigger.

https://developers.gorgias.com/reference/create-integration
"""

from __future__ import annotations

from typing import Final

from translators.gorgias.source import MESSAGE_CREATED, gorgias
from translators.kit import Need, Registered, Registering, basic, json_call

# The body of docs/sources/gorgias.md
_TICKET: Final = {
    "ticket": {
        "id": "{{ticket.id}}",
        "subject": "{{ticket.subject}}",
        "status": "{{ticket.status}}",
        "priority": "{{ticket.priority}}",
        "channel": "{{ticket.channel}}",
        "created_at": "{{ticket.created_datetime}}",
        "updated_at": "{{ticket.updated_datetime}}",
    },
    "customer": {
        "id": "{{ticket.customer.id}}",
        "external_id": "{{ticket.customer.external_id}}",
        "email": "{{ticket.customer.email}}",
        "name": "{{ticket.customer.name}}",
    },
    "assignee": {"id": "{{ticket.assignee_user_id}}", "name": "{{ticket.assignee_user.name}}"},
    "team": {"id": "{{ticket.assignee_team_id}}", "name": "{{ticket.assignee_team.name}}"},
}
_MESSAGE: Final = {
    "message": {
        "id": "{{message.id}}",
        "from_agent": "{{message.from_agent}}",
        "public": "{{message.public}}",
        "channel": "{{message.channel}}",
        "via": "{{message.via}}",
        "created_at": "{{message.created_datetime}}",
        "sender": {"id": "{{message.sender.id}}", "name": "{{message.sender.name}}"},
    },
}


@gorgias.registration(
    Need("domain", "GORGIAS_DOMAIN", "acme, if your helpdesk is acme.gorgias.com", secret=False),
    Need("email", "GORGIAS_EMAIL", "the e-mail address of the API key's user", secret=False),
    Need("api_key", "GORGIAS_API_KEY", "a REST API key (Settings > REST API)"),
    after="check the first delivery: Gorgias does not document all template variables.",
)
def register(at: Registering) -> Registered:
    """Create one HTTP integration per trigger."""
    url = f"https://{at.values['domain']}.gorgias.com/api/integrations"
    headers = basic(at.values["email"], at.values["api_key"])
    for type_ in at.types:
        http = {
            "url": at.url,
            "method": "POST",
            "headers": {"X-Segue-Token": at.secret},
            "form": {"type": type_, **_TICKET, **(_MESSAGE if type_ == MESSAGE_CREATED else {})},
            "request_content_type": "application/json",
            "response_content_type": "application/json",
            "triggers": {type_: True},
        }
        yield json_call("POST", url, headers, {"name": f"Segue: {type_}", "type": "http", "http": http})
    return at.secret
