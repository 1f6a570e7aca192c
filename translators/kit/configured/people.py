"""Who an event of a configured source is about: `[sources.<name>.identity]`."""

from __future__ import annotations

from translators.kit.configured.fields import read_of
from translators.kit.configured.heads import body_of
from translators.kit.configured.tables import Table
from translators.kit.errors import Declaration, Malformed
from translators.kit.event import Event
from translators.kit.identity import ExternalId, Identity, first_id
from translators.kit.source import Source

_PATHS = ("user_id", "metadata", "anonymous", "email")


def declare(source: Source, table: Table, *, form: bool) -> None:
    """Register what the payload claims; at least one way to identify a person is required."""
    table.only(*_PATHS, "group_id", "external_ids", "traits", "own_account")
    user_id, metadata, anonymous, email = (table.text(path) for path in _PATHS)
    group_id, own = table.text("group_id"), table.flag("own_account")
    if not (user_id or metadata or anonymous or email or own):
        table.faults.append(
            f"{table.where} identifies no one: give user_id, metadata, anonymous or email (paths in the body), or "
            "own_account = true if the events are your own account's affair"
        )
    externals = _externals(table.table("external_ids"))
    traits_table = table.table("traits")
    traits = {name: read_of(traits_table, name, value) for name, value in traits_table.items()}

    @source.identity
    def identity(event: Event) -> Identity:
        body = body_of(event, form=form)
        address = body.text(email, "").strip() if email else ""
        mapping = body.texts(metadata) if metadata else {}
        own_user_id = body.id(user_id, "") if user_id else ""
        anonymous_id = first_id(
            customer=body.id(anonymous, "") if anonymous else "",
            email=address.lower(),
            account=f"self:{event.source}" if own else "",
        )
        if not (anonymous_id or mapping or own_user_id):
            paths = [f"$.{path}" for path in (user_id, metadata, anonymous, email) if path]
            raise Malformed(paths[0], f"identifies no one ({table.where}: {', '.join(paths)} hold nothing)")
        return Identity(
            metadata=(mapping,) if metadata else (),
            user_ids=(own_user_id,) if own_user_id else (),
            anonymous=anonymous_id,
            external_ids=tuple(ExternalId(type_, body.id(path, "")) for type_, path in externals.items()),
            traits={"email": address or None} | {name: read(body) for name, read in traits.items()},
            group_id=(body.id(group_id, "") or None) if group_id else None,
        )


def _externals(table: Table) -> dict[str, str]:
    external_ids = {}
    for type_, path in table.items():
        try:
            ExternalId(type_, "")
        except Declaration as error:
            table.fault(type_, f"cannot be: {error}")
        if isinstance(path, str):
            external_ids[type_] = path
        else:
            table.fault(type_, "is no path: write a text")
    return external_ids
