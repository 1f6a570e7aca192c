"""Bodies made to break a parser: XML with entities, JSON too deep, numbers without end, a member told twice."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from doors import PLACES_BY_NAME, door, take
from memory_journal import MemoryJournal
from translators.kit import Malformed, Payload, parse_json, raw_member
from translators.salesforce import soap
from webhooks.journal import State

SOAP = PLACES_BY_NAME["salesforce_token"]
ENTITIES = {
    "a billion laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>',
    "quadratic": b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 50_000 + b'">]>',
    "an external entity": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "an external DTD": b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "a parameter entity": b'<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:9/evil.dtd">%a;]>',
    "only a doctype": b"<!DOCTYPE l>",
}


def post(place, body):
    journal = MemoryJournal()
    answer = take(door(journal), place.name, place.request(body=body))
    return answer, journal.rows()


def assert_kept_dead(answer, rows):
    """Acknowledged, and never read: one dead event with the exact bytes."""
    assert answer.body == soap.answer(acknowledged=True)
    assert [row.state for row in rows] == [State.DEAD]
    assert rows[0].reason.startswith("$")


def outbound(prolog=b"", inside=b""):
    golden = SOAP.goldens[0].body
    start = golden.index(b"<soapenv:Envelope") if b"<soapenv:Envelope" in golden else golden.index(b"<", 6)
    return prolog + golden[start:].replace(b"<Notification>", inside + b"<Notification>", 1)


def test_the_message_itself_is_taken():
    answer, rows = post(SOAP, outbound())
    assert answer.body == soap.answer(acknowledged=True)
    assert rows


@pytest.mark.parametrize("prolog", ENTITIES.values(), ids=ENTITIES)
def test_entities_and_doctypes_are_refused_and_nothing_is_read_elsewhere(prolog):
    assert_kept_dead(*post(SOAP, outbound(prolog)))
    with pytest.raises(Malformed, match="safely"):
        soap.read(outbound(prolog))


@pytest.mark.parametrize(
    "inside",
    [b"<a>" * 200 + b"</a>" * 200, b"<a>" * 10_000, b"<a b='1' b='2'/>", b"&undefined;", b"\xff\xfe", b"<?xml version='1.0'?>"],
    ids=["deep", "never closed", "an attribute twice", "an entity that is none", "no UTF-8", "a second prolog"],
)  # fmt: skip
def test_xml_that_is_deep_or_broken_is_refused(inside):
    assert_kept_dead(*post(SOAP, outbound(inside=inside)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_another_encoding_than_utf_8_is_refused(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + outbound().decode()
    assert_kept_dead(*post(SOAP, text.encode(encoding)))


def test_a_declared_encoding_changes_nothing_in_how_the_bytes_are_read():
    """In UTF-7 `+ADw-` is a `<`: nobody reads it so."""
    body = outbound(b'<?xml version="1.0" encoding="utf-7"?>', b"+ADw-evil/+AD4-")
    assert [raw for raw, _ in soap.read(body).notifications] == [raw for raw, _ in soap.read(outbound()).notifications]


JSON = [place for place in PLACES_BY_NAME.values() if place.goldens[0].path.suffix == ".json"]


@pytest.mark.parametrize("place", JSON, ids=lambda place: place.name)
@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 900 + b"]" * 900], ids=["lists", "objects", "closed"]
)
def test_json_nested_too_deeply_is_an_answer_and_no_crash(place, body):
    """Who has a token may store what no translator can read: it is kept as dead, and harms nothing else."""
    journal = MemoryJournal()
    answer = take(door(journal), place.name, replace(place.request(), body=body))
    assert answer.status < 500
    assert [row.state for row in journal.rows()] == [State.DEAD] * (answer.status < 300)


@pytest.mark.parametrize("number", ["1" * 5_000, "1e" + "9" * 12, "-" + "9" * 4_301, "1." + "0" * 5_000 + "1", "1E400"])
def test_a_number_without_end_is_malformed_or_exact_and_never_fills_the_memory(number):
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


def test_of_a_member_told_twice_every_reader_takes_the_same():
    """A verifier and a translator that chose differently could be played against each other."""
    twice = b'{"a": {"id": 1}, "a": {"id": 2}, "\\u0061": {"id": 3}}'
    assert parse_json(twice)["a"] == json.loads(raw_member(twice, "a")) == json.loads(twice)["a"]


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_are_refused(word):
    with pytest.raises(Malformed):
        parse_json(b'{"n": ' + word + b"}")


def test_hashes_are_salted_so_that_chosen_keys_do_not_collide():
    """Nothing in the repository fixes Python's hash seed."""
    root = Path(__file__).parents[2]
    told = [root / name for name in ("Procfile", "app.json", "dev.py", "Makefile", ".env.example")]
    told += [*(root / "webhooks").rglob("*.py")]
    assert [path for path in told if "PYTHONHASHSEED" in path.read_text()] == []
