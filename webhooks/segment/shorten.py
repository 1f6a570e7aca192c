"""Shorten a message over Segment's 32 kB, by the same rules for all sources, so that its main facts still arrive.

1. Texts over 1,000 characters are shortened; the last character is then an ellipsis.
2. The largest list loses its last members, then the next largest. For a list `x`, `x_count` is how many members there
   were, and `x_left_out` how many of them are not sent.
3. Texts over 200 characters are shortened. Then objects are left out, the largest first, then texts, and last numbers
   that Segment's spec does not name.

`context.webhook.cut` lists the paths. Ids, times, names and small facts (revenue, total, currency, order_id) are always
sent.
The same message is always shortened in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from itertools import accumulate
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
"""Names that are never left out: those of Segment's spec, and the ids of the message's subject."""
_MARGIN: Final = 200
"""Bytes reserved for the counts and paths that shortening adds."""
_PATHS: Final = 20
_OWN: Final = frozenset({"library", "webhook", "externalIds"})
"""Parts of the context that are not shortened."""


def shorten(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message, or a shortened copy if it is over Segment's limit."""
    if len(encode(message)) <= MESSAGE_BYTES:
        return message
    message = deepcopy(message)  # messages of one event share parts
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
        """Shorten every long text, also in lists and in the context itself (such as the user agent)."""
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
        """Shorten the largest list, then the next."""
        candidates = [
            (len(encode_value(value)), path, holder, name)
            for path, holder in self._holders()
            for name, value in holder.items()
            if isinstance(value, list) and value
        ]
        for size, path, holder, name in sorted(candidates, key=lambda row: (-row[0], row[1], row[3])):
            excess = self.excess()
            if excess <= 0:
                return
            allowed = size - excess - _MARGIN - 2 * len(name)
            members = holder[name]
            kept = sum(total <= allowed for total in accumulate(len(encode_value(member)) + 1 for member in members))
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
        """Leave out other large values that Segment's spec does not name."""
        self._leave_out(lambda value: not isinstance(value, dict | list))

    def _leave_out(self, matches: Any) -> None:
        candidates = [
            (len(name) + len(encode_value(value)), path, holder, name)
            for path, holder in self._roots()
            for name, value in holder.items()
            if matches(value) and name not in FACTS and not name.endswith(("_count", "_left_out"))
        ]
        excess = self.excess()
        for size, path, holder, name in sorted(candidates, key=lambda row: (-row[0], row[1], row[3])):
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
    """Return the JSON of any value, as it is sent."""
    return encode({"": value})[4:-1]
