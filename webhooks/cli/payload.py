"""Read a request to send or translate, from a file, the .request.json beside it, and options."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import click

from webhooks.cli.output import fail
from webhooks.http.request import HttpRequest

header_option = click.option(
    "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A request header, such as X-Shopify-Topic:..."
)
"""`--header`, for every command that takes a payload."""


def read(file: IO[bytes], headers: Iterable[str]) -> HttpRequest:
    """Return FILE's request: its bytes, `<name>.request.json` beside it if there is one, and --header over that."""
    request = _request_file(file)
    try:
        known = {name.lower(): str(value) for name, value in request.get("headers", {}).items()}
        query = {str(name): str(value) for name, value in request.get("query", {}).items()}
    except AttributeError:
        raise fail(
            f"{file.name}'s .request.json is not an object with headers and query.",
            'Write {"headers": {...}, "query": {...}}.',
        ) from None
    options = {name.lower(): value for name, value in pairs(headers, ":", "--header")}
    return HttpRequest(body=file.read(), headers=known | options, query=query)


def pairs(texts: Iterable[str], mark: str, option: str) -> Iterable[tuple[str, str]]:
    """Yield NAME and VALUE of each; raise a failure for one without the mark."""
    for text in texts:
        name, separator, value = text.partition(mark)
        if not separator or not name.strip():
            raise fail(f"{option} {text!r} is not a pair.", f"Write it as NAME{mark}VALUE.")
        yield name.strip(), value.strip()


def _request_file(file: IO[bytes]) -> Mapping[str, Any]:
    name = str(getattr(file, "name", ""))
    if not Path(name).is_file():  # standard input
        return {}
    request = Path(name).with_name(f"{Path(name).stem}.request.json")
    if not request.is_file():
        return {}
    try:
        value = json.loads(request.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise fail(f"{request} is not JSON: {error}.", "Correct it, or remove it.") from None
    return value if isinstance(value, dict) else {}
