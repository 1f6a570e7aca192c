"""`segue register`: ask the provider's API to send its webhooks here, or print the manual steps."""

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
@click.option(
    "--give", "params", multiple=True, metavar="NAME=VALUE", help="A value for the provider's API; see below."
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value=".env",
    help="Write the secret into this file (.env) instead of printing it.",
)
@click.option("--only", multiple=True, metavar="TYPE", help="Only these event types (* as in a shell); repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the requests, with secrets masked. Send nothing.")
@click.option("--by-hand", is_flag=True, help="Print the steps in the provider's console, even if it has an API.")
@click.option("--api-base", default="", hidden=True, help="Send to this address instead, for a stand-in.")
def register(
    name: str,
    url: str,
    params: tuple[str, ...],
    save: Path | None,
    only: tuple[str, ...],
    dry_run: bool,
    by_hand: bool,
    api_base: str,
) -> None:
    """Register URL with SOURCE's provider, for exactly the event types that are translated, and say where to put the
    signing secret. Values that the API needs are read from the environment or from --give; `--dry-run` lists them. If
    the provider has no such API, the manual steps are printed.

    \b
    Examples:
      segue register stripe --url https://hooks.example.com/webhooks/stripe --dry-run
      STRIPE_API_KEY=sk_... segue register stripe --url https://hooks.example.com/webhooks/stripe
      segue register github --url ... --give token=... --give target=acme/shop --only 'issues.*' --save
      segue register intercom --url ...       # no API: prints the steps
    """  # noqa: D301
    from webhooks.cli.configuration import runtime_or_default

    endpoint = runtime_or_default().endpoint(name)
    source = endpoint.source
    url = url or endpoint.public_url
    _check_url(endpoint, url)
    if source.declared.registration is None or by_hand:
        if params:
            raise fail(
                f"--give {params[0].partition('=')[0]!r} is not needed: {source.title} is registered by hand.", ""
            )
        _steps(endpoint, url, save, dry_run=dry_run)
    else:
        _ask(endpoint, url, params, save, only=only, dry_run=dry_run, api_base=api_base)


def _check_url(endpoint: Endpoint, url: str) -> None:
    if not url:
        raise fail(
            "The public address is unknown.",
            f"Give --url https://<your host>/webhooks/{endpoint.name}, or set SEGUE_PUBLIC_URL=https://<your host>.",
        )
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1"}):
        raise fail(f"{url!r} is not an https address.", "Providers only send to https. Give the public address.")
    if not parts.path.rstrip("/").endswith(f"/webhooks/{endpoint.name}"):
        warn(f"Segue serves this endpoint at /webhooks/{endpoint.name}: make sure that {url} leads there.")
    if endpoint.public_url and url != endpoint.public_url:
        warn(f"The settings give this endpoint the address {endpoint.public_url}, not {url}.")


def _ask(
    endpoint: Endpoint,
    url: str,
    params: tuple[str, ...],
    save: Path | None,
    *,
    only: tuple[str, ...],
    dry_run: bool,
    api_base: str,
) -> None:
    from translators.kit import Registering
    from webhooks.cli import registrar

    source = endpoint.source
    assert source.declared.registration is not None
    needs = source.declared.registration.needs
    values = _values(needs, params)
    missing = [need for need in needs if need.name not in values]
    if missing and not dry_run:
        lines = "\n".join(map(_need, missing))
        hint = (
            f"segue register {endpoint.name} --by-hand prints the steps instead."
            if source.declared.manual_steps
            else source.docs
        )
        raise fail(f"{source.title}'s API needs more values:\n{lines}", hint or "Or register in its console.")
    hidden = registrar.secrets_of(values, source)
    values |= {need.name: f"<{need.name}>" for need in missing}
    new_secret = "<a new secret>" if dry_run else secrets.token_urlsafe(32)
    at = Registering(url=url, types=_types(source, only), values=values, secret=new_secret)
    if dry_run:
        echo("\n\n".join(registrar.preview(source, at, hidden=hidden)))
        echo("\nNothing was sent. Values it needs:\n" + "\n".join(map(_need, needs)))
        return
    secret = registrar.run(source, at, registrar.sender(source, hidden=[*hidden, new_secret], api_base=api_base))
    echo("Registered.")
    if secret is None:
        return
    if secret:
        _deliver_secret(endpoint, secret, save)
    else:
        _explain_secret(endpoint, save)
    if source.declared.registration.after:
        echo(f"\nStill to do: {source.declared.registration.after}")


def _types(source: Source, only: tuple[str, ...]) -> list[str]:
    """Return the translated types that `only` matches, or all of them."""
    types = [type_ for type_ in sorted(source.declared.handlers) if "*" not in type_]
    for pattern in only:
        if not any(fnmatchcase(type_, pattern) for type_ in types):
            raise fail(
                f"{source.title} translates no type {pattern!r}.", f"`segue sources {source.name}` lists the types."
            )
    return [type_ for type_ in types if not only or any(fnmatchcase(type_, pattern) for pattern in only)]


def _need(need: Need) -> str:
    optional = "" if need.default is None else f" ({need.default or 'none'} if omitted)"
    return f"  {need.env}, or --give {need.name}=...: {need.help}{optional}"


def _values(needs: tuple[Need, ...], params: tuple[str, ...]) -> dict[str, str]:
    """Return each need's value, from --give, else the environment, else its default. Omit needs without one."""
    options: dict[str, str] = {}
    known = {need.name for need in needs}
    for pair in params:
        name, equals, value = pair.partition("=")
        if not equals or name not in known:
            raise fail(f"--give {name!r} is not needed.", f"Use one of {', '.join(sorted(known))}.")
        options[name] = value
    values = {need.name: options.get(need.name) or os.environ.get(need.env) or need.default for need in needs}
    return {name: value for name, value in values.items() if value is not None}


def _variable(endpoint: Endpoint) -> str:
    return f"{endpoint.name.upper()}_WEBHOOK_SECRET"


def _deliver_secret(endpoint: Endpoint, secret: str, save: Path | None) -> None:
    """Print the secret, or write it to the file. A secret that was there before stays valid."""
    from webhooks.cli import envfile

    variable = _variable(endpoint)
    if save is None:
        echo(f"Set the signing secret; it may not be shown again:\n\n  {variable}={secret}\n")
        echo("Then run `segue check`, and restart Segue.")
        return
    before = envfile.put(save, variable, secret)
    if before and secret not in before.split(","):
        envfile.put(save, variable, f"{secret},{before}")
        echo(f"The previous secret in {save} stays valid; remove it when it is no longer used.")
    if save.stat().st_mode & 0o006:
        warn(f"Every user of this machine can read {save}, which now contains secrets: chmod 600 {save}")
    echo(f"{variable} is in {save}; load it into the environment and restart Segue.")


def _explain_secret(endpoint: Endpoint, save: Path | None) -> None:
    """Say where the provider shows the secret. With --save at a terminal, ask for it."""
    where = endpoint.source.secret_help or "as its documentation says"
    if save is not None and _at_a_terminal():
        _deliver_secret(endpoint, click.prompt(f"The secret ({where})", hide_input=True), save)
        return
    echo(f"The secret: {where}. Set {_variable(endpoint)} to it, run `segue check`, and restart Segue.")
    if save is not None:
        echo(f"Nothing was written to {save}: only the provider knows the secret.")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _steps(endpoint: Endpoint, url: str, save: Path | None, *, dry_run: bool) -> None:
    from translators.kit.registration import ManualSteps

    source = endpoint.source
    manual = source.declared.manual_steps or ManualSteps(
        (f"Open {source.docs or 'its console'} and add a webhook: {{url}}", _TYPES)
    )
    secret = _new_secret(manual.chosen)
    shown = "<a new secret>" if dry_run else secret if save is None else f"<the secret that is now in {save}>"
    echo(f"{source.title} is registered by hand:\n")
    for number, step in enumerate(manual.steps, 1):
        first, *rest = _fill(step, url, shown, source).splitlines()
        echo("\n".join([f"  {number}. {first}", *(f"     {line}" for line in rest)]))
    echo("")
    if dry_run:
        echo("No secret was created and nothing was saved.")
    elif secret:
        _deliver_secret(endpoint, secret, save)
    else:
        _explain_secret(endpoint, save)


def _new_secret(form: str) -> str:
    """Return a secret of 256 random bits in the given form."""
    random = secrets.token_bytes(32)
    return form.replace("{random}", secrets.token_urlsafe(32)).replace("{base64}", base64.b64encode(random).decode())


_TYPES = "Choose these event types:{types}"


def _fill(text: str, url: str, secret: str, source: Source) -> str:
    types = "".join(f"\n  {type_}" for type_ in sorted(source.declared.handlers))
    return text.replace("{types}", types).replace("{url}", url).replace("{secret}", secret)
