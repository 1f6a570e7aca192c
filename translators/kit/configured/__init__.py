"""A source from configuration alone, for a provider without a translator. No Python needed.

docs/configured-sources.md describes every key. In short:

    [sources.acme]
    scheme = { class = "HmacBody", header = "X-Acme-Signature", encoding = "hex" }
    id = "event_id"                     # a path in the body, or "header:X-Acme-Delivery"; a list is joined
    type = "event_type"
    time = "occurred_at"

    [sources.acme.identity]
    user_id = "data.user.id"
    anonymous = "data.customer_id"

    [sources.acme.events."order.paid"]
    track = "Order Completed"
    fields = { order_id = { id = "data.id" }, revenue = { minor = "data.cents", currency = "data.currency" } }

    [sources.acme.ignore]
    "invoice.*" = "order.paid has the same facts"

tables.py reads a table and collects its faults, heads.py names events, people.py says who, fields.py reads one
property, events.py makes messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.kit.configured import events, heads, people
from translators.kit.configured.schemes import scheme_of
from translators.kit.configured.tables import Table
from translators.kit.errors import Declaration
from translators.kit.schemes import HmacBody
from translators.kit.source import Source

_KEYS = (
    "title", "docs", "secret_help", "scheme", "methods", "body", "id", "type", "time", "naive_times_are_utc", "items",
    "identity", "events", "ignore",
)  # fmt: skip


def configured(name: str, config: Any) -> Source:
    """Return the source that a table describes. Raise `Declaration` with every fault, one a line, each with its key."""
    faults: list[str] = []
    table = Table(f"sources.{name}", config, faults)
    source = _source(name, table) if isinstance(config, Mapping) else None
    if source is None or faults:
        raise Declaration("\n".join(dict.fromkeys(faults)))
    return source


def _source(name: str, table: Table) -> Source:
    table.only(*_KEYS)
    scheme = scheme_of(table)
    form = table.choice("body", ("json", "form")) == "form"
    try:
        source = Source(
            name, scheme=scheme or HmacBody(header="-"), title=table.text("title"), docs=table.text("docs"),
            secret_help=table.text("secret_help"), keep_headers=heads.headers(table), methods=table.texts("methods"),
        )  # fmt: skip
    except Declaration as error:
        table.faults.append(f"{table.where}: {error}")
        return Source("unnamed", scheme=HmacBody(header="-"))
    heads.declare(source, table, form=form)
    people.declare(source, table.table("identity"), form=form)
    events.declare(source, table, form=form)
    return source
