"""Apps of Python that Segue is compared with; gunicorn imports them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from queue import Empty, LifoQueue
from typing import Any

ACCEPTED = b'{"status": "accepted"}'


def bare_flask() -> object:
    """Return a Flask app that reads the body and answers 200."""
    from flask import Flask, request

    app = Flask("bare")

    @app.post("/webhooks/stripe")
    def webhook() -> dict[str, str]:
        request.get_data()
        return {"status": "accepted"}

    return app


def bare_wsgi(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]) -> Iterable[bytes]:
    """Read the body and answer 200."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(ACCEPTED)))])
    return [ACCEPTED]


def insert() -> object:
    """Return a Flask app that stores the body in PostgreSQL, with one commit a request, before it answers 200."""
    import psycopg
    from flask import Flask, request

    app, idle = Flask("insert"), LifoQueue[Any]()
    url = os.environ["SEGUE_DATABASE"]

    @app.post("/webhooks/stripe")
    def webhook() -> dict[str, str]:
        body = request.get_data()
        try:
            db = idle.get_nowait()
        except Empty:
            db = psycopg.connect(url, autocommit=True)
        db.execute("INSERT INTO events VALUES (%s, %s) ON CONFLICT DO NOTHING", (json.loads(body)["id"], body))
        idle.put(db)
        return {"status": "accepted"}

    return app


def create_table(url: str) -> None:
    """Make the table of `insert`."""
    import psycopg

    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE events (key text PRIMARY KEY, body bytea NOT NULL)")
