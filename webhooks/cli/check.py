"""`segue check`: is everything right before it runs? Every fault with its reason and its mend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.findings import Finding, report
from webhooks.settings.lookalikes import live_only

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.errors import JournalAbsent
    from webhooks.journal import Journal, Verification
    from webhooks.journal.encryption import Encryption
    from webhooks.sources.endpoints import Endpoint

RECENT: Final = timedelta(days=1)
LOOKED_AT: Final = 50
"""Ignored events of an endpoint, the newest."""
VERIFIED: Final = 30.0
"""Seconds to look through the journal's file for damage."""


@click.command(short_help="Check configuration, plugins and the journal; each fault with its mend.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--no-journal", is_flag=True, help="Leave the journal alone (in a build, where its disk is not there).")
@click.option("--json", "as_json", is_flag=True)
def check(strict: bool, no_journal: bool, as_json: bool) -> None:
    """Check everything before it runs. Exit code 1 on a fault; with --strict on a warning too.

    \b
    Examples:
      segue check
      segue check --strict && segue serve
    """  # noqa: D301
    found = findings(journal=not no_journal)
    raise report(found, as_json=as_json, strict=strict, well=partial(_closing, journal=not no_journal))


def _closing(*, journal: bool) -> str:
    """Whether `segue serve` starts, by what it asks itself before it does."""
    from webhooks.cli import starting
    from webhooks.cli.configuration import configuration

    config = configuration()
    errors = [starting.write_key_error(config), starting.port_error(config.settings.web)]
    error = next(filter(None, errors), None)
    if error is None:
        return "`segue serve` starts it." if journal else "`segue serve` starts it if the journal can be opened."
    if starting.is_segue(config.settings.web.host, config.settings.web.port):
        return f"A Segue runs already on port {config.settings.web.port}; a second `segue serve` does not start there."
    return f"`segue serve` does not start: {error.message} {error.hint}"


def findings(*, journal: bool) -> Iterator[Finding]:
    """All that can be said without asking anybody else."""
    from webhooks.cli.configuration import configuration
    from webhooks.errors import SettingsError
    from webhooks.sources import plugins

    for plugin in plugins.load().broken:
        last = plugin.error.strip().splitlines()[-1]
        whose = f"{plugin.name} ({plugin.distribution} {plugin.version})"
        more = "`segue sources --verbose` has the traceback"
        yield Finding("fault", "plugin", f"source {whose} does not load: {last}. {more}")
    try:
        config = configuration()
    except SettingsError as error:
        for fault in error.faults:
            yield Finding("fault", "configuration", fault)
        return
    file = config.settings.config_file
    yield Finding("ok", "configuration", f"configuration read from the environment{f' and {file}' if file else ''}")
    for warning in config.settings.warnings:
        yield Finding("warning", "configuration", warning)
    yield from _doors(config)
    yield from _web(config)
    yield from _namespace(config)
    if journal:
        yield from _journal(config)


def _doors(config: Configuration) -> Iterator[Finding]:
    for name in config.open:
        endpoint = config.endpoints[name]
        secrets = f"{len(endpoint.secrets)} secret{'s'[: len(endpoint.secrets) > 1]}"
        yield Finding(
            "ok",
            "endpoint",
            f"/webhooks/{name} is open: {endpoint.source.title}, {secrets}, {endpoint.scheme.strength}",
        )
        yield from _secrets(endpoint)
        if option := live_only(endpoint.options, endpoint.source):
            yield Finding(
                "ok", "endpoint",
                f"/webhooks/{name} delivers live events only: those of {endpoint.source.title}'s test mode are stored "
                f"and ignored. To deliver them too: {_both(name, option)}",
            )  # fmt: skip
        if endpoint.scheme.strength != "verified":
            yield Finding(
                "warning", "endpoint",
                f"/webhooks/{name} proves the sender, not the content: {endpoint.source.title} signs no body there. "
                "Let it be reached over https only",
            )  # fmt: skip
    yield from _shared_keys(config)


def _secrets(endpoint: Endpoint) -> Iterator[Finding]:
    """A secret of the wrong form turns every webhook away."""
    from webhooks.signatures import secret_format_error

    for place, secret in enumerate(endpoint.secrets, 1):
        wanted = secret_format_error(endpoint.scheme, secret)
        if wanted:
            which = f" number {place}" if len(endpoint.secrets) > 1 else ""
            yield Finding(
                "fault", "endpoint",
                f"the secret{which} of /webhooks/{endpoint.name} is not {wanted}, which {endpoint.source.title} gives: "
                f"copy it again. {endpoint.source.secret_help}".strip(),
            )  # fmt: skip


def _both(name: str, option: str) -> str:
    return f"SEGUE_{name.upper()}_{option.upper()}=both"


def _left_out(config: Configuration, journal: Journal) -> Iterator[Finding]:
    """Events of the last day that a setting has left out, which looks like a delivery that does not work."""
    from datetime import UTC, datetime

    from webhooks.journal import Filter, State, left_out_by

    since = datetime.now(UTC) - RECENT
    for name in config.open:
        endpoint = config.endpoints[name]
        if not live_only(endpoint.options, endpoint.source):
            continue
        ignored = Filter(states=(State.IGNORED,), sources=(name,), settled_since=since)
        rows = list(journal.rows(ignored, limit=LOOKED_AT, newest_first=True))
        settings = [setting for row in rows if (setting := left_out_by(row.state, row.reason))]
        if settings:
            yield Finding(
                "warning", "endpoint",
                f"/webhooks/{name} has received events of {endpoint.source.title}'s test mode since yesterday, and "
                f"nothing of them was delivered ({len(settings)} of the last {len(rows)} ignored events). To deliver "
                f"them: {settings[0]}, then `segue replay --source {name} --state ignored --since 1d`",
            )  # fmt: skip


def _web(config: Configuration) -> Iterator[Finding]:
    from webhooks.cli import starting

    web = config.settings.web
    if error := starting.worker_class_error(web):
        yield Finding("fault", "web", f"{error.message} {error.hint}")
    elif web.worker_class == "sync":
        yield Finding(
            "warning", "web",
            "SEGUE_WORKER_CLASS is sync: one request at a time in each process, so a slow sender holds up the others, "
            "and no two share a commit. Choose gevent",
        )  # fmt: skip
    else:
        yield Finding("ok", "web", f"{web.processes} web processes of the class {web.worker_class}")
    error = starting.port_error(web)
    if error is None:
        yield Finding("ok", "port", f"port {web.port} of {web.host} is free")
    elif starting.is_segue(web.host, web.port):
        yield Finding("ok", "port", error.message.rstrip("."))
    else:
        yield Finding("fault", "port", f"{error.message} {error.hint}")


def _shared_keys(config: Configuration) -> Iterator[Finding]:
    """Two doors of one source with different options, such as live and test mode, into one Segment source."""
    default = config.settings.segment.write_key
    doors = [config.endpoints[name] for name in config.open]
    for place, one in enumerate(doors):
        for other in doors[place + 1 :]:
            same_key = (one.write_key or default) == (other.write_key or default)
            if one.source is other.source and one.options != other.options and same_key:
                differ = ", ".join(sorted(key for key in one.options if one.options[key] != other.options[key]))
                yield Finding(
                    "warning", "endpoint",
                    f"{one.name} and {other.name} differ in {differ} but share a write key, so their events mix: "
                    f"set SEGUE_{other.name.upper()}_WRITE_KEY to another Segment source's",
                )  # fmt: skip


def _namespace(config: Configuration) -> Iterator[Finding]:
    settings = config.settings
    yield Finding("ok", "identity", f"namespace of message ids: {settings.namespace}")


def _journal(config: Configuration) -> Iterator[Finding]:
    from webhooks.cli import starting
    from webhooks.errors import JournalError, JournalOutdated, SettingsError
    from webhooks.journal.encryption import Encryption
    from webhooks.journal.open import NAMESPACE, NOTE, is_absent, open_existing, open_journal, other_namespace

    database, shown = config.settings.database, config.settings.database_shown
    if error := starting.disk_error(config.settings):
        yield Finding("fault", "journal", f"{error.message} {error.hint}")
        return
    if config.settings.on_dyno and not config.settings.on_postgres:
        yield Finding(
            "warning", "journal",
            f"{starting.ALLOW_SQLITE} allows a SQLite file on this dyno: a restart loses what was not yet delivered, "
            "and each dyno has a file of its own. Run `segue serve` as the only process, and never two of it",
        )  # fmt: skip
    try:
        present = open_existing(database, config.settings.encryption_key)
        try:
            if absent := is_absent(present):
                yield from _absent(config, absent)
                return
            notes = present.notes()
        finally:
            present.close()
        fault = other_namespace(notes.get(NAMESPACE, (None, {}))[1], config.settings.own_namespace)
        if fault:
            yield Finding("fault", "journal", fault)
            return
        journal = open_journal(database, config.settings.encryption_key)
        try:
            verified = journal.verify(seconds=VERIFIED)
            if verified.problems:
                yield damage_finding(shown, verified.problems)
                return
            journal.check()
            left_out = list(_left_out(config, journal))
        finally:
            journal.close()
    except SettingsError as error:
        yield from (Finding("fault", "journal", fault) for fault in error.faults)
    except JournalOutdated as error:
        yield Finding("ok", "journal", f"{error.message}. {error.hint}")
    except JournalError as error:
        yield Finding(
            "fault",
            "journal",
            f"{shown} cannot store: {error.message}. {error.hint or 'Mend the disk or SEGUE_DATABASE'}",
        )
    else:
        yield Finding("ok", "journal", f"{shown} stores durably")
        if not config.settings.on_postgres:
            yield Finding("ok", "journal", _unhurt(verified))
        yield from left_out
        yield from _mode(database)
        yield from _encryption(
            Encryption(config.settings.encryption_key), set(notes.get(NOTE, (None, {}))[1].get("keys", []))
        )


def damage_finding(shown: str, problems: Sequence[str]) -> Finding:
    """A store that is damaged, with what to do."""
    from webhooks.journal.sqlite.damage import HINT

    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Finding("fault", "journal", f"{shown} is damaged: {problems[0]}{more}. {HINT}")


def _unhurt(verified: Verification) -> str:
    if verified.complete:
        return "the file is not damaged"
    return (
        f"no damage was found in {VERIFIED:.0f} s, in which not all of the file was read: `segue doctor --timeout 300` "
        "takes longer"
    )


def _absent(config: Configuration, absent: JournalAbsent) -> Iterator[Finding]:
    """No journal is made by a check; whether one can be made is asked."""
    from pathlib import Path

    from webhooks.journal.encryption import Encryption
    from webhooks.journal.open import file_of
    from webhooks.journal.sqlite.location import creation_fault

    settings = config.settings
    fault = "" if settings.on_postgres else creation_fault(Path(file_of(settings.database)).absolute())
    if fault:
        yield Finding("fault", "journal", f"{settings.database_shown} cannot be made: {fault}")
        return
    yield Finding("ok", "journal", f"{absent.message}; {absent.hint}")
    yield from _encryption(Encryption(settings.encryption_key), set())


def _mode(database: str) -> Iterator[Finding]:
    from pathlib import Path

    path = Path(database.removeprefix("sqlite:///"))
    if database.startswith("sqlite:") and path.exists() and path.stat().st_mode & 0o007:
        yield Finding(
            "warning", "journal",
            f"every user of this machine can open {path}, which holds customers' data: chmod 600 {path}",
        )  # fmt: skip


def _encryption(seal: Encryption, noted: set[str]) -> Iterator[Finding]:
    how = f"encrypted with key {seal.current}" if seal.on else "stored in clear (SEGUE_ENCRYPTION_KEY encrypts them)"
    yield Finding("ok", "encryption", f"bodies are {how}")
    for key in sorted(noted - seal.ids):
        yield Finding(
            "warning", "encryption",
            f"events may be sealed with key {key}, which is not configured, and such events wait: add it to "
            "SEGUE_ENCRYPTION_KEY behind the first, then run `segue reencrypt`",
        )  # fmt: skip
