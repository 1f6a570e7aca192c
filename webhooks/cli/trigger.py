"""`segue trigger`: send a sample event of a source to a running service, signed as its provider would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from webhooks.cli.complete import endpoint_names, sample_types
from webhooks.cli.output import echo, fail, print_columns, print_json

if TYPE_CHECKING:
    from webhooks.translation.samples import Sample


@click.command(short_help="Send a sample event of a source, signed, to a running service.")
@click.argument("source", shell_complete=endpoint_names)
@click.argument("type_", metavar="[TYPE]", required=False, shell_complete=sample_types)
@click.option("--to", "url", help="The service's address. Default: this machine and the configured port.")
@click.option("--secret", help="The signing secret. Default: the first of <SOURCE>_WEBHOOK_SECRET.")
@click.option("--same", is_flag=True, help="Keep the sample's id, so that the second request is a duplicate.")
@click.option("--json", "as_json", is_flag=True, help="Print the types, or the response, as JSON.")
def trigger(source: str, type_: str | None, url: str | None, secret: str | None, same: bool, as_json: bool) -> None:
    """Send SOURCE's sample of TYPE; without TYPE, list the types that have a sample.

    Each request is a new event: the sample's id is replaced everywhere. Its times are the sample's own, in the past.
    Exit code 0 if it was accepted.

    \b
    Examples:
      segue trigger stripe
      segue trigger stripe invoice.paid
      segue trigger shopify orders/paid --to https://segue.example.com
    """  # noqa: D301
    from webhooks.cli.configuration import runtime_or_default
    from webhooks.cli.post import address, signed_post
    from webhooks.cli.starting import bracketed, local
    from webhooks.translation.samples import shipped, with_new_ids

    runtime = runtime_or_default()
    endpoint = runtime.endpoint(source)
    samples = shipped(endpoint.source)
    if not samples:
        raise fail(
            f"{endpoint.source.title} has no samples.",
            f"`segue send {source} FILE` sends your own payload. For a plugin: `segue catalog --help`, --samples.",
        )
    if type_ is None:
        if as_json:
            print_json(sorted(samples))
        else:
            print_columns([[name] for name in sorted(samples)], heading=["type"])
        return
    sample = _find_sample(samples, type_, source)
    now = datetime.now(UTC)
    sample = sample if same else with_new_ids(sample, endpoint.source, now=now)
    web = runtime.settings.web
    target = address(url or f"http://{bracketed(local(web.host))}:{web.port}", source)
    response = signed_post(endpoint, sample.request(), target, secret=secret, now=now)
    if as_json:
        print_json({"status": response.status, "answer": response.content, "type": type_, "url": target})
    else:
        echo(f"{response.status} {response.phrase}", fg="green" if response.is_accepted else "red")
        for name, value in response.content.items():
            echo(f"  {name}: {value}")
        if response.is_accepted:
            echo("`segue events --limit 1` shows the result.", err=True)
    raise SystemExit(0 if response.is_accepted else 1)


def _find_sample(samples: Mapping[str, Sample], type_: str, source: str) -> Sample:
    if type_ in samples:
        return samples[type_]
    close = get_close_matches(type_, samples, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    raise fail(f"{source} has no sample of the type {type_!r}.", f"{hint}`segue trigger {source}` lists them.")
