"""The webhook handler: one request in, one response out; whatever was accepted is durable by then.

It does not use Flask: `webhooks.web.app` gives it the request's parts. The order is fixed: endpoint, method, raw bytes,
signature, handshake, guard, split, journal, answer. Until the journal has committed, nothing was accepted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

import msgspec

from translators.kit import Delivery, Event, Malformed, Refused, Response, Source
from webhooks.errors import JournalError, JournalUnavailable, Rejected
from webhooks.http.encodings import decode
from webhooks.journal import AppendResult, Journal
from webhooks.logs import events as watched
from webhooks.monitoring.metrics import Meter
from webhooks.monitoring.tracing import Tracer
from webhooks.signatures import Allowance, Fault, Request, Signature, Verdict, presents, recognise, verify
from webhooks.sources.endpoints import Endpoint
from webhooks.web.refusals import Refusals

log: Final = logging.getLogger("webhooks.web.handler")
RETRY_AFTER: Final = "5"
LOOKS: Final = frozenset({"GET", "HEAD"})
"""Methods that show what an endpoint is, if they carry nothing of a delivery."""
_LONGEST_REASON: Final = 300
_LONGEST_NAME: Final = 40
_encode: Final = msgspec.json.Encoder().encode


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as the web server read it. Header names are lower case; `body` is exactly what was sent."""

    method: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    token: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What the sender hears."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class WebhookHandler:
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
        self.refusals = Refusals(self.meter, {name: endpoint.source.name for name, endpoint in endpoints.items()})
        self._allowance = Allowance()

    def look(self, name: str) -> HttpResponse:
        """Answer a GET or HEAD that carries nothing: what this endpoint is and whether it is open."""
        endpoint = self._endpoint(name)
        return json_response(
            200,
            {
                "endpoint": endpoint.name,
                "source": endpoint.source.title,
                "status": "open",
                "hint": f"Send {endpoint.source.title} webhooks here with POST.",
            },
        )

    def is_look(self, name: str, incoming: HttpRequest) -> bool:
        """Whether a request without a body only looks at the endpoint: GET or HEAD, no query, no signature."""
        if incoming.method not in LOOKS or incoming.query_string:
            return False
        endpoint = self.endpoints.get(name)
        source = self.sources.get(name) if endpoint is None else endpoint.source
        request = Request(body=b"", headers=incoming.headers)
        return source is None or not any(presents(scheme, request) for scheme in source.schemes.values())

    def take(self, name: str, incoming: HttpRequest) -> HttpResponse:
        """Verify, journal and answer one webhook."""
        endpoint = self._endpoint(name)
        now = self.clock()
        source = endpoint.source
        if incoming.method not in source.methods:
            raise self._recognised(endpoint, incoming, not_allowed(incoming.method, source))
        try:
            body = decode(incoming.body, incoming.headers.get("content-encoding", ""), self.max_body)
        except Rejected as error:
            raise self._recognised(endpoint, incoming, error) from None
        if source.has_unsigned_handshake:
            answer = self._handshake(endpoint, self._delivery(endpoint, incoming, body, now), signed=False)
            if answer is not None:
                if answer.note:
                    log.warning("handshake", extra={"endpoint": name, "note": answer.note})
                return self._answer_handshake(name, answer)
        try:
            verdict = self._verify(endpoint, incoming, body, now)
            delivery = self._delivery(endpoint, incoming, body, now)
            answer = self._handshake(endpoint, delivery, signed=True)
            if answer is not None:
                return self._answer_handshake(name, answer)
            if incoming.method not in source.delivery_methods or (incoming.method != "POST" and not body):
                raise not_allowed(incoming.method, source, signature=Signature.RIGHT)
            events = source.receive(delivery, trust=verdict.strength)
            with self.tracer.journal(events) as (span, carrying):
                stored = self.journal.append(carrying, now=now)
                span.tell({"segue.events.new": stored.new, "segue.events.duplicate": stored.duplicate})
            if watched.isEnabledFor(logging.INFO):
                _show(events, stored)
        except Malformed as error:
            return self._turned_away(
                endpoint, incoming,
                Rejected(
                    400, "malformed", _malformed(source, str(error)),
                    hint="Compare the delivery in the provider's console with its documentation.",
                    signature=Signature.RIGHT,
                ),
            )  # fmt: skip
        except Refused as error:
            return self._turned_away(
                endpoint, incoming,
                Rejected(
                    403, "refused", str(error), hint="Check this endpoint's options with `segue check`.",
                    signature=Signature.RIGHT,
                ),
            )  # fmt: skip
        except JournalUnavailable as error:
            return self._turned_away(
                endpoint, incoming,
                Rejected(
                    503, "journal_unavailable", "Nothing was stored: the journal is not available.",
                    hint="Send it again. `segue check` and the log give the operator the reason.",
                    headers={"Retry-After": RETRY_AFTER}, detail=error.message, signature=Signature.RIGHT,
                ),
            )  # fmt: skip
        except JournalError as error:
            return self._turned_away(
                endpoint, incoming,
                Rejected(
                    400, "cannot_be_stored", "Nothing was stored: the journal cannot hold this event.",
                    hint="See the log and report it.", detail=error.message, signature=Signature.RIGHT,
                ),
            )  # fmt: skip
        return self._accepted(endpoint, events, stored, now)

    def unread(self, name: str, incoming: HttpRequest, error: Rejected) -> Rejected:
        """Return the refusal of a request whose body was not read to its end, with what is known of its signature."""
        endpoint = self.endpoints.get(name)
        return error if endpoint is None else self._recognised(endpoint, incoming, error, has_body=False)

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
                    detail=self._nearest(name),
                )
            raise _closed(name, known.title)
        return endpoint

    def _nearest(self, name: str) -> str:
        """The name that was probably meant, for the log: what was asked for may be anything, a token even."""
        near = get_close_matches(name, [*self.endpoints, *self.sources], n=1) if len(name) <= _LONGEST_NAME else []
        return f"the nearest name is {near[0]}" if near else ""

    def _request(self, endpoint: Endpoint, incoming: HttpRequest) -> Request:
        return Request(
            method=incoming.method,
            headers=incoming.headers,
            body=incoming.body,
            query=incoming.query,
            query_string=incoming.query_string,
            path_token=incoming.token,
            public_url=endpoint.public_url,
            path=incoming.path,
            url_setting=f"SEGUE_{endpoint.name.upper()}_PUBLIC_URL",
        )

    def _verify(self, endpoint: Endpoint, incoming: HttpRequest, body: bytes, now: datetime) -> Verdict:
        check = partial(
            verify,
            endpoint.scheme,
            secrets=endpoint.secrets,
            now=now,
            tolerance=endpoint.tolerance,
            remember=partial(self._remember, endpoint.name, now),
            fetch=self.fetch,
            allowance=self._allowance,
        )
        request = self._request(endpoint, incoming)
        verdict = check(request)
        if not verdict.ok and body is not incoming.body:
            inflated = check(replace(request, body=body))
            verdict = inflated if inflated.ok else verdict
        if verdict.ok:
            return verdict
        if verdict.fault is Fault.NOT_CONFIGURED:
            raise _closed(endpoint.name, endpoint.source.title, verdict)
        signature = Signature.RIGHT if verdict.proven else Signature.WRONG
        raise Rejected(
            401, verdict.fault.value, verdict.reason, hint=verdict.hint,
            signature=Signature.MISSING if verdict.fault is Fault.MISSING else signature,
        )  # fmt: skip

    def _remember(self, endpoint: str, now: datetime, token: str, value: str, until: datetime) -> str:
        return self.journal.remember(endpoint, token, value, now=now, until=until)

    def _recognised(
        self, endpoint: Endpoint, incoming: HttpRequest, error: Rejected, *, has_body: bool = True
    ) -> Rejected:
        """The refusal, with what is known of the request's signature."""
        request = self._request(endpoint, incoming)
        error.signature = recognise(endpoint.scheme, request, endpoint.secrets, now=self.clock(), has_body=has_body)
        if error.signature is Signature.WRONG and "content-encoding" in incoming.headers:
            error.signature = Signature.NOT_CHECKED  # it may be over the body before it was encoded
        return error

    def _handshake(self, endpoint: Endpoint, delivery: Delivery, *, signed: bool) -> Response | None:
        """The answer to a handshake. One that fails is none: what comes after it decides about the request."""
        try:
            return endpoint.source.greet(delivery, signed=signed)
        except Exception:
            log.exception("a handshake failed", extra={"endpoint": endpoint.name})
            return None

    def _delivery(self, endpoint: Endpoint, incoming: HttpRequest, body: bytes, now: datetime) -> Delivery:
        return Delivery(
            source=endpoint.name,
            body=body,
            received_at=now,
            headers=incoming.headers,
            query=incoming.query,
            options=endpoint.options,
            method=incoming.method,
        )

    def _answer_handshake(self, name: str, answer: Response) -> HttpResponse:
        self.meter.handshakes.labels(name).inc()
        return reply(answer)

    def _accepted(
        self, endpoint: Endpoint, events: Sequence[Event], stored: AppendResult, now: datetime
    ) -> HttpResponse:
        meter = self.meter.door(endpoint.name)
        meter.last.set(now.timestamp())
        meter.journalled.inc(stored.new)
        if stored.duplicate:
            meter.duplicate.inc(stored.duplicate)
        log.debug("accepted", extra={"endpoint": endpoint.name, "new": stored.new, "duplicate": stored.duplicate})
        unreadable = [event for event in events if event.problem]
        reason = _malformed(endpoint.source, unreadable[0].problem) if unreadable else ""
        if unreadable and stored.new:
            self.meter.unreadable.labels(endpoint.name).inc(min(len(unreadable), stored.new))
            log.warning(
                "kept unread",
                extra={
                    "source": endpoint.source.name,
                    "endpoint": endpoint.name,
                    "events": len(unreadable),
                    "of": len(events),
                    "reason": reason,
                },
            )
        if endpoint.source.ack is not None:
            return reply(endpoint.source.ack)
        counts = {"new": stored.new, "duplicate": stored.duplicate}
        if unreadable and len(unreadable) == len(events):
            hint = "It is stored as dead. `segue dead` shows it; `segue replay` delivers it once the source reads it."
            return json_response(200, {"status": "kept", "reason": reason, "hint": hint, **counts})
        status = "duplicate" if stored.duplicate and not stored.new else "accepted"
        return json_response(200, {"status": status, **counts})

    def _turned_away(self, endpoint: Endpoint, incoming: HttpRequest, rejected: Rejected) -> HttpResponse:
        """Raise the rejection, or answer in the provider's own words where it has some."""
        if endpoint.source.nack is None:
            raise rejected
        self.refusals.record(endpoint.name, rejected, method=incoming.method, now=self.clock())
        return reply(endpoint.source.nack)


def _show(events: Sequence[Event], stored: AppendResult) -> None:
    """A line for each event, for a person who watches; the journal says only how many of them were new."""
    message = "duplicate" if stored.duplicate and not stored.new else "received"
    for event in events:
        said = {"source": event.source, "type": event.type, "key": event.key, "detail": event.problem[:300]}
        watched.info(message, extra=said)


def reply(answer: Response) -> HttpResponse:
    """A source's own answer."""
    return HttpResponse(answer.status, answer.body, answer.content_type, answer.headers)


def json_response(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer of ours."""
    return HttpResponse(status, _encode(value), headers=headers or {})


def error_response(error: Rejected) -> HttpResponse:
    """`error`, `reason`, `hint`: never a secret, never a body."""
    return json_response(
        error.status, {"error": error.error, "reason": error.reason, "hint": error.hint}, headers=error.headers
    )


def not_allowed(method: str, source: Source, *, signature: str = "") -> Rejected:
    """Return the refusal of a delivery by a method that is not taken; a few handshakes come by another one."""
    others = ", ".join(sorted(source.delivery_methods - {"POST"}))
    also = f" {others} are taken too, with a body." if others else ""
    allowed = ", ".join(sorted({*LOOKS, *source.methods}))
    return Rejected(
        405,
        "method_not_allowed",
        f"{source.title} webhooks are not taken by {method}{' without a body' if method in others else ''}.",
        hint=f"Choose POST at the provider, in {source.title}'s settings of the webhook.{also} Nothing was stored.",
        headers={"Allow": allowed},
        signature=signature,
    )


def _malformed(source: Source, problem: str) -> str:
    """Why a body could not be read, in a line that may be sent to its sender."""
    if problem.startswith("Traceback"):
        return f"The signature is right, but the translator of {source.title} failed on the body."
    first = problem.partition("\n")[0][:_LONGEST_REASON]
    return f"The signature is right, but the body is not what {source.title} documents: {first}."


def _closed(name: str, title: str, verdict: Verdict | None = None) -> Rejected:
    key = f"{name.upper()}_WEBHOOK_SECRET"
    return Rejected(
        503,
        "not_configured",
        f"{title} webhooks are not accepted yet. " + (verdict.reason if verdict else "No secret is configured."),
        hint=f"The operator sets {key} (`segue check` says what is missing); deliveries sent again then are accepted.",
        headers={"Retry-After": "60"},
        signature=Signature.NOT_CHECKED,
    )
