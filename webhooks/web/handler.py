"""The webhook handler: one request in, one response out. An accepted event is durable before the response.

It does not use Flask: `webhooks.web.app` passes it the parts of the request. The order is fixed: endpoint, method,
raw bytes, signature, handshake, guard, split, journal, response. Nothing is accepted until the journal has committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from typing import Final, Protocol

from translators.kit import Event, Refused, Response, Source
from webhooks.errors import JournalError, JournalUnavailable, Rejected
from webhooks.http.encodings import decode
from webhooks.http.request import HttpRequest
from webhooks.journal import AppendResult
from webhooks.journal.protocol import EventQueue, OneTimeTokens
from webhooks.logs import events as event_log
from webhooks.monitoring.metrics import Meter
from webhooks.monitoring.tracing import Tracer
from webhooks.signatures import Allowance, Fault, RegisteredUrl, Signature, Verdict, Verifier, presents, recognise
from webhooks.sources.endpoints import Endpoint
from webhooks.web.refusals import Refusals
from webhooks.web.responses import (
    cannot_be_stored,
    error_response,
    internal_error,
    journal_unavailable,
    json_response,
    not_allowed,
    not_configured,
    refused_by_guard,
)

log: Final = logging.getLogger("webhooks.web.handler")
_MAX_REASON: Final = 300
_MAX_NAME: Final = 40


def utc_now() -> datetime:
    """Return the current time of the machine's clock."""
    return datetime.now(UTC)


class HandlerJournal(EventQueue, OneTimeTokens, Protocol):
    """What `WebhookHandler` uses of the journal."""


class WebhookHandler:
    """Handle the requests of every endpoint. `clock` returns aware UTC."""

    def __init__(
        self,
        *,
        endpoints: Mapping[str, Endpoint],
        sources: Mapping[str, Source],
        journal: HandlerJournal,
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
        self._verifiers = {name: _verifier(endpoint) for name, endpoint in endpoints.items()}

    def description(self, name: str, request: HttpRequest) -> Response | None:
        """Return what this endpoint is and whether it is open, for a request without a body; None if it is a delivery.

        It is one if it has a query or carries a signature.
        """
        endpoint = self.endpoints.get(name)
        source = self.sources.get(name) if endpoint is None else endpoint.source
        schemes = () if source is None else source.schemes.values()
        if request.query_string or any(presents(scheme, request) for scheme in schemes):
            return None
        try:
            endpoint = self._endpoint(name)
        except Rejected as error:
            return error_response(error)
        return json_response(
            200,
            {
                "endpoint": endpoint.name,
                "source": endpoint.source.title,
                "status": "open",
                "hint": f"Send {endpoint.source.title} webhooks here with POST.",
            },
        )

    def respond(self, name: str, method: str, read: Callable[[], HttpRequest]) -> Response:
        """Read and handle one webhook, and return the response, also of a refusal. Count, trace and log it.

        `read` returns the request, or raises `Rejected` if its body cannot be read.
        """
        began = time.perf_counter()
        label = name if name in self.endpoints or name in self.sources else "unknown"
        self.meter.endpoint(label).received.inc()
        with self.tracer.receive(label) as span:
            try:
                response = self.handle(name, read())
            except Rejected as error:
                self.refusals.record(label, error, method=method, now=self.clock())
                span.fail(error.error)
                response = error_response(error)
            except Exception:
                log.exception("unexpected")
                self.refusals.count(label, rejected := internal_error(), now=self.clock())
                span.fail("internal")
                response = error_response(rejected)
            span.set_attributes({"http.request.method": method, "http.response.status_code": response.status})
        self.meter.answered.observe(time.perf_counter() - began)
        return response

    def handle(self, name: str, request: HttpRequest) -> Response:
        """Verify and store one webhook, and return the response."""
        endpoint = self._endpoint(name)
        now = self.clock()
        source, runtime = endpoint.source, endpoint.runtime
        if request.method not in runtime.methods:
            raise self._with_signature(endpoint, request, not_allowed(request.method, runtime))
        try:
            body = decode(request.body, request.headers.get("content-encoding", ""), self.max_body)
        except Rejected as error:
            raise self._with_signature(endpoint, request, error) from None
        delivery = endpoint.delivery(request, received_at=now, body=body)
        if runtime.has_unsigned_handshake:
            response = runtime.handshake(delivery, signed=False)
            if response is not None:
                if response.note:
                    log.warning("handshake", extra={"endpoint": name, "note": response.note})
                return self._handshake_response(name, response)
        try:
            verdict = self._verify(endpoint, request, body, now)
            response = runtime.handshake(delivery, signed=True)
            if response is not None:
                return self._handshake_response(name, response)
            if request.method not in source.delivery_methods or (request.method != "POST" and not body):
                raise not_allowed(request.method, runtime, signature=Signature.RIGHT)
            events = runtime.receive(delivery, trust=verdict.strength)
            with self.tracer.journal(events) as (span, traced_events):
                stored = self.journal.append(traced_events, now=now)
                span.set_attributes({"segue.events.new": stored.new, "segue.events.duplicate": stored.duplicate})
            if event_log.isEnabledFor(logging.INFO):
                _log_events(events, stored)
        except Refused as error:
            return self._reject(endpoint, request, refused_by_guard(str(error)))
        except JournalUnavailable as error:
            return self._reject(endpoint, request, journal_unavailable(error.message))
        except JournalError as error:
            return self._reject(endpoint, request, cannot_be_stored(error.message))
        return self._accepted(endpoint, events, stored, now)

    def reject_unread(self, name: str, request: HttpRequest, error: Rejected) -> Rejected:
        """Return the rejection of a request whose body was not read to its end, with the state of its signature."""
        endpoint = self.endpoints.get(name)
        return error if endpoint is None else self._with_signature(endpoint, request, error, has_body=False)

    def _endpoint(self, name: str) -> Endpoint:
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            source = self.sources.get(name)
            if source is None:
                raise Rejected(
                    404,
                    "unknown_source",
                    "No source of this name is installed or configured.",
                    hint="`segue sources` lists the names; the URL is /webhooks/<source>.",
                    detail=self._suggestion(name),
                )
            raise not_configured(name, source.title)
        return endpoint

    def _suggestion(self, name: str) -> str:
        """Return the most similar name, for the log. The requested name itself may hold a token and is not logged."""
        similar = get_close_matches(name, [*self.endpoints, *self.sources], n=1) if len(name) <= _MAX_NAME else []
        return f"the most similar name is {similar[0]}" if similar else ""

    def _verify(self, endpoint: Endpoint, request: HttpRequest, body: bytes, now: datetime) -> Verdict:
        verify_request = partial(
            self._verifiers[endpoint.name].verify,
            now=now,
            remember=partial(self._remember, endpoint.name, now),
            fetch=self.fetch,
            allowance=self._allowance,
        )
        verdict = verify_request(request)
        if not verdict.ok and body is not request.body:
            decoded = verify_request(replace(request, body=body))
            verdict = decoded if decoded.ok else verdict
        if verdict.ok:
            return verdict
        if verdict.fault is Fault.NOT_CONFIGURED:
            raise not_configured(endpoint.name, endpoint.source.title, verdict)
        signature = Signature.RIGHT if verdict.proven else Signature.WRONG
        raise Rejected(
            401, verdict.fault.value, verdict.reason, hint=verdict.hint,
            signature=Signature.MISSING if verdict.fault is Fault.MISSING else signature,
        )  # fmt: skip

    def _remember(self, endpoint: str, now: datetime, token: str, value: str, until: datetime) -> str:
        return self.journal.remember(endpoint, token, value, now=now, until=until)

    def _with_signature(
        self, endpoint: Endpoint, request: HttpRequest, error: Rejected, *, has_body: bool = True
    ) -> Rejected:
        """Return the rejection with the state of the request's signature."""
        error.signature = recognise(
            endpoint.scheme, request, endpoint.secrets, now=self.clock(), registered=_registered_url(endpoint),
            has_body=has_body,
        )  # fmt: skip
        if error.signature is Signature.WRONG and "content-encoding" in request.headers:
            error.signature = Signature.NOT_CHECKED  # it may cover the body before it was encoded
        return error

    def _handshake_response(self, name: str, response: Response) -> Response:
        self.meter.handshakes.labels(name).inc()
        return response

    def _accepted(self, endpoint: Endpoint, events: Sequence[Event], stored: AppendResult, now: datetime) -> Response:
        meter = self.meter.endpoint(endpoint.name)
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
                "stored unread",
                extra={
                    "source": endpoint.source.name,
                    "endpoint": endpoint.name,
                    "events": len(unreadable),
                    "of": len(events),
                    "reason": reason,
                },
            )
        if endpoint.source.ack is not None:
            return endpoint.source.ack
        counts = {"new": stored.new, "duplicate": stored.duplicate}
        if unreadable and len(unreadable) == len(events):
            hint = (
                "It is stored as dead. `segue dead` shows it; `segue replay` delivers it once the source can read it."
            )
            return json_response(200, {"status": "kept", "reason": reason, "hint": hint, **counts})
        status = "duplicate" if stored.duplicate and not stored.new else "accepted"
        return json_response(200, {"status": status, **counts})

    def _reject(self, endpoint: Endpoint, request: HttpRequest, rejected: Rejected) -> Response:
        """Raise the rejection, or return the negative acknowledgement that the source defines."""
        if endpoint.source.nack is None:
            raise rejected
        self.refusals.record(endpoint.name, rejected, method=request.method, now=self.clock())
        return endpoint.source.nack


def _log_events(events: Sequence[Event], stored: AppendResult) -> None:
    """Log one line for each event. The journal reports only how many of them were new."""
    message = "duplicate" if stored.duplicate and not stored.new else "received"
    for event in events:
        fields = {"source": event.source, "type": event.type, "key": event.id, "detail": event.problem[:300]}
        event_log.info(message, extra=fields)


def _malformed(source: Source, problem: str) -> str:
    """Return why a body could not be read, in one line that is safe to send to its sender."""
    if problem.startswith("Traceback"):
        return f"The signature is right, but the translator of {source.title} failed on the body."
    first = problem.partition("\n")[0][:_MAX_REASON]
    return f"The signature is right, but the body is not what {source.title} documents: {first}."


def _verifier(endpoint: Endpoint) -> Verifier:
    return Verifier(
        endpoint.scheme, endpoint.secrets, registered=_registered_url(endpoint), tolerance=endpoint.tolerance
    )


def _registered_url(endpoint: Endpoint) -> RegisteredUrl:
    return RegisteredUrl(endpoint.public_url, f"SEGUE_{endpoint.name.upper()}_PUBLIC_URL")
