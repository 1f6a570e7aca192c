"""Call a WSGI application without a server."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication


def call_app(app: "WSGIApplication", environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return the status line, the headers and the body; an empty status if the application started no response."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: "OptExcInfo | None" = None, /) -> Any:
        started.append((status, headers))

    body = b"".join(app(environ, start_response))
    return *(started[0] if started else ("", [])), body
