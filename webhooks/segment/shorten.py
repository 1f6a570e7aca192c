"""A message over Segment's 32 kB is cut by one rule for all sources, so that what it is about still arrives.

1. Texts over 1,000 characters are shortened; the last character is then an ellipsis.
2. The largest list loses its last members, then the next: beside the list `x` stand `x_count`, how many there were, and
   `x_left_out`, how many of them are not sent.
3. Texts over 200 characters are shortened, then objects are left out, the largest first, then texts, and last numbers
   that Segment's spec does not name.

`context.webhook.cut` lists the paths. Ids, times, names and small facts (revenue, total, currency, order_id) always go.
The same message is always cut in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from webhooks.segment.batches import encode
from webhooks.segment.spec import MESSAGE_BYTES

TEXT: Final = 1_000
SHORT_TEXT: Final = 200
FACTS: Final = frozenset({
    "order_id", "checkout_id", "payment_id", "invoice_id", "subscription_id", "refund_id", "affiliation", "revenue",
    "total", "subtotal", "value", "amount", "tax", "shipping", "discount", "coupon", "currency", "quantity", "email",
    "name", "phone",
})  # fmt: skip
"""What is left out last: facts of Segment's spec and the ids of what a message is about."""
_ROOM: Final = 200
"""Bytes of the counts and paths that a cut adds."""
_PATHS: Final = 20
_OWN: Final = frozenset({"library", "webhook", "externalIds"})
"""Parts of the context that are not cut."""


def shorten(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message, cut in place to Segment's limit if it is over it."""
    if len(encode(message)) <= MESSAGE_BYTES:
        return message
    cut = _Cut(message)
    steps: tuple[Callable[[], None], ...] = (
        partial(cut.texts, TEXT), cut.lists, partial(cut.texts, SHORT_TEXT), cut.lists, cut.objects, cut.scalars,
    )  # fmt: skip
    for step in steps:
        step()
        if cut.excess() <= 0:
            break
    return message


class _Cut:
    def __init__(self, message: dict[str, Any]) -> None:
        self._message = message
        self._notes: list[str] = message.setdefault("context", {}).setdefault("webhook", {}).setdefault("cut", [])

    def excess(self) -> int:
        return len(encode(self._message)) - MESSAGE_BYTES

    def texts(self, most: int) -> None:
        """Shorten every long text, those within lists and the context's own (a browser's name) too."""
        context = self._message["context"]
        for name, value in context.items():
            if isinstance(value, str) and len(value) > most:
                context[name] = value[: most - 1] + "…"
                self._note(f"context.{name}")
        for path, holder in list(self._holders(within_lists=True)):
            for name, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
                if isinstance(value, str) and len(value) > most:
                    holder[name] = value[: most - 1] + "…"
                    self._note(f"{path}.{name}" if isinstance(holder, dict) else path)

    def lists(self) -> None:
        """Cut the largest list, then the next."""
        found = [
            (len(encode_value(value)), path, holder, name)
            for path, holder in self._holders()
            for name, value in holder.items()
            if isinstance(value, list) and value
        ]
        for size, path, holder, name in sorted(found, key=lambda each: (-each[0], each[1], each[3])):
            excess = self.excess()
            if excess <= 0:
                return
            allowed = size - excess - _ROOM - 2 * len(name)
            members, kept = holder[name], 0
            for member in members:
                allowed -= len(encode_value(member)) + 1
                if allowed < 0:
                    break
                kept += 1
            if kept == len(members):
                continue
            holder[name] = members[:kept]
            if not kept:
                del holder[name]
            holder.setdefault(f"{name}_count", len(members))
            holder[f"{name}_left_out"] = len(members) - kept
            self._note(f"{path}.{name}")

    def objects(self) -> None:
        """Leave out objects, the largest first."""
        self._leave_out(lambda value: isinstance(value, dict))

    def scalars(self) -> None:
        """Leave out what else is large and no fact of the spec."""
        self._leave_out(lambda value: not isinstance(value, dict | list))

    def _leave_out(self, fits: Any) -> None:
        found = [
            (len(name) + len(encode_value(value)), path, holder, name)
            for path, holder in self._roots()
            for name, value in holder.items()
            if fits(value) and name not in FACTS and not name.endswith(("_count", "_left_out"))
        ]
        excess = self.excess()
        for size, path, holder, name in sorted(found, key=lambda each: (-each[0], each[1], each[3])):
            if excess <= 0:
                return
            del holder[name]
            self._note(f"{path}.{name}")
            excess -= size + 4
            if excess <= 0:
                excess = self.excess()

    def _note(self, path: str) -> None:
        if path not in self._notes and len(self._notes) < _PATHS:
            self._notes.append(path[:100])

    def _roots(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in ("properties", "traits"):
            if isinstance(fields := self._message.get(name), dict):
                yield name, fields
        context = self._message["context"]
        for name, value in context.items():
            if name not in _OWN and isinstance(value, dict):
                yield f"context.{name}", value

    def _holders(self, *, within_lists: bool = False) -> Iterator[tuple[str, Any]]:
        stack: list[tuple[str, Any]] = list(self._roots())[::-1]
        while stack:
            path, value = stack.pop()
            yield path, value
            members = value.items() if isinstance(value, dict) else [("", member) for member in value]
            inner = [
                (f"{path}.{name}" if name else path, member)
                for name, member in members
                if isinstance(member, dict) or (within_lists and isinstance(member, list))
            ]
            stack += inner[::-1]


def encode_value(value: Any) -> bytes:
    """Return any value's JSON, as it is sent."""
    return encode({"": value})[4:-1]
