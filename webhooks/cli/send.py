"""`segue send`: sign a payload as its provider would, and post it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO

import click

from webhooks.cli.complete import endpoint_names
from webhooks.cli.output import echo, print_json
from webhooks.cli.payload import header_option, read
from webhooks.cli.time_args import parse_time


@click.command(short_help="Sign a payload as its provider would, and post it.")
@click.argument("source", shell_complete=endpoint_names)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--to", "url", required=True, help="The service's address; /webhooks/<source> is added if it has no path."
)
@click.option("--secret", help="The signing secret. Default: the first of <SOURCE>_WEBHOOK_SECRET.")
@click.option("--at", default="now", help="Time of the signature: now, -10m, unix seconds or ISO 8601.")
@click.option("--tamper", is_flag=True, help="Change the body after signing, to test that it is refused.")
@header_option
@click.option("--content-type", help="Default: the header's, else application/json.")
@click.option("--json", "as_json", is_flag=True, help="Print the response as JSON.")
def send(
    source: str,
    file: IO[bytes],
    url: str,
    secret: str | None,
    at: str,
    tamper: bool,
    headers: tuple[str, ...],
    content_type: str | None,
    as_json: bool,
) -> None:
    """Sign FILE (- is stdin) as SOURCE would, post it, and show the response. Exit code 0 if it was accepted.

    NAME.request.json beside NAME.json sets headers and query, as in the goldens. `segue trigger` sends the samples
    that each source includes.

    \b
    Examples:
      segue send stripe event.json --to http://127.0.0.1:8000
      segue send shopify order.json --header X-Shopify-Topic:orders/paid --to http://127.0.0.1:8000
      segue send stripe event.json --to http://127.0.0.1:8000 --at -10m     # refused: clock
      segue send stripe event.json --to http://127.0.0.1:8000 --tamper      # refused: wrong_secret
    """  # noqa: D301
    from dataclasses import replace

    from webhooks.cli.configuration import runtime_or_default
    from webhooks.cli.post import address, signed_post

    endpoint = runtime_or_default().endpoint(source)
    request = read(file, headers)
    if content_type:
        request = replace(request, headers={**request.headers, "content-type": content_type})
    now = parse_time(at, datetime.now(UTC), option="--at")
    response = signed_post(endpoint, request, address(url, source), secret=secret, now=now, tamper=tamper)
    if as_json:
        print_json({"status": response.status, "answer": response.content})
    else:
        echo(f"{response.status} {response.phrase}", fg="green" if response.is_accepted else "red")
        for name, value in response.content.items():
            echo(f"  {name}: {value}")
    raise SystemExit(0 if response.is_accepted else 1)
