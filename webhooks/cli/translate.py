"""`segue translate`: show the messages of a payload, without sending them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from webhooks.cli.complete import endpoint_names
from webhooks.cli.output import echo, fail, print_json
from webhooks.cli.payload import header_option, pairs, read
from webhooks.logs import printable

if TYPE_CHECKING:
    from webhooks.sources.endpoints import Endpoint


@click.command(short_help="Show the Segment messages that a payload becomes. Sends nothing.")
@click.argument("source", shell_complete=endpoint_names)
@click.argument("file", type=click.File("rb"))
@header_option
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the source; separate several values by commas.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per event, in a list.")
def translate(source: str, file: IO[bytes], headers: tuple[str, ...], options: tuple[str, ...], as_json: bool) -> None:
    """Translate FILE (- is stdin), a payload as SOURCE sends it. No signature is needed; nothing is stored or sent.

    NAME.request.json beside NAME.json sets headers and query. Message ids are those of this installation if its
    settings are present. Exit code 1 if an event is broken or has a message that Segment would drop.

    \b
    Examples:
      segue translate stripe event.json
      curl -s https://example.com/event.json | segue translate stripe -
    """  # noqa: D301
    from dataclasses import replace

    from translators.kit import Refused
    from webhooks.cli.configuration import runtime_or_default
    from webhooks.journal import State
    from webhooks.translation.prepare import prepare
    from webhooks.translation.translate import Translated

    runtime = runtime_or_default()
    endpoint = runtime.endpoint(source)
    endpoint = replace(endpoint, options={**endpoint.options, **_options(options, endpoint)})
    delivery = endpoint.delivery(read(file, headers), received_at=datetime.now(UTC))
    try:
        events = endpoint.runtime.receive(delivery)
    except Refused as error:
        raise fail(f"The endpoint's options refuse it: {error}.", "Change them with --option NAME=VALUE.") from None
    entries: list[dict[str, Any]] = []
    dead = False
    for event in events:
        prepared = prepare(event, endpoint, namespace=runtime.settings.namespace, replay_generation=0)
        outcome = prepared.outcome
        entry: dict[str, Any] = {"event": event.id, "type": event.type, "occurred_at": event.occurred_at}
        entry["outcome"] = type(outcome).__name__.lower()
        entry |= {"messages": outcome.messages} if isinstance(outcome, Translated) else {"reason": outcome.reason}
        if prepared.refused:
            entry["refused"] = [{"message_id": id_, "fault": fault} for id_, fault in prepared.refused]
        entries.append(entry)
        dead = dead or prepared.state is State.DEAD or bool(prepared.refused)
    if as_json:
        print_json(entries)
    else:
        for entry in entries:
            _show(entry)
    raise SystemExit(1 if dead else 0)


def _show(entry: dict[str, Any]) -> None:
    from translators.kit import to_iso

    colour = {"translated": "green", "broken": "red"}.get(entry["outcome"], "yellow")
    echo(printable(f"{entry['type']}  {entry['event']}  at {to_iso(entry['occurred_at'])}"), bold=True)
    echo(f"  {entry['outcome']}", fg=colour, nl="messages" in entry)
    if "messages" in entry:
        for message in entry["messages"]:
            print_json(message)
    else:
        echo(f": {entry['reason'].strip()}")
    for refused in entry.get("refused", ()):
        echo(printable(f"  Segment would drop {refused['message_id']}: {refused['fault']}"), fg="red")


def _options(texts: Iterable[str], endpoint: Endpoint) -> dict[str, Any]:
    from webhooks.cli.output import fail
    from webhooks.settings import EndpointSettings, endpoint_errors

    declared = endpoint.source.options
    values: dict[str, Any] = {}
    for name, value in pairs(texts, "=", "--option"):
        many = name in declared and declared[name].many
        values[name] = tuple(part.strip() for part in value.split(",") if part.strip()) if many else value
    settings = EndpointSettings(name=endpoint.name, source=endpoint.source.name, options=values)
    for fault in endpoint_errors(settings, {endpoint.source.name: endpoint.source}, public_url=""):
        raise fail(f"--option: {fault}.", f"`segue sources {endpoint.source.name}` lists its options.")
    return values
