"""Content-Encoding of a request: charsets are ignored, gzip and deflate decoded in linear time and within the limit."""

import gzip
import time
import zlib

import pytest

from support.acme import body, signed
from webhooks.errors import Rejected
from webhooks.http.encodings import decode

LIMIT = 100_000
TEXT = b'{"id": "evt_1"}' * 20


def deflated(data: bytes, window: int) -> bytes:
    compressor = zlib.compressobj(wbits=window)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    "header",
    [
        "", "identity", "Identity", "utf-8", "UTF-8", "utf8", '"utf-8"', "charset=utf-8", "charset = UTF-8", "us-ascii", "ASCII",
        "iso-8859-1", "ISO_8859-15", "latin1", "Latin-1", "windows-1252", "cp1252", "utf-16le", "UTF-16", "shift_jis", "euc-kr",
        "gb18030", "big5", "koi8-r", "iso-2022-jp", "none", "binary", "8bit", "7bit", "identity, utf-8", ",", " , identity",
        "application/json", "application/vnd.api+json", "text/xml", "null", "undefined", "chunked", "iso-8859-1, identity",
    ],
)  # fmt: skip
def test_charset_or_identity_content_encoding_changes_nothing(header: str) -> None:
    assert decode(TEXT, header, LIMIT) is TEXT


@pytest.mark.parametrize(
    "header", ["gzip", "x-gzip", "GZIP", "gzip, identity", "identity,gzip", "utf-8, gzip", "gzip,"]
)
def test_gzip_is_decoded_also_in_a_list_with_identity(header: str) -> None:
    assert decode(gzip.compress(TEXT), header, LIMIT) == TEXT


def test_several_gzip_members_are_decoded() -> None:
    members = b"".join(gzip.compress(TEXT[at : at + 7]) for at in range(0, len(TEXT), 7))
    assert decode(members, "gzip", LIMIT) == TEXT
    assert decode(members + b"\0" * 40, "gzip", LIMIT) == TEXT
    assert decode(gzip.compress(b"") + gzip.compress(TEXT), "gzip", LIMIT) == TEXT


@pytest.mark.parametrize("window", [zlib.MAX_WBITS, -zlib.MAX_WBITS], ids=["zlib", "raw"])
def test_deflate_is_decoded_with_and_without_zlib_wrapper(window: int) -> None:
    for data in (TEXT, b"", bytes(range(256)) * 90):
        assert decode(deflated(data, window), "deflate", LIMIT) == data


def test_raw_deflate_that_begins_like_zlib_is_decoded() -> None:
    """The padding and length of a stored block make `78 01`, which is a valid zlib header too."""
    data = b"\x78\x01\x00\xfe\xff" + b"x" + b"\x01\x00\x00\xff\xff"
    assert zlib.decompress(data, -zlib.MAX_WBITS) == b"x"
    assert decode(data, "deflate", LIMIT) == b"x"


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (TEXT, "gzip"),
        (b"", "gzip"),
        (gzip.compress(TEXT)[:-1], "gzip"),
        (gzip.compress(TEXT) + b"rest", "gzip"),
        (gzip.compress(TEXT) + gzip.compress(TEXT)[:-5], "gzip"),
        (gzip.compress(b"") * 1001, "gzip"),
        (b"", "deflate"),
        (TEXT, "deflate"),
        (zlib.compress(TEXT)[:-1], "deflate"),
    ],
    ids=["text", "empty", "cut short", "rest", "second cut", "members", "no deflate", "text deflate", "cut deflate"],
)
def test_body_that_does_not_match_its_encoding_is_bad_encoding(data: bytes, header: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(data, header, LIMIT)
    assert (caught.value.status, caught.value.error) == (400, "bad_encoding")


@pytest.mark.parametrize(
    "header", ["br", "zstd", "compress", "gzip, gzip", "gzip, deflate", "br, identity", "base64", "utf-8x", "gzip;q=1"]
)
def test_other_content_codings_are_415_with_a_hint(header: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(gzip.compress(TEXT), header, LIMIT)
    assert (caught.value.status, caught.value.error) == (415, "unsupported_encoding")
    assert "gzip or deflate" in caught.value.hint


@pytest.mark.parametrize("header", ["gzip", "deflate"])
def test_decoded_size_limit_is_exact_across_gzip_members(header: str) -> None:
    pack = gzip.compress if header == "gzip" else zlib.compress
    assert len(decode(pack(b"x" * LIMIT), header, LIMIT)) == LIMIT
    over = [pack(b"x" * (LIMIT + 1))] + ([gzip.compress(b"x" * (LIMIT // 2 + 1)) * 2] if header == "gzip" else [])
    for data in over:
        with pytest.raises(Rejected) as caught:
            decode(data, header, LIMIT)
        assert caught.value.error == "body_too_large"


def test_many_small_gzip_members_take_linear_time() -> None:
    """The limit is generous: quadratic copying would take minutes."""
    data = gzip.compress(b"") * 900 + gzip.compress(b"x" * 1_000) + b"\0" * (1 << 24)
    began = time.perf_counter()
    assert decode(data, "gzip", 1 << 20) == b"x" * 1_000
    assert time.perf_counter() - began < 5


def test_signed_body_with_a_charset_as_content_encoding_is_accepted() -> None:
    from support.acme import NOW, make_endpoint
    from support.memory_journal import MemoryJournal
    from webhooks.http.request import HttpRequest
    from webhooks.web.handler import WebhookHandler

    journal = MemoryJournal()
    handler = WebhookHandler(
        endpoints={"acme": make_endpoint()}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    headers = {name.lower(): value for name, value in signed(body()).items()} | {"content-encoding": "UTF-8"}
    assert handler.handle("acme", HttpRequest(method="POST", body=body(), headers=headers)).status == 200
    assert journal.rows()[0].event.raw == body()
