"""What a translator may raise. Anything else is a bug of the translator, kept with its traceback.

KitError
├── Malformed       the payload cannot be what the provider documents; carries the path
├── Skip            a well-formed event of a translated type that means nothing to Segment, with the reason
├── Refused         a guard rejected the delivery (of another organisation, say)
└── Declaration     the translator itself is declared wrongly; raised at import, never on a request
"""

from __future__ import annotations


class KitError(Exception):
    """The base class of every error that the kit raises on purpose."""


class Malformed(KitError):
    """The payload breaks its provider's documented shape. `path` is a JSONPath such as `$.data.object.customer`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path
        self.problem = problem


class Skip(KitError):
    """This event makes no message, and that is right: `raise Skip("a setup-mode session is no order")`."""


class Refused(KitError):
    """The delivery is not for this endpoint, whatever its signature says."""


class Declaration(KitError):
    """A source is declared wrongly: two handlers for one type, an unknown path, a name out of form."""
