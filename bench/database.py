"""A PostgreSQL for a benchmark: that of a URL, in a schema that is dropped afterwards, or the server of the tests."""

from __future__ import annotations

import importlib
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg

OWN = "own"
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB", "max_connections": "300"}
HELP = "URL of a PostgreSQL to measure on, in schemas that are dropped again (default: a server of its own)"


@contextmanager
def server(url: str) -> Iterator[tuple[str, int]]:
    """Give the URL of a server, and the process id of one that was started for it, else 0."""
    if url != OWN:
        yield url, 0
        return
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    with importlib.import_module("support.postgres_server").Server(settings=SETTINGS) as started:
        yield started.url(), started.pid


@contextmanager
def schema(url: str) -> Iterator[str]:
    """Give the URL of an empty schema, dropped at the end."""
    name = f"segue_bench_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {name}".encode())
    parts = urlsplit(url)
    query = urlencode(dict(parse_qsl(parts.query)) | {"options": f"-csearch_path={name}"})
    try:
        yield urlunsplit(parts._replace(query=query))
    finally:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(f"DROP SCHEMA {name} CASCADE".encode())
