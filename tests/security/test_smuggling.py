"""Ambiguous requests, sent byte for byte to real gunicorn."""

import pytest

from support.processes import EVENT, SECRET
from support.raw_requests import ENTRANCES, read, request, signature, status, web

FORGED = EVENT.replace(b"evt_1", b"evt_9")


PARSERS = ["python", "fast"]
"""gunicorn's parsers of HTTP; the fast one is the extra `fast`."""


@pytest.fixture(
    scope="module", params=[(entrance, parser) for parser in PARSERS for entrance in ENTRANCES], ids=", ".join
)
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Trust every client as a proxy, as on Heroku."""
    entrance, parser = request.param
    arguments = {"GUNICORN_CMD_ARGS": f"--http-parser {parser}", "FORWARDED_ALLOW_IPS": "*"}
    with web(tmp_path_factory.mktemp("web"), entrance=entrance, **arguments) as wire:
        yield wire


def keys(wire):
    return {row.event.id for row in wire.rows()}


def lines(*head_lines, body=b""):
    return b"\r\n".join((*head_lines, b"", body))


BASE = (b"POST /webhooks/acme HTTP/1.1", b"Host: h", b"Connection: close", b"X-Acme-Signature: " + signature(FORGED))
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FORGED), FORGED)


@pytest.mark.parametrize(
    "data",
    [
        lines(*BASE, b"Content-Length: 4", b"Transfer-Encoding: chunked", body=CHUNKED),
        lines(*BASE, b"Transfer-Encoding: chunked", b"Content-Length: 4", body=CHUNKED),
        lines(*BASE, b"Content-Length: %d" % len(FORGED), b"Content-Length: 3", body=FORGED),
        lines(*BASE, b"Transfer-Encoding: xchunked", b"Content-Length: 4", body=CHUNKED),
        lines(*BASE, b"Transfer-Encoding: chunked, identity", body=CHUNKED),
        lines(*BASE, b"Transfer-Encoding : chunked", body=CHUNKED),
        lines(*BASE, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKED),
        lines(*BASE, b"Content-Length: %d" % len(FORGED), b" folded: yes", body=FORGED),
        lines(*BASE, b"Content-Length : %d" % len(FORGED), body=FORGED),
        lines(*BASE, b"X-Nul: a\0b", b"Content-Length: %d" % len(FORGED), body=FORGED),
        lines(*BASE, b"X-Bare: a\rb", b"Content-Length: %d" % len(FORGED), body=FORGED),
        lines(*BASE, b"no colon here", b"Content-Length: %d" % len(FORGED), body=FORGED),
        lines(b"POST /webhooks/acme HTTP/1.1 x", *BASE[1:], b"Content-Length: %d" % len(FORGED), body=FORGED),
    ],
    ids=[
        "CL.TE", "TE.CL", "two lengths", "unknown coding", "chunked not last", "space before colon", "TE twice",
        "folded", "space before colon of CL", "NUL", "bare CR", "no colon", "bad version",
    ],
)  # fmt: skip
def test_ambiguous_request_is_refused_and_nothing_after_it_is_read(wire, data) -> None:
    hidden = request(body=EVENT.replace(b"evt_1", b"evt_hidden"))
    with wire.connect() as sock:
        sock.sendall(wire.prepared(data) + hidden)
        response = read(sock)
    assert status(response) in {400, 501, 0}
    assert response.count(b"\r\nContent-Length: ") <= 1
    assert keys(wire) & {"evt_9", "evt_hidden"} == set()


def test_header_with_underscores_is_dropped(wire) -> None:
    data = request(b"X_Acme_Signature: " + signature(FORGED), body=FORGED, signed=False)
    response = wire.send(data)
    assert status(response) == 401
    assert b'"signature_missing"' in response


@pytest.mark.parametrize("order", [0, 1])
def test_two_signature_headers_are_401(wire, order) -> None:
    headers = [b"X-Acme-Signature: " + signature(FORGED), b"X-Acme-Signature: " + signature(FORGED, "other")]
    data = request(*headers[:: -1 if order else 1], body=FORGED, signed=False)
    assert status(wire.send(data)) == 401


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /webhooks", b"PATH_INFO: /webhooks/acme", b"Script-Name: /webhooks"])
def test_script_name_and_path_info_headers_are_ignored(wire, header) -> None:
    assert status(wire.send(request(header, body=FORGED, path=b"/nowhere"))) in {404, 405}
    assert status(wire.send(request(header, body=EVENT))) == 200


@pytest.mark.parametrize(
    "path", [b"http://evil.example/webhooks/acme", b"//webhooks/acme", b"/webhooks//acme", b"*", b"webhooks/acme"]
)
def test_odd_request_targets_are_refused_or_reach_the_endpoint(wire, path) -> None:
    response = wire.send(request(body=EVENT.replace(b"evt_1", b"evt_odd"), path=path))
    assert status(response) in {400, 404, 405} or (path.endswith(b"/webhooks/acme") and status(response) == 200)


def test_request_without_length_has_no_body(wire) -> None:
    """The bytes that follow are read as the next request."""
    response = wire.send(lines(*BASE, body=FORGED))
    assert status(response) == 401
    assert SECRET.encode() not in response


def test_get_with_a_body_is_405_and_not_stored(wire) -> None:
    before = keys(wire)
    body = EVENT.replace(b"evt_1", b"evt_got")
    response = wire.send(request(body=body).replace(b"POST ", b"GET ", 1))
    assert status(response) == 405
    assert b"Select POST" in response
    assert keys(wire) == before


def test_pipelined_requests_are_answered_in_order(wire):
    bodies = [EVENT.replace(b"evt_1", b"evt_pipelined_%d" % number) for number in range(3)]
    keep = [request(body=body).replace(b"Connection: close\r\n", b"") for body in bodies]
    keep[1] = keep[1].replace(b"POST /webhooks/acme ", b"POST /webhooks/acme?through=wsgi ")
    response = wire.send(b"".join(keep))
    assert response.count(b"HTTP/1.1 200 OK") == response.count(b'"new":1') == 3
    assert {"evt_pipelined_0", "evt_pipelined_1", "evt_pipelined_2"} <= keys(wire)
