"""Translate a folder of real payloads: one table row a file, exit code 1 if one is broken.

    python tools/samples.py DIR            # DIR/<source>/*, each file one request body
    python tools/samples.py DIR --source stripe --verbose

Each file is signed, sent through the service's own handler into a real journal, and translated. A file may have
`<name>.request.json` beside it with `headers` and `query`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from translators.kit import Malformed, Source
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal, State
from webhooks.signatures import CannotSign, sign
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint
from webhooks.translation import translate
from webhooks.web.handler import WebhookHandler
from webhooks.web.responses import error_response

SECRETS = {"utf8": "secret", "base64": "whsec_c2VjcmV0c2VjcmV0", "hex": "AB" * 32}
URL = "https://segue.example/webhooks/sample"


def handler_of(source: Source, journal: SqliteJournal) -> tuple[WebhookHandler, Endpoint]:
    """Return the service's own handler, with the first scheme that can be signed with a secret of ours."""
    scheme = next(iter(source.schemes.values()))
    secret = SECRETS.get(getattr(scheme, "key", "utf8"), "secret")
    options = source.defaults() | ({"livemode": "both"} if "livemode" in source.options else {})
    endpoint = Endpoint(
        name=source.name, source=source, scheme=scheme, secrets=(secret,), options=options, public_url=URL
    )
    return WebhookHandler(endpoints={source.name: endpoint}, sources={}, journal=journal, max_body=10**8), endpoint


def outcomes(source: Source, path: Path, folder: Path) -> list[tuple[str, str, str]]:
    """Return (event type, outcome, detail) of each event of one file."""
    journal = SqliteJournal(folder / f"{source.name}.db")
    handler, endpoint = handler_of(source, journal)
    body = path.read_bytes()
    beside = path.with_name(f"{path.stem}.request.json")
    request = json.loads(beside.read_text()) if beside.exists() else {}
    content_type = "application/json" if body.lstrip()[:1] in b"{[" else "application/x-www-form-urlencoded"
    try:
        signed = sign(
            endpoint.scheme,
            body=body,
            secret=endpoint.secrets[0],
            now=datetime.now(UTC),
            url=URL,
            content_type=content_type,
        )
    except CannotSign:
        delivery = endpoint.delivery(HttpRequest(body=body), received_at=datetime.now(UTC))
        try:
            journal.append(endpoint.runtime.events(delivery), now=datetime.now(UTC))
        except Malformed as error:
            return [("-", "refused", str(error))]
    else:
        headers = {"content-type": content_type, **request.get("headers", {}), **signed.headers}
        incoming = HttpRequest(
            method="POST", body=signed.body, headers={name.lower(): value for name, value in headers.items()},
            query={**request.get("query", {}), **signed.query}, path_token=signed.path_token,
        )  # fmt: skip
        try:
            response = handler.handle(source.name, incoming)
        except Rejected as error:
            response = error_response(error)
        if response.status != 200:
            return [("-", "refused", response.body.decode())]
    rows = []
    for row in journal.rows(limit=10_000):
        outcome = translate.translate(row.event, endpoint, namespace="samples")
        if isinstance(outcome, translate.Translated):
            names = [message.get("event") or message["type"] for message in outcome.messages]
            rows.append((row.event.type, "translated", ", ".join(names)))
        else:
            kind = "dead" if row.state is State.DEAD else type(outcome).__name__.lower()
            rows.append((row.event.type, kind, outcome.reason.strip().splitlines()[-1]))
    journal.close()
    return rows or [("-", "answered", "no event: a handshake or an empty batch")]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="", help="only this one")
    parser.add_argument("--verbose", action="store_true", help="every file, not only those that fail")
    arguments = parser.parse_args()
    sources = plugins.load().sources
    totals: Counter[str] = Counter()
    failed = 0
    for folder in sorted(path for path in arguments.folder.iterdir() if path.is_dir()):
        source = sources.get(folder.name)
        if source is None or arguments.source not in {"", folder.name}:
            continue
        for path in sorted(folder.iterdir()):
            if path.name.endswith(".request.json"):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                for type_, outcome, detail in outcomes(source, path, Path(scratch)):
                    totals[outcome] += 1
                    bad = outcome in {"broken", "dead", "refused", "unsupported"}
                    failed += bad and outcome != "unsupported"
                    if bad or arguments.verbose:
                        print(f"{outcome:11} {folder.name}/{path.name:55} {type_:40} {detail[:150]}")
    print(", ".join(f"{name} {count}" for name, count in sorted(totals.items())) or "no sample of an installed source")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
