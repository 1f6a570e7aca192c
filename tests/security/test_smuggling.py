"""Requests that two readers may read in two ways, at real gunicorn, byte for byte."""

import pytest

from running import EVENT, SECRET
from wire import read, request, signature, status, web

FORGED = EVENT.replace(b"evt_1", b"evt_9")


@pytest.fixture(scope="module", params=["gevent", "gthread"])
def wire(request, tmp_path_factory):
    """As on Heroku, where every peer is trusted to be the router."""
    with web(tmp_path_factory.mktemp("web"), SEGUE_WORKER_CLASS=request.param, FORWARDED_ALLOW_IPS="*") as wire:
        yield wire


def keys(wire):
    return {row.event.key for row in wire.rows()}


def lines(*told, body=b""):
    return b"\r\n".join((*told, b"", body))


BASE = (b"POST /webhooks/acme HTTP/1.1", b"Host: h", b"Connection: close", b"X-Acme-Signature: " + signature(FORGED))
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FORGED), FORGED)


@pytest.mark.parametrize(
    "whole",
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
def test_an_ambiguous_request_is_refused_and_what_stands_behind_it_is_no_request(wire, whole):
    hidden = request(body=EVENT.replace(b"evt_1", b"evt_hidden"))
    with wire.connect() as sock:
        sock.sendall(whole + hidden)
        answer = read(sock)
    assert status(answer) in {400, 501, 0}
    assert answer.count(b"\r\nContent-Length: ") <= 1
    assert keys(wire) & {"evt_9", "evt_hidden"} == set()


def test_a_header_with_underscores_is_not_taken_for_one_with_dashes(wire):
    told = request(b"X_Acme_Signature: " + signature(FORGED), body=FORGED, signed=False)
    answer = wire.send(told)
    assert status(answer) == 401
    assert b'"signature_missing"' in answer


@pytest.mark.parametrize("order", [0, 1])
def test_of_two_signatures_neither_is_chosen(wire, order):
    headers = [b"X-Acme-Signature: " + signature(FORGED), b"X-Acme-Signature: " + signature(FORGED, "other")]
    whole = request(*headers[:: -1 if order else 1], body=FORGED, signed=False)
    assert status(wire.send(whole)) == 401


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /webhooks", b"PATH_INFO: /webhooks/acme", b"Script-Name: /webhooks"])
def test_a_peer_cannot_move_the_path_by_a_header(wire, header):
    assert status(wire.send(request(header, body=FORGED, path=b"/nowhere"))) in {404, 405}
    assert status(wire.send(request(header, body=EVENT))) == 200


@pytest.mark.parametrize(
    "path", [b"http://evil.example/webhooks/acme", b"//webhooks/acme", b"/webhooks//acme", b"*", b"webhooks/acme"]
)
def test_an_odd_form_of_target_stores_nothing_or_is_the_door_itself(wire, path):
    answer = wire.send(request(body=FORGED, path=path))
    assert status(answer) in {400, 404, 405} or (path.endswith(b"/webhooks/acme") and status(answer) == 200)


def test_a_body_that_is_not_told_is_no_body(wire):
    """What follows is the next request, and none of ours."""
    answer = wire.send(lines(*BASE, body=FORGED))
    assert status(answer) == 401
    assert SECRET.encode() not in answer


def test_a_get_with_a_body_stores_nothing(wire):
    before = keys(wire)
    got = EVENT.replace(b"evt_1", b"evt_got")
    answer = wire.send(request(body=got).replace(b"POST ", b"GET ", 1))
    assert status(answer) == 405
    assert b"Select POST" in answer
    assert keys(wire) == before
