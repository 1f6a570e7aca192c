"""`segue register`: the provider's own API is asked to send its webhooks here, or the steps are printed."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from webhooks.cli.complete import endpoint_names
from webhooks.cli.output import echo, fail, warn

if TYPE_CHECKING:
    from translators.kit import Source
    from translators.kit.registration import Need
    from webhooks.sources.endpoints import Endpoint


@click.command(short_help="Ask a provider's API to send its webhooks here.")
@click.argument("name", metavar="SOURCE", shell_complete=endpoint_names)
@click.option("--url", default="", help="The public address, https://<host>/webhooks/<source> (from SEGUE_PUBLIC_URL).")
@click.option("--give", "given", multiple=True, metavar="NAME=VALUE", help="What the provider's API needs; see below.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value=".env",
    help="Write the secret into this file (.env) instead of printing it.",
)
@click.option("--only", multiple=True, metavar="TYPE", help="These event types alone (* as in a shell); repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the requests, with their secrets masked. Sends nothing.")
@click.option("--by-hand", is_flag=True, help="Print the steps in the provider's console, although it has an API.")
@click.option("--api-base", default="", hidden=True, help="Send to this address instead, for a stand-in.")
def register(
    name: str,
    url: str,
    given: tuple[str, ...],
    save: Path | None,
    only: tuple[str, ...],
    dry_run: bool,
    by_hand: bool,
    api_base: str,
) -> None:
    """Register URL with SOURCE's provider, for exactly the event types that are translated, and tell where the
    signing secret goes. What the API needs is read from the environment or given with --give; `--dry-run` names it
    all. Where a provider has no such API, the steps to take are printed.

    \b
    Examples:
      segue register stripe --url https://hooks.example.com/webhooks/stripe --dry-run
      STRIPE_API_KEY=sk_... segue register stripe --url https://hooks.example.com/webhooks/stripe
      segue register github --url ... --give token=... --give target=acme/shop --only 'issues.*' --save
      segue register intercom --url ...       # no API: prints the steps
    """  # noqa: D301
    from webhooks.cli.configuration import configuration_or_default

    endpoint = configuration_or_default().endpoint(name)
    source = endpoint.source
    url = url or endpoint.public_url
    _check_url(endpoint, url)
    if source.register is None or by_hand:
        if given:
            raise fail(
                f"--give {given[0].partition('=')[0]!r} is not asked for: {source.title} is registered by hand.", ""
            )
        _steps(endpoint, url, save, dry_run=dry_run)
    else:
        _ask(endpoint, url, given, save, only=only, dry_run=dry_run, api_base=api_base)


def _check_url(endpoint: Endpoint, url: str) -> None:
    if not url:
        raise fail(
            "The public address is not known.",
            f"Give --url https://<your host>/webhooks/{endpoint.name}, or set SEGUE_PUBLIC_URL=https://<your host>.",
        )
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1"}):
        raise fail(f"{url!r} is not an https address.", "Providers send to https only; give the public address.")
    if not parts.path.rstrip("/").endswith(f"/webhooks/{endpoint.name}"):
        warn(f"Segue serves this endpoint at /webhooks/{endpoint.name}: see that {url} leads there.")
    if endpoint.public_url and url != endpoint.public_url:
        warn(f"The settings say that this endpoint is called at {endpoint.public_url}, not at {url}.")


def _ask(
    endpoint: Endpoint,
    url: str,
    given: tuple[str, ...],
    save: Path | None,
    *,
    only: tuple[str, ...],
    dry_run: bool,
    api_base: str,
) -> None:
    from translators.kit import Registering
    from webhooks.cli import registrar

    source = endpoint.source
    assert source.register is not None
    needs = source.register.needs
    values = _values(needs, given)
    missing = [need for need in needs if need.name not in values]
    if missing and not dry_run:
        told = "\n".join(map(_need, missing))
        hint = f"segue register {endpoint.name} --by-hand prints the steps instead." if source.manual else source.docs
        raise fail(f"{source.title}'s API needs more:\n{told}", hint or "Or register in its console.")
    hidden = registrar.secrets_of(values, source)
    values |= {need.name: f"<{need.name}>" for need in missing}
    fresh = "<a fresh secret>" if dry_run else secrets.token_urlsafe(32)
    at = Registering(url=url, types=_types(source, only), given=values, secret=fresh)
    if dry_run:
        echo("\n\n".join(registrar.rehearse(source, at, hidden=hidden)))
        echo("\nNothing was sent. It takes:\n" + "\n".join(map(_need, needs)))
        return
    secret = registrar.run(source, at, registrar.sender(source, hidden=[*hidden, fresh], api_base=api_base))
    echo("Registered.")
    if secret is None:
        return
    if secret:
        _keep(endpoint, secret, save)
    else:
        _fetch(endpoint, save)
    if source.register.after:
        echo(f"\nLeft to do: {source.register.after}")


def _types(source: Source, only: tuple[str, ...]) -> list[str]:
    """What is translated, and of that what `only` names."""
    types = [type_ for type_ in sorted(source.handlers) if "*" not in type_]
    for pattern in only:
        if not any(fnmatchcase(type_, pattern) for type_ in types):
            raise fail(
                f"{source.title} translates no {pattern!r}.", f"`segue sources {source.name}` lists what it translates."
            )
    return [type_ for type_ in types if not only or any(fnmatchcase(type_, pattern) for pattern in only)]


def _need(need: Need) -> str:
    optional = "" if need.default is None else f" ({need.default or 'none'} if left out)"
    return f"  {need.env}, or --give {need.name}=...: {need.help}{optional}"


def _values(needs: tuple[Need, ...], given: tuple[str, ...]) -> dict[str, str]:
    """Each need's value, from --give, else the environment, else its default; those without any are left out."""
    told: dict[str, str] = {}
    known = {need.name for need in needs}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or name not in known:
            raise fail(f"--give {name!r} is not asked for.", f"It takes {', '.join(sorted(known))}.")
        told[name] = value
    found = {need.name: told.get(need.name) or os.environ.get(need.env) or need.default for need in needs}
    return {name: value for name, value in found.items() if value is not None}


def _variable(endpoint: Endpoint) -> str:
    return f"{endpoint.name.upper()}_WEBHOOK_SECRET"


def _keep(endpoint: Endpoint, secret: str, save: Path | None) -> None:
    """Print the secret, or put it into the file; one that was there is still accepted beside it."""
    from webhooks.cli import envfile

    variable = _variable(endpoint)
    if save is None:
        echo(f"Set the signing secret; it may not be shown again:\n\n  {variable}={secret}\n")
        echo("Then `segue check`, and start Segue again.")
        return
    before = envfile.put(save, variable, secret)
    if before and secret not in before.split(","):
        envfile.put(save, variable, f"{secret},{before}")
        echo(f"The secret that {save} had before stays valid beside it; take it out when nothing uses it.")
    if save.stat().st_mode & 0o006:
        warn(f"Every user of this machine can read {save}, which holds secrets now: chmod 600 {save}")
    echo(f"{variable} is in {save}; load it into the environment and start Segue again.")


def _fetch(endpoint: Endpoint, save: Path | None) -> None:
    """The secret is the provider's to show: asked for at a terminal where it is to be saved."""
    where = endpoint.source.secret_help or "as its documentation says"
    if save is not None and _at_a_terminal():
        _keep(endpoint, click.prompt(f"The secret ({where})", hide_input=True), save)
        return
    echo(f"The secret: {where}. Set {_variable(endpoint)} to it, run `segue check`, and start Segue again.")
    if save is not None:
        echo(f"Nothing was written to {save}: the provider alone knows the secret.")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _steps(endpoint: Endpoint, url: str, save: Path | None, *, dry_run: bool) -> None:
    from translators.kit.registration import ManualSteps

    source = endpoint.source
    manual = source.manual or ManualSteps((f"Open {source.docs or 'its console'} and add a webhook: {{url}}", _TYPES))
    secret = _fresh(manual.chosen)
    shown = "<a fresh secret>" if dry_run else secret if save is None else f"<the secret that {save} now holds>"
    echo(f"{source.title} is registered by hand:\n")
    for number, step in enumerate(manual.steps, 1):
        first, *rest = _filled(step, url, shown, source).splitlines()
        echo("\n".join([f"  {number}. {first}", *(f"     {line}" for line in rest)]))
    echo("")
    if dry_run:
        echo("Nothing was made and nothing was saved.")
    elif secret:
        _keep(endpoint, secret, save)
    else:
        _fetch(endpoint, save)


def _fresh(form: str) -> str:
    """A secret of 256 random bits, written as the form says."""
    random = secrets.token_bytes(32)
    return form.replace("{random}", secrets.token_urlsafe(32)).replace("{base64}", base64.b64encode(random).decode())


_TYPES = "Choose these event types:{types}"


def _filled(text: str, url: str, secret: str, source: Source) -> str:
    types = "".join(f"\n  {type_}" for type_ in sorted(source.handlers))
    return text.replace("{types}", types).replace("{url}", url).replace("{secret}", secret)
