r"""Texts in place of an id: what a program writes for no value, and templates that were not rendered.

As an id such a text would merge all who carry it into one person. The list is that of Segment's own default
(`^[0\-]*$`, `-1`, `null`, `anonymous`) with what JavaScript, Python, Ruby, Go and common templates print for no value.
https://www.twilio.com/docs/segment/unify/identity-resolution/identity-resolution-settings
"""

from __future__ import annotations

import re
from typing import Any, Final

WORDS: Final = frozenset({
    "", "-1", "null", "(null)", "<null>", "undefined", "none", "nil", "nan", "n/a", "<no value>", "[object object]",
    "(none)", "(not set)", "not set", "#n/a", "anonymous", "unknown", "guest", "true", "false", "[]", "{}", '""', "''",
})  # fmt: skip
"""In any case, without white space around them."""
_OBJECT: Final = re.compile(r"\[object \w{1,40}\]", re.IGNORECASE)
"""What JavaScript prints for any object."""
_ZEROES: Final = re.compile(r"[0\-]+")
_PRINTED: Final = frozenset({"null", "undefined", "(null)", "NaN", "nil", "<nil>", "<null>"})
"""What programs print for no value, in just this case: `Null` is a surname."""
_REACHED_BY: Final = frozenset({"email", "phone"})
_LONGEST: Final = 200
"""The longest text, in characters, that is checked for a template; no id is longer."""
_TEMPLATE: Final = re.compile(
    r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|#\{[^{}]*\}|\$\([^()]*\)|\{%[^{}]*%\}|<%[^<>]*%>|\*\|[^|]*\|\*|\[\[[^\[\]]*\]\]"
)
_MARK: Final = re.compile(r"[{(<%*\[]")
"""One of these stands in every template and in `[object Object]`; most texts have none."""
# `{name}` has no digits: a GUID in braces is an id
_WHOLE: Final = re.compile(r"%[A-Za-z_][\w. -]*%|%%[\w. -]+%%|\{[A-Za-z_][A-Za-z_.]*\}|<[A-Za-z_][A-Za-z_. ]*>")


def is_unrendered(text: str) -> bool:
    """Return whether a text is or holds an unrendered template: `{{user.id}}`, `${id}`, `%USER_ID%`, `<%= id %>`."""
    if len(text) > _LONGEST or _MARK.search(text) is None:
        return False
    return _TEMPLATE.search(text) is not None or _WHOLE.fullmatch(text.strip()) is not None


def is_placeholder(text: str) -> bool:
    """Return whether a text is no id: empty, a word for no value, zeroes, or a template that was not rendered."""
    word = text.strip()
    if len(word) > 2 and word[0] == word[-1] and word[0] in "\"'":
        word = word[1:-1].strip()
    if word.casefold() in WORDS or (word[0] in "0-" and _ZEROES.fullmatch(word) is not None):
        return True
    return _MARK.search(word) is not None and (_OBJECT.fullmatch(word) is not None or is_unrendered(word))


def known(traits: Any) -> Any:
    """Return traits without those that say nothing, also in objects of them: an empty text, an unrendered template, and
    what a program printed for no value (`null`, `undefined undefined`, `[object Object]`).

    For `email` and `phone` that is every placeholder.
    """
    if not isinstance(traits, dict):
        return traits
    kept = {}
    for name, value in traits.items():
        if isinstance(value, str) and _says_nothing(name, value):
            continue
        kept[name] = known(value)
        if value and not kept[name] and isinstance(value, dict):
            del kept[name]
    return kept


def _says_nothing(name: str, text: str) -> bool:
    first = text.split(None, 1)
    if not first or (first[0] in _PRINTED and all(word in _PRINTED for word in text.split())):
        return True
    if _MARK.search(text) is not None and (_OBJECT.fullmatch(text.strip()) or is_unrendered(text)):
        return True
    return name in _REACHED_BY and is_placeholder(text)
