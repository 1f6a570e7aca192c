"""What the seal promises: it opens with the right key in the right row, and never otherwise."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.journal import encryption as room
from webhooks.journal.encryption import MAGIC, Encryption, Undecryptable, key_id, sealed_with

OLD, NEW = bytes(range(100, 132)).hex(), bytes(range(32)).hex()
CONTENT = ('{"x-kept":"1"}', "{}", b'{"email": "ada@example.com"}')
texts = st.text(max_size=20)


@given(texts, texts, st.sampled_from(["{}", '{"a":"\u00e9"}']), st.sampled_from(["{}", '{"org":"o"}']), st.binary())
def test_what_was_sealed_comes_back_byte_for_byte(source, key, headers, envelope, body):
    for keys in ((), (NEW,), ("plain", NEW)):
        seal = Encryption(keys)
        shut = seal.shut(source, key, (headers, envelope, body))
        assert seal.open(source, key, shut) == (headers, envelope, body)
        assert Encryption(("plain", OLD, NEW)).open(source, key, shut) == (headers, envelope, body)


def test_nothing_of_the_content_can_be_read_and_no_two_records_are_alike():
    seal = Encryption((NEW,))
    one, other = seal.shut("acme", "1", CONTENT), seal.shut("acme", "1", CONTENT)
    assert one[:2] == ("{}", "{}")
    assert one[2] != other[2]
    assert b"ada" not in one[2]
    assert b"x-kept" not in one[2]
    assert sealed_with(one[2]) == seal.current == key_id(NEW).hex()


def test_a_body_that_looks_sealed_is_told_from_one_that_is():
    for body in (MAGIC, MAGIC + b"\0" * 40, Encryption((NEW,)).shut("acme", "1", CONTENT)[2]):
        shut = Encryption().shut("acme", "1", ("{}", "{}", body))
        assert sealed_with(shut[2]) == "plain"
        assert Encryption((NEW,)).open("acme", "1", shut) == ("{}", "{}", body)


@pytest.mark.parametrize(("source", "key"), [("acme", "2"), ("other", "1")])
def test_a_record_moved_to_another_row_does_not_open(source, key):
    seal = Encryption((NEW,))
    with pytest.raises(Undecryptable, match="does not open"):
        seal.open(source, key, seal.shut("acme", "1", CONTENT))


@given(st.data())
def test_a_record_changed_or_cut_anywhere_does_not_open(data):
    seal = Encryption((NEW,))
    columns = seal.shut("acme", "1", CONTENT)
    at = data.draw(st.integers(4, len(columns[2]) - 1))
    cut = data.draw(st.booleans())
    body = columns[2][:at] if cut else columns[2][:at] + bytes([columns[2][at] ^ 1]) + columns[2][at + 1 :]
    with pytest.raises(Undecryptable):
        seal.open("acme", "1", ("{}", "{}", body))


def test_another_key_is_named_and_does_not_open_it():
    with pytest.raises(Undecryptable, match=f"sealed with key {key_id(NEW).hex()}, which is not configured"):
        Encryption((OLD,)).open("acme", "1", Encryption((NEW,)).shut("acme", "1", CONTENT))


def test_the_first_key_seals_and_every_key_opens():
    old = Encryption((OLD,)).shut("acme", "1", CONTENT)
    both = Encryption((NEW, OLD))
    assert both.open("acme", "1", old) == CONTENT
    assert sealed_with(both.shut("acme", "1", CONTENT)[2]) == Encryption((NEW,)).current
    assert both.ids == {key_id(NEW).hex(), key_id(OLD).hex()}


def test_plain_as_the_first_key_seals_nothing_more():
    seal = Encryption(("plain", OLD))
    assert not seal.on
    assert seal.current == "plain"
    assert seal.shut("acme", "1", CONTENT) == CONTENT


def test_a_salt_serves_a_bounded_number_of_records(monkeypatch):
    monkeypatch.setattr(room, "_MESSAGES", 3)
    seal = Encryption((NEW,))
    salts = [seal.shut("acme", "1", CONTENT)[2][8:24] for _ in range(7)]
    assert [salts.index(salt) for salt in salts] == [0, 0, 0, 3, 3, 3, 6]


def test_keys_show_nowhere():
    assert NEW not in repr(vars(Encryption((NEW,)))) + repr(Encryption((NEW,)))


def failing(text):
    try:
        try:
            {}[text]
        except KeyError as error:
            raise ValueError(f"no place for\n{text}\nat all") from error
    except ValueError:
        return traceback.format_exc()


def test_a_traceback_is_kept_without_what_it_quotes_where_bodies_are_sealed():
    told = failing("ada@example.com")
    assert Encryption().quiet(told) == told
    quiet = Encryption((NEW,)).quiet(told)
    assert "ada" not in quiet
    assert quiet.count('test_seal.py", line') == 2
    assert quiet.endswith("ValueError: (what it says is not kept in clear)")
    assert Encryption((NEW,)).quiet("malformed: $.id is missing") == "malformed: $.id is missing"
