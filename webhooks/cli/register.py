"""`segue register`: the provider's own API is asked to send its webhooks here."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from webhooks.cli.output import fail

if TYPE_CHECKING:
    from translators.kit import Call, Payload, Source
    from translators.kit.registration import Need

_TIMEOUT: Final = 30.0
_MOST_ANSWER: Final = 4 * 1024 * 1024


@click.command(short_help="Ask a provider's API to send its webhooks here.")
@click.argument("name", metavar="SOURCE")
@click.option("--url", required=True, help="This endpoint's public address, https://<host>/webhooks/<source>.")
@click.option("--give", "given", multiple=True, metavar="NAME=VALUE", help="What the provider's API needs; see below.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value=".env",
    help="Write the secret into this file (.env) instead of printing it.",
)
@click.option("--dry-run", is_flag=True, help="Show the first request, with its secrets masked. Sends nothing.")
@click.option("--api-base", default="", hidden=True, help="Send to this address instead, for a stand-in.")
def register(name: str, url: str, given: tuple[str, ...], save: Path | None, dry_run: bool, api_base: str) -> None:
    """Register URL with SOURCE's provider, for exactly the event types that are translated, and tell where the
    signing secret goes. What the API needs is read from the environment or given with --give; without it, or where a
    provider has no such API, the steps to take are printed.

    \b
    Examples:
      STRIPE_API_KEY=sk_... segue register stripe --url https://hooks.example.com/webhooks/stripe
      segue register stripe --url https://hooks.example.com/webhooks/stripe --dry-run
      segue register github --url ... --give token=... --give repository=acme/shop --save
    """  # noqa: D301
    from webhooks.cli.configuration import forgiving

    sources = forgiving().sources
    source = sources.get(name)
    if source is None:
        raise fail(f"No source is called {name!r}.", "`segue sources` lists them all.")
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in {"localhost", "127.0.0.1"}:
        raise fail(f"{url!r} is not an https address.", "Providers send to https only; give the public address.")
    if source.register is None:
        _steps(source, url)
        return
    values = _values(source.register.needs, given)
    missing = [need for need in source.register.needs if need.name not in values]
    if missing and not dry_run:
        lines = "\n".join(f"  {need.env}, or --give {need.name}=...: {need.help}" for need in missing)
        raise fail(
            f"{source.title}'s API needs more:\n{lines}", "Or register by hand: " + (source.docs or "its console")
        )
    secret = _run(
        source, url, values | {need.name: f"<{need.name}>" for need in missing}, dry_run=dry_run, api_base=api_base
    )
    if secret is not None:
        _told(source, secret, save)


def _run(source: Source, url: str, values: Mapping[str, str], *, dry_run: bool, api_base: str) -> str | None:
    """Drive the registration; None after a dry run."""
    from translators.kit import Malformed, Registering

    assert source.register is not None
    types = [type_ for type_ in sorted(source.handlers) if "*" not in type_]
    at = Registering(url=url, types=types, given=values, secret=secrets.token_urlsafe(32))
    steps = source.register.run(at)
    try:
        call = next(steps)
        if dry_run:
            masked = {need.name for need in source.register.needs if need.secret}
            _show(call, [values[name] for name in masked if name in values] + [at.secret])
            return None
        while True:
            call = steps.send(_send(source, call, api_base))
    except StopIteration as end:
        told: str = end.value
        return told
    except Malformed as error:
        raise fail(
            f"{source.title} answered in a shape that is not documented: {error}.",
            "Look at its console: the webhook may exist now. Take the secret from there.",
        ) from None


def _send(source: Source, call: Call, api_base: str) -> Payload:
    import urllib.error
    import urllib.request

    from translators.kit import Payload, parse_json

    url = call.url
    if api_base:
        parts = urlsplit(url)
        url = api_base.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
    request = urllib.request.Request(url, call.body or None, dict(call.headers), method=call.method)  # noqa: S310 - the source's own https address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310  # nosec B310
            body: bytes = answer.read(_MOST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(2000).decode("utf-8", "replace").strip()
        raise fail(
            f"{source.title} answered {error.code}: {said or error.reason}",
            "Check what you gave (a key of the right account, with the right to write webhooks), then try again.",
        ) from None
    except (urllib.error.URLError, OSError) as error:
        raise fail(f"{source.title}'s API cannot be reached: {error}", "Check the network, then try again.") from None
    return Payload(parse_json(body) if body.strip() else {})


def _values(needs: tuple[Need, ...], given: tuple[str, ...]) -> dict[str, str]:
    values = {need.name: os.environ[need.env] for need in needs if os.environ.get(need.env)}
    known = {need.name for need in needs}
    for pair in given:
        name, found, value = pair.partition("=")
        if not found or name not in known:
            raise fail(f"--give {pair.partition('=')[0]!r} is not asked for.", f"It takes {', '.join(sorted(known))}.")
        values[name] = value
    return values


def _show(call: Call, hidden: list[str]) -> None:
    text = "\n".join(
        [
            f"{call.method} {call.url}",
            *(f"{name}: {value}" for name, value in call.headers.items()),
            "",
            call.body.decode(),
        ]
    )
    for value in filter(None, hidden):
        text = text.replace(value, "***")
    text = re.sub(r"(?m)^(Authorization: \w+) .*", r"\1 ***", text)
    click.echo(text)


def _told(source: Source, secret: str, save: Path | None) -> None:
    variable = f"{source.name.upper()}_WEBHOOK_SECRET"
    if not secret:
        click.echo(
            f"Registered. The signing secret is {source.secret_help}: set {variable} to it, and start Segue again."
        )
        return
    if save is None:
        click.echo(f"Registered. Set the signing secret, it may not be shown again:\n\n  {variable}={secret}\n")
        click.echo("Then `segue check`, and start Segue again.")
        return
    lines = save.read_text().splitlines() if save.exists() else []
    kept = [line for line in lines if not line.startswith(f"{variable}=")]
    handle = os.open(save, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join([*kept, f"{variable}={secret}"]) + "\n")
    click.echo(f"Registered. {variable} is in {save}; load it into the environment and start Segue again.")


def _steps(source: Source, url: str) -> None:
    variable = f"{source.name.upper()}_WEBHOOK_SECRET"
    click.echo(f"{source.title} is registered by hand:\n")
    click.echo(f"  1. Open {source.docs or 'its console'} and add a webhook with the URL {url}")
    click.echo("  2. Choose these event types:")
    for type_ in sorted(source.handlers):
        click.echo(f"       {type_}")
    click.echo(f"  3. Secret: {source.secret_help or 'as its documentation says'}")
    click.echo(f"  4. Set {variable} to it, run `segue check`, and start Segue again.")
    click.echo(f"\nMore: docs/sources/{source.name}.md")
