"""What a source makes of a request: deliveries from goldens or bodies, their outcomes and messages."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from translators.kit import Delivery, Event, Source
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal
from webhooks.signatures import sign
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, Golden, find_goldens, outcomes
from webhooks.translation.translate import Broken, Ignored, Outcome, Translated
from webhooks.web.handler import WebhookHandler

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
Change = Mapping[str, Any]
"""Members to replace in a body: the dotted path and the new value; None removes the member."""


def named(value: Any) -> str:
    """Return the id of a parameter: a source's name, a text as it is."""
    return value.name if isinstance(value, Source) else value if isinstance(value, str) else ""


def golden_body(source: Source, case: str) -> Any:
    """Return the parsed body of a golden's request."""
    return json.loads((GOLDEN / source.name / f"{case}.json").read_text())


def delivery_of(
    source: Source,
    body: Any,
    *,
    case: str = "",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    **options: Any,
) -> Delivery:
    """Return a delivery of this body; `case` is the golden whose headers are sent."""
    request = next((golden.request for golden in find_goldens(GOLDEN / source.name) if golden.name == case), {})
    sent = request.get("headers", {}) | dict(headers or {})
    return Delivery(
        source=source.name,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        received_at=RECEIVED,
        headers={name.lower(): value for name, value in sent.items()},
        query=query or {},
        options=source.defaults() | options,
    )


def events_and_outcomes(source: Source, body: Any, **request: Any) -> list[tuple[Event, Any]]:
    """Return the events of a delivery with their outcomes."""
    return outcomes(source, delivery_of(source, body, **request))


def event_of(source: Source, body: Any, **request: Any) -> Event:
    """Return the only event of a delivery."""
    (event,) = SourceRuntime(source).events(delivery_of(source, body, **request))
    return event


def outcome_of(source: Source, body: Any, **request: Any) -> Any:
    """Return the only outcome of a delivery."""
    ((_, outcome),) = events_and_outcomes(source, body, **request)
    return outcome


def message_of(source: Source, body: Any, **request: Any) -> dict[str, Any]:
    """Return the only message of a delivery."""
    (message,) = messages_of(source, body, **request)
    return message


def messages_of(source: Source, body: Any, **request: Any) -> list[dict[str, Any]]:
    """Return the messages of a delivery whose events are all translated."""
    messages = []
    for _, outcome in events_and_outcomes(source, body, **request):
        assert isinstance(outcome, Translated), outcome
        messages += outcome.messages
    return messages


def messages_if_any(source: Source, body: Any, **request: Any) -> list[dict[str, Any]]:
    """Return the messages of a delivery whose events are translated or ignored."""
    messages = []
    for _, outcome in events_and_outcomes(source, body, **request):
        assert isinstance(outcome, Translated | Ignored), outcome
        messages += outcome.messages if isinstance(outcome, Translated) else []
    return messages


def event_names(outcome: Any) -> list[str]:
    """Return the event of each message, or the message's type if it has none."""
    assert isinstance(outcome, Translated), outcome
    return [message.get("event", message["type"]) for message in outcome.messages]


def properties(outcome: Any) -> Any:
    """Return the properties of the first message."""
    return outcome.messages[0]["properties"]


def person_id(outcome: Any) -> str:
    """Return the user id of the first message, or its anonymous id."""
    message = outcome.messages[0]
    return str(message.get("userId") or message["anonymousId"])


def sent_messages(source: Source) -> list[dict[str, Any]]:
    """Return every message that the goldens of a source expect."""
    messages = []
    for path in sorted((GOLDEN / source.name).glob("*.messages.json")):
        for event in json.loads(path.read_text()).get("events", []):
            messages += event.get("messages", [])
    return messages


def changed_golden(source: Source, name: str, change: Change | None = None) -> Golden:
    """Return a golden's request with some members of its body replaced."""
    (original,) = (candidate for candidate in find_goldens(GOLDEN / source.name) if candidate.name == name)
    body = json.loads(original.body)
    for path, value in (change or {}).items():
        *steps, last = path.split(".")
        parent = body
        for step in steps:
            parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
        if value is None:
            del parent[last]
        else:
            parent[last] = value
    return replace(original, body=json.dumps(body).encode())


def golden_outcomes(source: Source, name: str, change: Change | None = None) -> list[Outcome]:
    """Return the outcomes of a golden's request, changed or as it is."""
    delivery = changed_golden(source, name, change).delivery(source)
    return [outcome for _, outcome in outcomes(source, delivery)]


def golden_messages(source: Source, name: str, change: Change | None = None) -> list[dict[str, Any]]:
    """Return the messages of a golden's request, of which no event is broken."""
    results = golden_outcomes(source, name, change)
    assert not any(isinstance(outcome, Broken) for outcome in results), results
    return [message for outcome in results if isinstance(outcome, Translated) for message in outcome.messages]


def send_signed(tmp_path: Path, source: Source, *requests: tuple[bytes, dict[str, str]]) -> tuple[list[int], int]:
    """Return the responses to signed requests and the number of events in the journal."""
    journal = SqliteJournal(tmp_path / "journal.db")
    scheme, secret = next(iter(source.schemes.values())), "a-long-random-secret"
    bound = Endpoint(name=source.name, source=source, scheme=scheme, secrets=(secret,), options=source.defaults())
    service = WebhookHandler(
        endpoints={source.name: bound}, sources={}, journal=journal, max_body=10**6, clock=lambda: RECEIVED
    )
    statuses = []
    for body, headers in requests:
        signed = sign(scheme, body=body, secret=secret, now=RECEIVED)
        names = {name.lower(): value for name, value in {**signed.headers, **headers}.items()}
        incoming = HttpRequest(method="POST", body=body, headers=names, query={}, path_token="")
        statuses.append(service.handle(source.name, incoming).status)
    count = len(journal.rows(limit=10))
    journal.close()
    return statuses, count
