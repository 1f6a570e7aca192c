"""`segue send`: sign a payload as its provider would, and post it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO

import click

from webhooks.cli.moments import moment
from webhooks.cli.output import echo, fail, print_json


@click.command(short_help="Sign a payload as its provider would, and post it.")
@click.argument("source")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--to", "url", required=True, help="The service's address; /webhooks/<source> is added when it has no path."
)
@click.option("--secret", help="The signing secret. Default: the first of <SOURCE>_WEBHOOK_SECRET.")
@click.option("--at", default="now", help="Time of the signature: now, -10m, unix seconds or ISO 8601.")
@click.option("--tamper", is_flag=True, help="Change the body after signing, to see it refused.")
@click.option("--content-type", default="application/json", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def send(
    source: str,
    file: IO[bytes],
    url: str,
    secret: str | None,
    at: str,
    tamper: bool,
    content_type: str,
    as_json: bool,
) -> None:
    """Sign FILE (- is stdin) as SOURCE would, post it, and show the answer. Exit code 0 when it was taken.

    \b
    Examples:
      segue send stripe event.json --to http://127.0.0.1:8000
      segue send stripe event.json --to http://127.0.0.1:8000 --at -10m     # refused: clock
      segue send stripe event.json --to http://127.0.0.1:8000 --tamper      # refused: wrong_secret
    """  # noqa: D301
    from urllib.parse import urlsplit

    from webhooks.cli.configuration import forgiving
    from webhooks.cli.post import post
    from webhooks.settings import secrets_for
    from webhooks.signatures import Signed, sign

    config = forgiving()
    endpoint = config.endpoint(source)
    secrets = (secret,) if secret else endpoint.secrets or secrets_for(source)
    if not secrets:
        raise fail("There is no secret to sign with.", f"Give --secret, or set {source.upper()}_WEBHOOK_SECRET.")
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise fail(f"{url!r} is no http address.", "Give one such as --to http://127.0.0.1:8000")
    target = parts.geturl() if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/webhooks/{source}"
    signed = sign(
        endpoint.scheme, body=file.read(), secret=secrets[0], now=moment(at, datetime.now(UTC), option="--at"),
        url=endpoint.public_url or target, content_type=content_type,
    )  # fmt: skip
    if tamper:
        signed = Signed(tampered(signed.body), signed.headers, signed.query, signed.path_token)
    answer = post(target, signed, content_type=content_type)
    taken = 200 <= answer.status < 300
    if as_json:
        print_json({"status": answer.status, "answer": answer.told})
    else:
        echo(f"{answer.status} {answer.phrase}", fg="green" if taken else "red")
        for name, value in answer.told.items():
            echo(f"  {name}: {value}")
    raise SystemExit(0 if taken else 1)


def tampered(body: bytes) -> bytes:
    """The same JSON to a careless eye: its last digit changed, else a space added."""
    for place in range(len(body) - 1, -1, -1):
        if body[place : place + 1].isdigit():
            return body[:place] + (b"1" if body[place : place + 1] != b"1" else b"2") + body[place + 1 :]
    return body + b" "
