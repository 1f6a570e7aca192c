"""The door: one request in, one answer out, and whatever was accepted is durable by then.

It knows nothing of Flask: `webhooks.app` hands it the request's parts. The order is fixed: raw bytes, endpoint,
signature, handshake, guard, split, journal, answer. Until the journal has committed, nothing was accepted.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec

from translators.kit import Answer, Delivery, Event, Malformed, Refused, Source
from webhooks.endpoints import Endpoint
from webhooks.errors import JournalError, JournalUnavailable, Rejected
from webhooks.journal import Journal, Stored
from webhooks.logs import events as watched
from webhooks.metrics import Meter
from webhooks.signatures import Fault, Request, Verdict, verify
from webhooks.tracing import Tracer

log: Final = logging.getLogger("webhooks.receive")
RETRY_AFTER: Final = "5"
ALLOWED: Final = "GET, HEAD, POST"
_encode: Final = msgspec.json.Encoder().encode


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as the web server read it. Header names are lower case; `body` is exactly what was sent."""

    method: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender hears."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Door:
    """Serves every endpoint. `clock` gives aware UTC."""

    def __init__(
        self,
        *,
        endpoints: Mapping[str, Endpoint],
        sources: Mapping[str, Source],
        journal: Journal,
        max_body: int,
        clock: Callable[[], datetime] = utc_now,
        fetch: Callable[[str], bytes] | None = None,
        meter: Meter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.sources = sources
        self.journal = journal
        self.max_body = max_body
        self.clock = clock
        self.fetch = fetch
        self.meter = meter or Meter()
        self.tracer = tracer or Tracer()

    def look(self, name: str) -> Reply:
        """Answer a GET or HEAD: what this endpoint is and whether it is open."""
        endpoint = self._endpoint(name)
        return json_reply(
            200,
            {
                "endpoint": endpoint.name,
                "source": endpoint.source.title,
                "status": "open",
                "hint": f"Send {endpoint.source.title} webhooks here with POST.",
            },
        )

    def take(self, name: str, incoming: Incoming) -> Reply:
        """Verify, journal and answer one webhook."""
        endpoint = self._endpoint(name)
        now = self.clock()
        source = endpoint.source
        if incoming.method not in source.methods:
            raise not_allowed(incoming.method)
        body = inflate(incoming, self.max_body)
        if source.has_unsigned_handshake:
            hello = source.greet(self._delivery(endpoint, incoming, body, now), signed=False)
            if hello is not None:
                if hello.note:
                    log.warning("handshake", extra={"endpoint": name, "note": hello.note})
                return self._greeted(name, hello)
        verdict = self._verify(endpoint, incoming, body, now)
        delivery = self._delivery(endpoint, incoming, body, now)
        try:
            hello = source.greet(delivery, signed=True)
            if hello is not None:
                return self._greeted(name, hello)
            if incoming.method != "POST":
                raise not_allowed(incoming.method)
            events = source.receive(delivery, trust=verdict.strength)
            with self.tracer.journal(events) as (span, carrying):
                stored = self.journal.append(carrying, now=now)
                span.tell({"segue.events.new": stored.new, "segue.events.duplicate": stored.duplicate})
            if watched.isEnabledFor(logging.INFO):
                _show(events, stored)
        except Malformed as error:
            return self._turned_away(
                endpoint,
                Rejected(
                    400,
                    "malformed",
                    f"The signature is right, but the body is not what {source.title} documents: {error}.",
                    hint="Look at the delivery in the provider's console. If its shape is new, mend the translator.",
                ),
            )
        except Refused as error:
            return self._turned_away(
                endpoint, Rejected(403, "refused", str(error), hint="Check this endpoint's options with `segue check`.")
            )
        except JournalUnavailable as error:
            log.error("nothing stored", extra={"endpoint": name, "reason": error.message})
            return self._turned_away(
                endpoint,
                Rejected(
                    503,
                    "journal_unavailable",
                    "Nothing was stored: the journal is not available.",
                    hint="Send it again. The operator sees the reason in /readyz and the log.",
                    headers={"Retry-After": RETRY_AFTER},
                ),
            )
        except JournalError as error:
            return self._turned_away(
                endpoint,
                Rejected(
                    400, "cannot_be_stored", f"Nothing was stored: {error.message}.", hint="See the log and report it."
                ),
            )
        return self._accepted(endpoint, stored, now)

    def label(self, name: str) -> str:
        """An endpoint's name as a metric's label; a name that is neither configured nor installed is `unknown`."""
        return name if name in self.endpoints or name in self.sources else "unknown"

    def _endpoint(self, name: str) -> Endpoint:
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            known = self.sources.get(name)
            if known is None:
                raise Rejected(
                    404,
                    "unknown_source",
                    "No source of this name is installed or configured.",
                    hint="`segue sources` lists the names; the URL is /webhooks/<source>.",
                )
            raise _closed(name, known.title)
        return endpoint

    def _verify(self, endpoint: Endpoint, incoming: Incoming, body: bytes, now: datetime) -> Verdict:
        check = partial(
            verify,
            endpoint.scheme,
            secrets=endpoint.secrets,
            now=now,
            tolerance=endpoint.tolerance,
            remember=partial(self._remember, endpoint.name, now),
            fetch=self.fetch,
        )
        request = Request(
            method=incoming.method,
            headers=incoming.headers,
            body=incoming.body,
            query=incoming.query,
            query_string=incoming.query_string,
            path_token=incoming.token,
            public_url=endpoint.public_url,
        )
        verdict = check(request)
        if not verdict.ok and body is not incoming.body:
            inflated = check(replace(request, body=body))
            verdict = inflated if inflated.ok else verdict
        if verdict.ok:
            return verdict
        if verdict.fault is Fault.NOT_CONFIGURED:
            raise _closed(endpoint.name, endpoint.source.title, verdict)
        log.warning("rejected", extra={"endpoint": endpoint.name, "fault": verdict.fault, "reason": verdict.reason})
        raise Rejected(401, verdict.fault.value, verdict.reason, hint=verdict.hint)

    def _remember(self, endpoint: str, now: datetime, token: str, value: str, until: datetime) -> str:
        return self.journal.remember(endpoint, token, value, now=now, until=until)

    def _delivery(self, endpoint: Endpoint, incoming: Incoming, body: bytes, now: datetime) -> Delivery:
        return Delivery(
            source=endpoint.name,
            body=body,
            received_at=now,
            headers=incoming.headers,
            query=incoming.query,
            options=endpoint.options,
            method=incoming.method,
        )

    def _greeted(self, name: str, hello: Answer) -> Reply:
        self.meter.handshakes.labels(name).inc()
        return reply(hello)

    def _accepted(self, endpoint: Endpoint, stored: Stored, now: datetime) -> Reply:
        meter = self.meter.door(endpoint.name)
        meter.last.set(now.timestamp())
        meter.journalled.inc(stored.new)
        if stored.duplicate:
            meter.duplicate.inc(stored.duplicate)
        log.debug("accepted", extra={"endpoint": endpoint.name, "new": stored.new, "duplicate": stored.duplicate})
        if endpoint.source.ack is not None:
            return reply(endpoint.source.ack)
        status = "duplicate" if stored.duplicate and not stored.new else "accepted"
        return json_reply(200, {"status": status, "new": stored.new, "duplicate": stored.duplicate})

    def _turned_away(self, endpoint: Endpoint, rejected: Rejected) -> Reply:
        """Raise the rejection, or answer in the provider's own words where it has some."""
        if endpoint.source.nack is None:
            raise rejected
        log.warning("rejected", extra={"endpoint": endpoint.name, "fault": rejected.error, "reason": rejected.reason})
        self.meter.rejected.labels(endpoint.name, rejected.error).inc()
        return reply(endpoint.source.nack)


def _show(events: Sequence[Event], stored: Stored) -> None:
    """A line for each event, for a person who watches; the journal says only how many of them were new."""
    message = "duplicate" if stored.duplicate and not stored.new else "received"
    for event in events:
        said = {"source": event.source, "type": event.type, "key": event.key, "detail": event.problem[:300]}
        watched.info(message, extra=said)


def reply(answer: Answer) -> Reply:
    """A source's own answer."""
    return Reply(answer.status, answer.body, answer.content_type, answer.headers)


def json_reply(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of ours."""
    return Reply(status, _encode(value), headers=headers or {})


def rejection(error: Rejected) -> Reply:
    """`error`, `reason`, `hint`: never a secret, never a body."""
    return json_reply(
        error.status, {"error": error.error, "reason": error.reason, "hint": error.hint}, headers=error.headers
    )


def inflate(incoming: Incoming, limit: int) -> bytes:
    """The body as the sender meant it: `Content-Encoding: gzip` is undone, never beyond the limit."""
    encoding = incoming.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return incoming.body
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Rejected(
            415, "unsupported_encoding", "This Content-Encoding is not supported.", hint="Send identity or gzip."
        )
    machine = zlib.decompressobj(zlib.MAX_WBITS | (16 if "gzip" in encoding else 0))
    try:
        body = machine.decompress(incoming.body, limit + 1)
    except zlib.error:
        raise Rejected(
            400, "bad_encoding", f"The body says it is {encoding} and is not.", hint="Send the bytes unchanged."
        ) from None
    if len(body) > limit:
        raise too_large(limit)
    if not machine.eof:
        raise Rejected(400, "bad_encoding", f"The {encoding} body ends too early.", hint="Send the whole body.")
    return body


def not_allowed(method: str) -> Rejected:
    """Webhooks are POSTed; a few sources are greeted by another method."""
    return Rejected(
        405,
        "method_not_allowed",
        f"{method} is not allowed here.",
        hint=f"Use one of: {ALLOWED}.",
        headers={"Allow": ALLOWED},
    )


def too_large(limit: int) -> Rejected:
    """The body is over the limit."""
    return Rejected(
        413,
        "body_too_large",
        f"The body is larger than {limit} bytes.",
        hint="Send smaller batches, or raise SEGUE_MAX_BODY.",
    )


def _closed(name: str, title: str, verdict: Verdict | None = None) -> Rejected:
    key = f"{name.upper()}_WEBHOOK_SECRET"
    return Rejected(
        503,
        "not_configured",
        f"{title} webhooks are not accepted yet. " + (verdict.reason if verdict else "No secret is configured."),
        hint=f"The operator sets {key} (`segue check` says what is missing); deliveries sent again then are accepted.",
        headers={"Retry-After": "60"},
    )
