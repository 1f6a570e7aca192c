"""The Flask app of `webhooks.runtime`: health, readiness and metrics. `webhooks.web.handler` handles the webhooks."""

from __future__ import annotations

import gzip
import hmac
import logging
from collections.abc import Collection, Mapping
from typing import Any, Final

from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from translators.kit import Response
from webhooks.errors import JournalDamaged, JournalUnavailable, Rejected
from webhooks.monitoring.metrics import Exposition
from webhooks.sources.plugins import Plugin
from webhooks.web.handler import WebhookHandler
from webhooks.web.installation_proof import InstallationProof
from webhooks.web.readiness import Readiness
from webhooks.web.responses import ALWAYS, error_response, internal_error, json_response
from webhooks.web.wsgi import WebhookApp

log: Final = logging.getLogger("webhooks.web.app")
FlaskApp = Flask
"""The type of the app, for modules that do not import Flask."""


def create_app(
    handler: WebhookHandler,
    exposition: Exposition,
    readiness: Readiness,
    installation: InstallationProof,
    *,
    tokens: Collection[str] = (),
    broken: Collection[Plugin] = (),
) -> FlaskApp:
    """Return the Flask app, with the webhooks before it. `/metrics` requires one of the tokens."""
    for plugin in broken:
        log.error("plugin not loaded", extra={"plugin": plugin.name, "traceback": plugin.error})
    app = Flask("webhooks", static_folder=None)
    app.url_map.strict_slashes = False
    app.extensions["segue"] = handler
    app.wsgi_app = WebhookApp(handler, app.wsgi_app)  # type: ignore[method-assign]
    _health(app, readiness, installation, tokens)
    _metrics(app, exposition, tokens)
    _errors(app)
    return app


def _health(app: Flask, readiness: Readiness, installation: InstallationProof, tokens: Collection[str]) -> None:
    @app.get("/healthz")
    def healthz() -> FlaskResponse:
        nonce = request.args.get("nonce", "")
        proof = {"proof": installation.proof(nonce)} if nonce else {}
        return _response(json_response(200, {"status": "alive", **proof}))

    @app.get("/readyz")
    def readyz() -> FlaskResponse:
        fault = readiness.fault()
        if fault is None:
            return _response(json_response(200, {"status": "ready"}))
        reason, hint = (
            "The journal cannot store events now.",
            "The operator finds the reason in the log and with `segue check`.",
        )
        if isinstance(fault, JournalDamaged):
            reason = "The journal's file is damaged."
        if _is_bearer(tokens):  # the reason may hold a path, host or user
            reason, hint = fault.message, fault.hint
        return _response(error_response(Rejected(503, "not_ready", reason, hint=hint, headers={"Retry-After": "5"})))

    @app.get("/")
    def index() -> FlaskResponse:
        paths: Mapping[str, Any] = {"service": "segue", "webhooks": "/webhooks/<source>", "health": "/healthz"}
        return _response(json_response(200, paths))


def _metrics(app: Flask, exposition: Exposition, tokens: Collection[str]) -> None:
    @app.get("/metrics")
    def metrics() -> FlaskResponse:
        if not tokens:
            raise Rejected(
                404,
                "metrics_closed",
                "Metrics are not served.",
                hint="Set SEGUE_METRICS_TOKEN; see docs/monitoring.md.",
            )
        if not _is_bearer(tokens):
            raise Rejected(
                401, "unauthorized", "A valid bearer token is required.",
                hint="Send `Authorization: Bearer <SEGUE_METRICS_TOKEN>`.",
                headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
            )  # fmt: skip
        try:
            text, content_type = exposition.render(request.headers.get("Accept", ""))
        except JournalUnavailable as error:
            raise Rejected(503, "journal_unavailable", error.message, hint=error.hint) from None
        if request.accept_encodings["gzip"] > 0:
            return FlaskResponse(
                gzip.compress(text, 1), content_type=content_type, headers={"Content-Encoding": "gzip"}
            )
        return FlaskResponse(text, content_type=content_type)


def _is_bearer(tokens: Collection[str]) -> bool:
    """Return whether the request carries one of the tokens. Each is compared, in constant time."""
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    matches = [hmac.compare_digest(presented.strip().encode(), token.encode()) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)


def _errors(app: Flask) -> None:
    @app.after_request
    def always(response: FlaskResponse) -> FlaskResponse:
        response.headers.update(ALWAYS)
        return response

    @app.errorhandler(Rejected)
    def rejected(error: Rejected) -> FlaskResponse:
        return _response(error_response(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> FlaskResponse:
        return _response(error_response(_as_rejected(error)))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> FlaskResponse:
        log.error("unexpected", exc_info=error, extra={"path": request.path.split("/")[1:2]})
        return _response(error_response(internal_error()))


def _as_rejected(error: HTTPException) -> Rejected:
    if isinstance(error, NotFound):
        return Rejected(404, "not_found", "This path does not exist.", hint="Send webhooks to /webhooks/<source>.")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return Rejected(
            405,
            "method_not_allowed",
            f"{request.method} is not allowed at this path.",
            hint=f"Use one of: {allowed}.",
            headers={"Allow": allowed},
        )
    return Rejected(error.code or 500, "bad_request", error.description or "The request is not valid.")


def _response(response: Response) -> FlaskResponse:
    return FlaskResponse(
        response.body, status=response.status, content_type=response.content_type, headers=dict(response.headers)
    )
