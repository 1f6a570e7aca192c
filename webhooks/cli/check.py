"""`segue check`: check everything before Segue starts. Each problem is shown with its reason and fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.findings import Finding, report
from webhooks.settings.lookalikes import live_only

if TYPE_CHECKING:
    from webhooks.errors import JournalAbsent
    from webhooks.journal import Verification
    from webhooks.journal.encryption import Encryption
    from webhooks.journal.protocol import EventQueries
    from webhooks.runtime import Runtime
    from webhooks.sources.endpoints import Endpoint

RECENT: Final = timedelta(days=1)
EXAMINED: Final = 50
"""How many ignored events of an endpoint are examined, newest first."""
VERIFIED: Final = 30.0
"""Seconds to check the journal's file for damage."""


@click.command(short_help="Check configuration, plugins and journal; each problem with its fix.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--no-journal", is_flag=True, help="Do not open the journal (for a build, which has no disk for it).")
@click.option("--json", "as_json", is_flag=True)
def check(strict: bool, no_journal: bool, as_json: bool) -> None:
    """Check everything before Segue starts. Exit code 1 on a fault; with --strict, also on a warning.

    \b
    Examples:
      segue check
      segue check --strict && segue serve
    """  # noqa: D301
    raise report(
        findings(journal=not no_journal),
        as_json=as_json,
        strict=strict,
        summary=partial(_summary, journal=not no_journal),
    )


def _summary(*, journal: bool) -> str:
    """Say whether `segue serve` would start; it makes the same checks itself."""
    from webhooks.cli import starting
    from webhooks.cli.configuration import current_runtime

    runtime = current_runtime()
    errors = [starting.write_key_error(runtime), starting.port_error(runtime.settings.web)]
    error = next(filter(None, errors), None)
    if error is None:
        return "`segue serve` starts it." if journal else "`segue serve` starts it if the journal can be opened."
    if starting.is_segue(runtime.settings.web.host, runtime.settings.web.port):
        return (
            f"Segue is already running on port {runtime.settings.web.port}; a second `segue serve` cannot start there."
        )
    return f"`segue serve` would not start: {error.message} {error.hint}"


def findings(*, journal: bool) -> Iterator[Finding]:
    """Yield every finding that needs no request to another service."""
    from webhooks.cli.configuration import current_runtime, runtime_or_default
    from webhooks.errors import SettingsError

    registry = runtime_or_default().registry
    for plugin in registry.plugins:
        if plugin.file:
            yield Finding("ok", "plugin", f"source {plugin.name} is loaded from {plugin.file}, which is not installed")
    for plugin in registry.broken:
        last = plugin.error.strip().splitlines()[-1]
        label = f"{plugin.name} ({plugin.distribution} {plugin.version})"
        more = "`segue sources --verbose` has the traceback"
        yield Finding("fault", "plugin", f"source {label} does not load: {last}. {more}")
    try:
        runtime = current_runtime()
    except SettingsError as error:
        for fault in error.faults:
            yield Finding("fault", "configuration", fault)
        return
    file = runtime.settings.config_file
    yield Finding("ok", "configuration", f"configuration read from the environment{f' and {file}' if file else ''}")
    for warning in runtime.settings.warnings:
        yield Finding("warning", "configuration", warning)
    yield from _endpoints(runtime)
    yield from _web(runtime)
    yield from _namespace(runtime)
    if journal:
        yield from _journal(runtime)


def _endpoints(runtime: Runtime) -> Iterator[Finding]:
    for name in runtime.open:
        endpoint = runtime.endpoints[name]
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
                f"and ignored. To deliver them too, set {_both(name, option)}",
            )  # fmt: skip
        if endpoint.scheme.strength != "verified":
            yield Finding(
                "warning", "endpoint",
                f"/webhooks/{name} proves the sender, not the content: {endpoint.source.title} does not sign the body. "
                "Serve it over https only",
            )  # fmt: skip
    yield from _shared_keys(runtime)


def _secrets(endpoint: Endpoint) -> Iterator[Finding]:
    """Report secrets of the wrong form, with which every webhook would be refused."""
    from webhooks.signatures import secret_format_error

    for place, secret in enumerate(endpoint.secrets, 1):
        expected_form = secret_format_error(endpoint.scheme, secret)
        if expected_form:
            which = f" number {place}" if len(endpoint.secrets) > 1 else ""
            yield Finding(
                "fault", "endpoint",
                f"the secret{which} of /webhooks/{endpoint.name} is not {expected_form}, as {endpoint.source.title} "
                f"issues it: copy it again. {endpoint.source.secret_help}".strip(),
            )  # fmt: skip


def _both(name: str, option: str) -> str:
    return f"SEGUE_{name.upper()}_{option.upper()}=both"


def _left_out(runtime: Runtime, journal: EventQueries) -> Iterator[Finding]:
    """Report events of the last day that a setting excluded, which looks as if delivery did not work."""
    from datetime import UTC, datetime

    from webhooks.journal import Filter, State, left_out_by

    since = datetime.now(UTC) - RECENT
    for name in runtime.open:
        endpoint = runtime.endpoints[name]
        if not live_only(endpoint.options, endpoint.source):
            continue
        ignored = Filter(states=(State.IGNORED,), sources=(name,), settled_since=since)
        rows = list(journal.rows(ignored, limit=EXAMINED, newest_first=True))
        settings = [setting for row in rows if (setting := left_out_by(row.state, row.reason))]
        if settings:
            yield Finding(
                "warning", "endpoint",
                f"/webhooks/{name} has received events of {endpoint.source.title}'s test mode since yesterday, and "
                f"none of them was delivered ({len(settings)} of the last {len(rows)} ignored events). To deliver "
                f"them, set {settings[0]}, then `segue replay --source {name} --state ignored --since 1d`",
            )  # fmt: skip


def _web(runtime: Runtime) -> Iterator[Finding]:
    from webhooks.cli import starting

    web = runtime.settings.web
    if error := starting.worker_class_error(web):
        yield Finding("fault", "web", f"{error.message} {error.hint}")
    elif web.worker_class == "sync":
        yield Finding(
            "warning", "web",
            "SEGUE_WORKER_CLASS is sync: each process handles one request at a time, so a slow sender delays the "
            "others, and requests share no commits. Choose gevent",
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


def _shared_keys(runtime: Runtime) -> Iterator[Finding]:
    """Report endpoints of one source with different options, such as live and test mode, that share a write key."""
    default = runtime.settings.segment.write_key
    endpoints = [runtime.endpoints[name] for name in runtime.open]
    for place, one in enumerate(endpoints):
        for other in endpoints[place + 1 :]:
            same_key = (one.write_key or default) == (other.write_key or default)
            if one.source is other.source and one.options != other.options and same_key:
                differ = ", ".join(sorted(key for key in one.options if one.options[key] != other.options[key]))
                yield Finding(
                    "warning", "endpoint",
                    f"{one.name} and {other.name} differ in {differ} but share a write key, so their events mix: "
                    f"set SEGUE_{other.name.upper()}_WRITE_KEY to another Segment source's",
                )  # fmt: skip


def _namespace(runtime: Runtime) -> Iterator[Finding]:
    settings = runtime.settings
    yield Finding("ok", "identity", f"namespace of message ids: {settings.namespace}")


def _journal(runtime: Runtime) -> Iterator[Finding]:
    from webhooks.cli import starting
    from webhooks.errors import JournalError, JournalOutdated, SettingsError
    from webhooks.journal.encryption import Encryption
    from webhooks.journal.notes import ENCRYPTION, NAMESPACE, EncryptionKeys
    from webhooks.journal.open import is_absent, other_namespace

    database, shown = runtime.settings.database, runtime.settings.database_shown
    if error := starting.disk_error(runtime.settings):
        yield Finding("fault", "journal", f"{error.message} {error.hint}")
        return
    if runtime.settings.on_dyno and not runtime.settings.on_postgres:
        yield Finding(
            "warning", "journal",
            f"{starting.ALLOW_SQLITE} allows a SQLite file on this dyno: a restart loses what was not delivered, "
            "and each dyno has its own file. Run exactly one `segue serve` and no other process",
        )  # fmt: skip
    try:
        present = runtime.open_existing()
        try:
            if absent := is_absent(present):
                yield from _absent(runtime, absent)
                return
            notes = present.notes()
        finally:
            present.close()
        fault = other_namespace(NAMESPACE.read(notes), runtime.settings.own_namespace)
        if fault:
            yield Finding("fault", "journal", fault)
            return
        journal = runtime.open_journal(take_namespace=False)
        try:
            verified = journal.verify(seconds=VERIFIED)
            if verified.problems:
                yield damage_finding(shown, verified.problems)
                return
            journal.check()
            left_out = list(_left_out(runtime, journal))
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
            f"{shown} cannot store: {error.message}. {error.hint or 'Fix the disk or SEGUE_DATABASE'}",
        )
    else:
        yield Finding("ok", "journal", f"{shown} stores durably")
        if not runtime.settings.on_postgres:
            yield Finding("ok", "journal", _damage_check(verified))
        yield from left_out
        yield from _mode(database)
        yield from _encryption(
            Encryption(runtime.settings.encryption_key), set((ENCRYPTION.read(notes) or EncryptionKeys()).keys)
        )


def damage_finding(shown: str, problems: Sequence[str]) -> Finding:
    """Return the finding of a damaged store, with what to do."""
    from webhooks.journal.sqlite.damage import HINT

    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Finding("fault", "journal", f"{shown} is damaged: {problems[0]}{more}. {HINT}")


def _damage_check(verified: Verification) -> str:
    if verified.complete:
        return "the file is not damaged"
    return (
        f"no damage was found, but only part of the file was read in {VERIFIED:.0f} s: `segue doctor --timeout 300` "
        "reads more"
    )


def _absent(runtime: Runtime, absent: JournalAbsent) -> Iterator[Finding]:
    """Report whether the journal could be created. A check creates none."""
    from pathlib import Path

    from webhooks.journal.encryption import Encryption
    from webhooks.journal.open import file_of
    from webhooks.journal.sqlite.location import creation_fault

    settings = runtime.settings
    fault = "" if settings.on_postgres else creation_fault(Path(file_of(settings.database)).absolute())
    if fault:
        yield Finding("fault", "journal", f"{settings.database_shown} cannot be created: {fault}")
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


def _encryption(encryption: Encryption, known_keys: set[str]) -> Iterator[Finding]:
    how = (
        f"encrypted with key {encryption.current}"
        if encryption.on
        else "stored in clear (SEGUE_ENCRYPTION_KEY encrypts them)"
    )
    yield Finding("ok", "encryption", f"bodies are {how}")
    for key in sorted(known_keys - encryption.ids):
        yield Finding(
            "warning", "encryption",
            f"events may be encrypted with key {key}, which is not configured. Such events wait: add it to "
            "SEGUE_ENCRYPTION_KEY behind the first, then run `segue reencrypt`",
        )  # fmt: skip
