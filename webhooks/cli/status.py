"""`segue status`: the journal's contents, the workers, and the events that are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.output import bad, echo, good, identifier, print_columns, print_json, warn

if TYPE_CHECKING:
    from webhooks.monitoring.metrics import RefusedCount

SILENT: Final = timedelta(seconds=60)
"""A worker without a heartbeat for this long is reported. Workers write one every ten seconds."""
FORGOTTEN: Final = timedelta(days=1)
MOST_REFUSALS: Final = 10


@click.command(short_help="Show what is stored, delivered, waiting and dead; workers and write keys.")
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Show events by source and state, the oldest pending event, workers, and held write keys.

    \b
    Examples:
      segue status
      segue status --json
    """  # noqa: D301
    from translators.kit import to_iso
    from webhooks.cli.configuration import current_runtime
    from webhooks.cli.rows import opened
    from webhooks.journal import State
    from webhooks.journal.notes import WORKERS, WRITE_KEY_HOLDS
    from webhooks.monitoring.alerts import failing_keys, unconfigured
    from webhooks.monitoring.metrics import refused_counts

    runtime = current_runtime()
    now = datetime.now(UTC)
    with opened(runtime, quiet=as_json) as journal:
        census, notes, refused = journal.census(), journal.notes(), refused_counts(journal.tallies())
    workers = {
        name: (now - at).total_seconds() for name, (at, _) in WORKERS.read(notes).items() if now - at < FORGOTTEN
    }
    held = {name: hold.reason for name, (_, hold) in WRITE_KEY_HOLDS.read(notes).items() if hold.held}
    failing = failing_keys(notes, now)
    unknown = unconfigured(census.by_source, runtime.endpoints)
    oldest = (now - census.oldest_pending).total_seconds() if census.oldest_pending else None
    if as_json:
        print_json(
            {
                "database": runtime.settings.database_shown,
                "size_bytes": census.size_bytes,
                "by_state": {state.value: census.by_state.get(state, 0) for state in State},
                "by_source": {
                    name: {state.value: n for state, n in counts.items()} for name, counts in census.by_source.items()
                },
                "oldest_pending_seconds": oldest,
                "unsupported_types": [
                    {"source": source, "type": type_, "count": n}
                    for (source, type_), n in census.unsupported_types.items()
                ],
                "workers": [{"name": name, "heartbeat_seconds_ago": age} for name, age in workers.items()],
                "held_write_keys": [{"write_key": name, "reason": reason} for name, reason in held.items()],
                "failing_write_keys": [
                    {"write_key": key.fingerprint, "since": to_iso(key.since), "reason": key.reason} for key in failing
                ],
                "waiting_for_configuration": unknown,
                "refusals": [
                    {
                        "source": row.source,
                        "reason": row.reason,
                        "count": row.count,
                        "last_at": _shown(row.last_at),
                        "signed": row.signed,
                        "unchecked": row.unchecked,
                        "last_lost_at": _shown(row.last_lost_at),
                    }
                    for row in refused
                ],
            }
        )
        return
    states = list(State)
    rows = [
        [name, *(str(counts.get(state, 0)) for state in states)] for name, counts in sorted(census.by_source.items())
    ]
    if rows:
        total = ["all", *(str(census.by_state.get(state, 0)) for state in states)]
        print_columns([*rows, total], heading=["source", *(state.value for state in states)])
    else:
        echo("Nothing has been received yet. `segue sources` shows which endpoints are open.")
    echo()
    _health(workers, held, oldest, dead=census.by_state.get(State.DEAD, 0))
    for key in failing:
        seconds = (now - key.since).total_seconds()
        bad(f"Segment has not accepted a batch of write key {key.fingerprint} for {seconds:.0f} s: {key.reason}")
        echo("      Its events wait and are retried; nothing is lost. `segue doctor` checks the connection to Segment.")
    for name, waiting in unknown.items():
        warn(f"{waiting} events of {name} wait: no endpoint of this name is configured")
    _refusals(refused)
    for (source, type_), count in sorted(census.unsupported_types.items(), key=lambda item: -item[1])[:10]:
        echo(f"      unsupported: {source} {identifier(type_)}, {count} kept")


def _refusals(refused: Sequence[RefusedCount]) -> None:
    """Print the reasons by which events were lost, then the others; the latest first."""
    ordered = sorted(refused, key=lambda row: not (row.signed or row.unchecked))
    for row in ordered[:MOST_REFUSALS]:
        lost = row.signed + row.unchecked
        last = f", the last at {row.last_at:%Y-%m-%d %H:%M} UTC" if row.last_at else ""
        text = f"{row.source}: {row.count} refused, {row.reason}{last}"
        if lost:
            bad(f"{text}; {row.signed} with a valid signature, {row.unchecked} unchecked: these events are not stored")
        else:
            warn(text)
    if len(refused) > MOST_REFUSALS:
        echo(f"      and {len(refused) - MOST_REFUSALS} more reasons: segue status --json")


def _shown(at: datetime | None) -> str | None:
    from translators.kit import to_iso

    return None if at is None else to_iso(at)


def _health(workers: Mapping[str, float], held: Mapping[str, str], oldest: float | None, *, dead: int) -> None:
    alive = {name: age for name, age in workers.items() if age < SILENT.total_seconds()}
    for name, age in alive.items():
        good(f"worker {name}: heartbeat {age:.0f} s ago")
    if not alive:
        warn("no worker has reported for a minute: start `segue work`; stored events wait for it")
    if oldest is None:
        good("no event is waiting")
    else:
        (good if oldest < SILENT.total_seconds() else warn)(f"the oldest waiting event arrived {oldest:.0f} s ago")
    for name, reason in held.items():
        bad(f"write key {name} is held, its events wait: {reason}. It is retried every minute")
        echo("      Set the right SEGMENT_WRITE_KEY, SEGMENT_URL or SEGMENT_REGION and restart. `segue doctor` helps.")
    if dead:
        warn(f"{dead} dead: malformed, or refused by Segment; they are kept. `segue dead` shows why and what to do")
