"""`segue show`: show everything about one event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from webhooks.cli.bodies import pretty
from webhooks.cli.complete import endpoint_names
from webhooks.cli.forecast import forecast
from webhooks.cli.output import echo, fail, json_text, print_columns, print_json
from webhooks.cli.rows import clock, opened
from webhooks.logs import printable
from webhooks.operations.event_json import attempts, audited, content, facts

if TYPE_CHECKING:
    from webhooks.journal import AuditEntry, Row
    from webhooks.operations.forecast import Forecast


@click.command(short_help="Show one event: headers, body, messages, attempts, state.")
@click.argument("id_", metavar="ID")
@click.option(
    "--source",
    "sources",
    multiple=True,
    shell_complete=endpoint_names,
    help="The source, if events of several sources have the key.",
)
@click.option("--raw", is_flag=True, help="Write only the exact bytes of the body.")
@click.option("--json", "as_json", is_flag=True)
def show(id_: str, sources: tuple[str, ...], raw: bool, as_json: bool) -> None:
    """Show the event with this ID (number, key or SOURCE/KEY), and what today's code makes of it.

    Members of the body whose names mark them as secrets are hidden, except with --raw and --json. Exit code 1 if there
    is no such event.

    \b
    Examples:
      segue show 12345
      segue show stripe/evt_1PqXYZ
      segue show evt_1PqXYZ --raw > body.json
      segue show 12345 --json
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations.selection import find_event

    runtime = current_runtime()
    with opened(runtime) as journal:
        row = find_event(journal, id_, sources, known=runtime.names)
        log = journal.audits(event=(row.event.source, row.event.id))
    if row.locked and (raw or as_json):
        raise fail(f"Event {row.seq} is {row.locked}.", "Add that key to SEGUE_ENCRYPTION_KEY after the first one.")
    if raw:
        sys.stdout.buffer.write(row.event.raw)
        return
    outlook = forecast(row, runtime)
    if as_json:
        print_json(_as_dict(row, outlook, log))
    else:
        _print_header(row)
        _section(
            "attempts",
            [f"{clock(attempt.at)}  {attempt.actor}  {attempt.outcome}  {attempt.reason}" for attempt in row.history],
        )
        _section("audit", [f"{clock(line.at)}  {line.actor}  {line.action}: {line.reason}" for line in log])
        _section("headers", [f"{name}: {value}" for name, value in row.event.headers.items()])
        _section("envelope", [f"{name}: {value}" for name, value in row.event.envelope.items()])
        if not row.locked:
            _section(f"body ({len(row.event.raw)} bytes)", pretty(row.event.raw).splitlines())
        _section(f"with today's code: {outlook.would}", _outlook_lines(outlook))


def _as_dict(row: Row, outlook: Forecast, log: list[AuditEntry]) -> dict[str, Any]:
    return {
        **facts(row),
        "problem": row.event.problem,
        **content(row),
        "history": attempts(row.history),
        "audit": [audited(line) for line in log],
        "today": outlook.as_dict(),
    }


def _print_header(row: Row) -> None:
    event = row.event
    echo(printable(f"{event.source} {event.type}  {event.id}"), bold=True)
    trust = "" if event.trust == "verified" else f"  ({event.trust}: the sender is verified, the content is not)"
    lines = [
        ["number", str(row.seq)],
        ["state", row.state.value + (f", edition {row.replay_generation}" if row.replay_generation else "")],
        ["occurred", clock(event.occurred_at) + ("" if event.clock == "event" else f"  (the {event.clock}'s time)")],
        ["received", clock(event.received_at) + trust],
        ["attempts", str(row.attempts)],
    ]
    if row.settled_at:
        lines.append(["settled", clock(row.settled_at)])
    elif row.due_at:
        lines.append(["due", clock(row.due_at)])
    if row.leased_until:
        lines.append(["leased", f"until {clock(row.leased_until)}"])
    print_columns(lines)
    _section("reason", row.reason.splitlines())


def _outlook_lines(outlook: Forecast) -> list[str]:
    lines = outlook.reason.splitlines()
    for message in outlook.messages:
        lines += json_text(message).splitlines()
    return lines + [f"refused {id_}: {fault}" for id_, fault in outlook.refused]


def _section(title: str, lines: list[str]) -> None:
    if lines:
        echo(f"\n{title}", bold=True)
        for line in lines:
            echo(f"  {printable(line)}")
