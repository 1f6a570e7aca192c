"""A PostgreSQL for a benchmark: that of a URL, in a schema that is dropped afterwards, or the server of the tests."""

from __future__ import annotations

import importlib
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg

OWN = "own"
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB"}
HELP = "PostgreSQL too: its URL (a schema of its own is made and dropped), or none, for the server that tests bring"


@contextmanager
def postgres(url: str) -> Iterator[str]:
    """Give the URL of an empty schema, dropped at the end."""
    with ExitStack() as stack:
        if url == OWN:
            sys.path.append(str(Path(__file__).parents[1] / "tests"))
            server = importlib.import_module("support.postgres_server").Server(settings=SETTINGS)
            url = stack.enter_context(server).url()
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
