"""Rules that many sources share: one account only, live or test events, and the state of a ticket."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from translators.kit.errors import Refused
from translators.kit.event import Delivery, Event
from translators.kit.options import Option
from translators.kit.source import Source

ModeOf = Callable[[Event], str]


def accept_account(
    source: Source,
    option: Option[str] | Option[tuple[str, ...]],
    account_of: Callable[[Delivery], str | None],
    *,
    what: str,
    same: Callable[[str, str], bool] = str.__eq__,
) -> None:
    """Register a guard: if the option names accounts, a delivery of another account, or of none, is refused.

    `account_of` returns the account's id in a delivery; `what` names it for people, such as "Intercom workspace".
    `same` compares (id in the delivery, id in the option).
    """

    @source.guard
    def one_account(delivery: Delivery) -> None:
        value = option.of(delivery)
        allowed = (value,) if isinstance(value, str) else value
        if not any(allowed):
            return
        account = account_of(delivery)
        if not account:
            raise Refused(f"This delivery names no {what}, and {option.name} allows one only.")
        if not any(same(account, id_) for id_ in allowed):
            raise Refused(f"This delivery is from another {what}.")


def skip_other_modes(
    source: Source, option: Option[str], *, what: str = "event", context: Mapping[str, Mapping[str, Any]] | None = None
) -> Callable[[ModeOf], ModeOf]:
    """Decorate the function that returns an event's mode; events of a mode that the option does not choose are skipped.

        @skip_other_modes(acme, ENVIRONMENT, what="payment", context={"test": {"test": True}})
        def environment(event: Event) -> str:
            return "live" if event.body.flag("live") else "test"

    Modes are called as the option calls them; `both` chooses all. `what` names the event in the reason.
    `context` is what `context.webhook` holds for the events of a mode, so that a receiver can tell them apart.
    """

    def register(mode_of: ModeOf) -> ModeOf:
        @source.skip_if
        def other_mode(event: Event) -> str | None:
            mode = mode_of(event)
            if option.of(event) in ("both", mode):
                return None
            setting = f"SEGUE_{event.source.upper()}_{option.name.upper()}"
            return f"a {mode} {what}; set {setting}=both to deliver it too"

        if context is not None:
            source.context(lambda event: context.get(mode_of(event), {}))
        return mode_of

    return register


def ticket_event(before: str | None, after: str | None, done: Collection[str]) -> str:
    """Return the name of a ticket's change of status; `done` are the states of a solved ticket.

    A ticket is solved when it enters these states and reopened when it leaves them; docs/help-desks.md has the rule.
    """
    if after in done:
        return "Ticket Status Changed" if before in done else "Ticket Solved"
    return "Ticket Reopened" if before in done else "Ticket Status Changed"
