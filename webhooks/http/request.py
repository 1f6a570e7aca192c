"""The request: read by the handler, the signatures and the diagnosis, and sent by `segue send`, without a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A provider's request, as the web server read it or as it is to be sent. `body` holds the exact bytes.

    Header names are lower case. `path_token` is what follows the endpoint's name in the path; `path` is the whole path
    as it was requested, if it is known.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    path_token: str = ""
    path: str = ""


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}
