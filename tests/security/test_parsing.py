"""Bodies made to break a parser: XML with entities, JSON too deep, huge numbers, duplicate members."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from support.installed_endpoints import ENDPOINTS_BY_NAME, handle, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Malformed, Payload, parse_json, raw_member
from translators.salesforce import soap
from webhooks.journal import State

SOAP = ENDPOINTS_BY_NAME["salesforce_token"]
ENTITIES = {
    "a billion laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>',
    "quadratic": b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 50_000 + b'">]>',
    "an external entity": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "an external DTD": b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "a parameter entity": b'<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:9/evil.dtd">%a;]>',
    "only a doctype": b"<!DOCTYPE l>",
}


def post_body(installed, body):
    journal = MemoryJournal()
    response = handle(make_handler(journal), installed.name, installed.request(body=body))
    return response, journal.rows()


def assert_kept_dead(response, rows):
    """Assert that the body is acknowledged and stored as one dead event."""
    assert response.body == soap.answer(acknowledged=True)
    assert [row.state for row in rows] == [State.DEAD]
    assert rows[0].reason.startswith("$")


def outbound(prolog=b"", inside=b""):
    golden = SOAP.goldens[0].body
    start = golden.index(b"<soapenv:Envelope") if b"<soapenv:Envelope" in golden else golden.index(b"<", 6)
    return prolog + golden[start:].replace(b"<Notification>", inside + b"<Notification>", 1)


def test_plain_outbound_message_is_accepted() -> None:
    response, rows = post_body(SOAP, outbound())
    assert response.body == soap.answer(acknowledged=True)
    assert rows


@pytest.mark.parametrize("prolog", ENTITIES.values(), ids=ENTITIES)
def test_xml_entities_and_doctypes_are_refused(prolog) -> None:
    assert_kept_dead(*post_body(SOAP, outbound(prolog)))
    with pytest.raises(Malformed, match="safely"):
        soap.read(outbound(prolog))


@pytest.mark.parametrize(
    "inside",
    [b"<a>" * 200 + b"</a>" * 200, b"<a>" * 10_000, b"<a b='1' b='2'/>", b"&undefined;", b"\xff\xfe", b"<?xml version='1.0'?>"],
    ids=["deep", "never closed", "an attribute twice", "an undefined entity", "no UTF-8", "a second prolog"],
)  # fmt: skip
def test_deep_or_broken_xml_is_refused(inside) -> None:
    assert_kept_dead(*post_body(SOAP, outbound(inside=inside)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_xml_in_another_encoding_than_utf_8_is_refused(encoding) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + outbound().decode()
    assert_kept_dead(*post_body(SOAP, text.encode(encoding)))


def test_declared_xml_encoding_is_ignored() -> None:
    """In UTF-7 `+ADw-` is a `<`; it must not be read so."""
    body = outbound(b'<?xml version="1.0" encoding="utf-7"?>', b"+ADw-evil/+AD4-")
    assert [raw for raw, _ in soap.read(body).notifications] == [raw for raw, _ in soap.read(outbound()).notifications]


JSON = [installed for installed in ENDPOINTS_BY_NAME.values() if installed.goldens[0].path.suffix == ".json"]


@pytest.mark.parametrize("installed", JSON, ids=lambda installed: installed.name)
@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 900 + b"]" * 900], ids=["lists", "objects", "closed"]
)
def test_deeply_nested_json_is_below_500(installed, body) -> None:
    """A sender with a valid token may store an unreadable body: it is dead, and affects nothing else."""
    journal = MemoryJournal()
    response = handle(make_handler(journal), installed.name, replace(installed.request(), body=body))
    assert response.status < 500
    assert [row.state for row in journal.rows()] == [State.DEAD] * (response.status < 300)


@pytest.mark.parametrize("number", ["1" * 5_000, "1e" + "9" * 12, "-" + "9" * 4_301, "1." + "0" * 5_000 + "1", "1E400"])
def test_huge_numbers_are_exact_or_malformed(number) -> None:
    try:
        payload = Payload(parse_json(b'{"n": ' + number.encode() + b"}"))
    except Malformed:
        return
    for read in (payload.integer, payload.decimal, payload.seconds, payload.millis):
        try:
            value = read("n")
        except Malformed:
            continue
        assert len(str(value)) < 10_000
        assert not isinstance(value, Decimal) or value == Decimal(number)


def test_every_reader_takes_the_same_of_duplicate_members() -> None:
    """If verifier and translator chose differently, a forger could exploit it."""
    twice = b'{"a": {"id": 1}, "a": {"id": 2}, "\\u0061": {"id": 3}}'
    assert parse_json(twice)["a"] == json.loads(raw_member(twice, "a")) == json.loads(twice)["a"]


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinity_are_malformed(word) -> None:
    with pytest.raises(Malformed):
        parse_json(b'{"n": ' + word + b"}")


def test_nothing_fixes_the_hash_seed() -> None:
    """Nothing in the repository fixes Python's hash seed."""
    root = Path(__file__).parents[2]
    paths = [root / name for name in ("Procfile", "app.json", "dev.py", "Makefile", ".env.example")]
    paths += [*(root / "webhooks").rglob("*.py")]
    assert [path for path in paths if "PYTHONHASHSEED" in path.read_text()] == []
