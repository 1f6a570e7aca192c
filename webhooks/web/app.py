"""The Flask app: wiring only. What a webhook goes through is in `webhooks.web.handler`.

gunicorn "webhooks.web.app:create_app()" --config python:webhooks.web.gunicorn_conf
"""

from __future__ import annotations

import gzip
import hmac
import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from webhooks.errors import JournalDamaged, JournalUnavailable, Rejected
from webhooks.http.certificates import Certificates
from webhooks.journal import Journal, open_journal
from webhooks.monitoring.alerts import AlertWatcher, installation_name
from webhooks.monitoring.metrics import Exposition, Meter, SilenceTracker, SnapshotTaker, Totals
from webhooks.monitoring.tracing import open_tracer
from webhooks.settings import Settings, load
from webhooks.sources import plugins
from webhooks.sources.endpoints import bind
from webhooks.web.handler import HttpResponse, WebhookHandler, error_response, json_response, utc_now
from webhooks.web.installation_proof import InstallationProof
from webhooks.web.readiness import Readiness
from webhooks.web.wsgi import ALWAYS, WebhookApp, internal_error

log: Final = logging.getLogger("webhooks.web.app")


def create_app(
    settings: Settings | None = None,
    *,
    registry: plugins.Registry | None = None,
    journal: Journal | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """The service's web side, from the environment where no settings are given."""
    registry = registry or plugins.load()
    settings = settings or load(sources=registry.sources, broken=[plugin.name for plugin in registry.broken])
    endpoints = bind(settings, registry.sources)
    journal = journal or open_journal(
        settings.database, settings.encryption_key, wait_for_server=True, namespace=settings.own_namespace
    )
    meter = Meter()
    totals = Totals(meter, journal)
    door = WebhookHandler(
        endpoints=endpoints,
        sources={**registry.sources, **settings.sources},
        journal=journal,
        max_body=settings.web.max_body,
        clock=clock,
        fetch=Certificates(),
        meter=meter,
        tracer=open_tracer(settings),
    )
    for plugin in registry.broken:
        log.error("plugin broken", extra={"plugin": plugin.name, "traceback": plugin.error})
    app = Flask("webhooks", static_folder=None)
    app.url_map.strict_slashes = False
    app.extensions["segue"] = door
    app.extensions["segue.totals"] = totals
    app.wsgi_app = WebhookApp(door, app.wsgi_app)  # type: ignore[method-assign]
    _health(app, Readiness(journal), InstallationProof(journal), settings.metrics.tokens)
    survey = SnapshotTaker(journal, settings.database, clock=clock)
    pulse = SilenceTracker(journal, floor=settings.alerts.silence.total_seconds(), clock=clock)
    exposition = Exposition(totals, survey, pulse, journal, sources=sorted(endpoints), clock=clock)
    _metrics(app, exposition, settings.metrics.tokens)
    app.extensions["segue.watch"] = AlertWatcher(
        journal, survey, pulse, settings.alerts, sources=endpoints, name=f"web-{uuid.uuid4().hex}",
        where=installation_name(settings.web.public_url), clock=clock,
    )  # fmt: skip
    _errors(app)
    return app


def _health(app: Flask, readiness: Readiness, prover: InstallationProof, tokens: Collection[str]) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        nonce = request.args.get("nonce", "")
        told = {"proof": prover.answer(nonce)} if nonce else {}
        return _response(json_response(200, {"status": "alive", **told}))

    @app.get("/readyz")
    def readyz() -> Response:
        fault = readiness.fault()
        if fault is None:
            return _response(json_response(200, {"status": "ready"}))
        reason, hint = "The journal cannot store events now.", "The log and `segue check` give the operator the reason."
        if isinstance(fault, JournalDamaged):
            reason = "The journal's file is damaged."
        if _is_bearer(tokens):  # the reason may hold a path, host or user
            reason, hint = fault.message, fault.hint
        return _response(error_response(Rejected(503, "not_ready", reason, hint=hint, headers={"Retry-After": "5"})))

    @app.get("/")
    def index() -> Response:
        doors: Mapping[str, Any] = {"service": "segue", "webhooks": "/webhooks/<source>", "health": "/healthz"}
        return _response(json_response(200, doors))


def _metrics(app: Flask, exposition: Exposition, tokens: Collection[str]) -> None:
    @app.get("/metrics")
    def metrics() -> Response:
        if not tokens:
            raise Rejected(
                404,
                "metrics_closed",
                "Metrics are not served.",
                hint="Set SEGUE_METRICS_TOKEN; see docs/monitoring.md.",
            )
        if not _is_bearer(tokens):
            raise Rejected(
                401, "unauthorized", "Metrics are for who has the token.",
                hint="Send it as `Authorization: Bearer <SEGUE_METRICS_TOKEN>`.",
                headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
            )  # fmt: skip
        try:
            text, content_type = exposition.render(request.headers.get("Accept", ""))
        except JournalUnavailable as error:
            raise Rejected(503, "journal_unavailable", error.message, hint=error.hint) from None
        if request.accept_encodings["gzip"] > 0:
            return Response(gzip.compress(text, 1), content_type=content_type, headers={"Content-Encoding": "gzip"})
        return Response(text, content_type=content_type)


def _is_bearer(tokens: Collection[str]) -> bool:
    """Whether the request brings one of the tokens; each is compared, in a time that does not depend on it."""
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    matches = [hmac.compare_digest(presented.strip().encode(), token.encode()) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)


def _errors(app: Flask) -> None:
    @app.after_request
    def always(response: Response) -> Response:
        response.headers.update(ALWAYS)
        return response

    @app.errorhandler(Rejected)
    def rejected(error: Rejected) -> Response:
        return _response(error_response(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _response(error_response(_as_rejected(error)))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("unexpected", exc_info=error, extra={"path": request.path.split("/")[1:2]})
        return _response(error_response(internal_error()))


def _as_rejected(error: HTTPException) -> Rejected:
    if isinstance(error, NotFound):
        return Rejected(404, "not_found", "There is nothing at this path.", hint="Webhooks go to /webhooks/<source>.")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return Rejected(
            405,
            "method_not_allowed",
            f"{request.method} is not allowed here.",
            hint=f"Use one of: {allowed}.",
            headers={"Allow": allowed},
        )
    return Rejected(error.code or 500, "bad_request", error.description or "The request is wrong.")


def _response(reply: HttpResponse) -> Response:
    return Response(reply.body, status=reply.status, content_type=reply.content_type, headers=dict(reply.headers))
