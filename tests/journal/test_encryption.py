"""Records decrypt with the right key in the right row, and never otherwise."""

import hashlib
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.journal import encryption as encryption_module
from webhooks.journal.encryption import MAGIC, Encryption, Undecryptable, is_changed, key_id, key_of

OLD, NEW = bytes(range(100, 132)).hex(), bytes(range(32)).hex()
CONTENT = ('{"x-kept":"1"}', "{}", b'{"email": "ada@example.com"}')
texts = st.text(max_size=20)


@given(texts, texts, st.sampled_from(["{}", '{"a":"\u00e9"}']), st.sampled_from(["{}", '{"org":"o"}']), st.binary())
def test_encrypted_content_is_decrypted_byte_for_byte(
    source: str, key: str, headers: str, envelope: str, body: bytes
) -> None:
    for keys in ((), (NEW,), ("plain", NEW)):
        encryption = Encryption(keys)
        columns = encryption.encrypt(source, key, (headers, envelope, body))
        assert encryption.decrypt(source, key, columns) == (headers, envelope, body)
        assert Encryption(("plain", OLD, NEW)).decrypt(source, key, columns) == (headers, envelope, body)


def test_a_record_hides_its_content_and_no_two_records_are_equal() -> None:
    encryption = Encryption((NEW,))
    one, other = encryption.encrypt("acme", "1", CONTENT), encryption.encrypt("acme", "1", CONTENT)
    assert one[:2] == ("{}", "{}")
    assert one[2] != other[2]
    assert b"ada" not in one[2]
    assert b"x-kept" not in one[2]
    assert key_of(one[2]) == encryption.current == key_id(NEW).hex()


def test_a_plain_body_that_looks_encrypted_is_distinguished_from_a_record() -> None:
    for body in (MAGIC, MAGIC + b"\0" * 40, Encryption((NEW,)).encrypt("acme", "1", CONTENT)[2]):
        columns = Encryption().encrypt("acme", "1", ("{}", "{}", body))
        assert key_of(columns[2]) == "plain"
        assert Encryption((NEW,)).decrypt("acme", "1", columns) == ("{}", "{}", body)


@given(st.binary(max_size=40), st.integers(0, 100), st.sampled_from([b"", MAGIC, MAGIC + b"\0\0\0\1"]))
def test_a_compressed_body_is_read_byte_for_byte_by_every_encryption(part: bytes, times: int, head: bytes) -> None:
    body = head + part * times
    columns = Encryption().compressing().encrypt("acme", "1", ("{}", "{}", body))
    assert key_of(columns[2]) == "plain"
    for encryption in (Encryption(), Encryption((NEW,)), Encryption((NEW,)).compressing()):
        assert encryption.decrypt("acme", "1", columns) == ("{}", "{}", body)


def test_a_body_is_compressed_if_it_becomes_shorter() -> None:
    encrypt = Encryption().compressing().encrypt
    long, short, noise = b'{"id": "x"}' * 100, b'{"id": "x"}', hashlib.shake_256(b"").digest(3000)
    assert len(encrypt("acme", "1", ("{}", "{}", long))[2]) < len(long) / 10
    for body in (short, noise, b""):
        assert encrypt("acme", "1", ("{}", "{}", body))[2] == body
    assert Encryption().encrypt("acme", "1", ("{}", "{}", long))[2] == long


def test_an_encrypted_body_is_not_compressed_so_its_length_tells_nothing_of_its_content() -> None:
    encrypt = Encryption((NEW,)).compressing().encrypt
    same, other = b"a" * 3000, hashlib.shake_256(b"").digest(3000)
    assert len({len(encrypt("acme", "1", ("{}", "{}", body))[2]) for body in (same, other)}) == 1


def test_a_changed_compressed_body_is_reported() -> None:
    columns = Encryption().compressing().encrypt("acme", "1", ("{}", "{}", b"x" * 3000))
    changed = columns[2][:-1] + bytes([columns[2][-1] ^ 1])
    with pytest.raises(Undecryptable, match="compressed and cannot be read: it was changed") as caught:
        Encryption().decrypt("acme", "1", ("{}", "{}", changed))
    assert is_changed(caught.value.message)


def test_content_whose_key_is_missing_is_not_changed_content() -> None:
    with pytest.raises(Undecryptable) as caught:
        Encryption((OLD,)).decrypt("acme", "1", Encryption((NEW,)).encrypt("acme", "1", CONTENT))
    assert not is_changed(caught.value.message)


@pytest.mark.parametrize(("source", "key"), [("acme", "2"), ("other", "1")])
def test_a_record_moved_to_another_row_cannot_be_decrypted(source: str, key: str) -> None:
    encryption = Encryption((NEW,))
    with pytest.raises(Undecryptable, match="cannot be decrypted"):
        encryption.decrypt(source, key, encryption.encrypt("acme", "1", CONTENT))


@given(st.data())
def test_a_record_changed_or_cut_anywhere_cannot_be_decrypted(data: st.DataObject) -> None:
    encryption = Encryption((NEW,))
    columns = encryption.encrypt("acme", "1", CONTENT)
    at = data.draw(st.integers(4, len(columns[2]) - 1))
    cut = data.draw(st.booleans())
    body = columns[2][:at] if cut else columns[2][:at] + bytes([columns[2][at] ^ 1]) + columns[2][at + 1 :]
    with pytest.raises(Undecryptable):
        encryption.decrypt("acme", "1", ("{}", "{}", body))


def test_a_missing_key_is_named_in_the_error() -> None:
    with pytest.raises(Undecryptable, match=f"encrypted with key {key_id(NEW).hex()}, which is not configured"):
        Encryption((OLD,)).decrypt("acme", "1", Encryption((NEW,)).encrypt("acme", "1", CONTENT))


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    old = Encryption((OLD,)).encrypt("acme", "1", CONTENT)
    both = Encryption((NEW, OLD))
    assert both.decrypt("acme", "1", old) == CONTENT
    assert key_of(both.encrypt("acme", "1", CONTENT)[2]) == Encryption((NEW,)).current
    assert both.ids == {key_id(NEW).hex(), key_id(OLD).hex()}


def test_plain_as_the_first_key_encrypts_nothing() -> None:
    encryption = Encryption(("plain", OLD))
    assert not encryption.on
    assert encryption.current == "plain"
    assert encryption.encrypt("acme", "1", CONTENT) == CONTENT


def test_a_salt_serves_a_bounded_number_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption_module, "_MESSAGES", 3)
    encryption = Encryption((NEW,))
    salts = [encryption.encrypt("acme", "1", CONTENT)[2][8:24] for _ in range(7)]
    assert [salts.index(salt) for salt in salts] == [0, 0, 0, 3, 3, 3, 6]


def test_keys_are_not_in_a_repr() -> None:
    assert NEW not in repr(vars(Encryption((NEW,)))) + repr(Encryption((NEW,)))


def failing(text: str) -> str:
    places: dict[str, int] = {}
    try:
        try:
            places[text]
        except KeyError as error:
            raise ValueError(f"no place for\n{text}\nat all") from error
    except ValueError:
        return traceback.format_exc()
    raise AssertionError


def test_a_traceback_is_stored_without_its_message_if_bodies_are_encrypted() -> None:
    traceback_ = failing("ada@example.com")
    assert Encryption().redact(traceback_) == traceback_
    redacted = Encryption((NEW,)).redact(traceback_)
    assert "ada" not in redacted
    assert redacted.count('test_encryption.py", line') == 2
    assert redacted.endswith("ValueError: (its message is not stored unencrypted)")
    assert Encryption((NEW,)).redact("malformed: $.id is missing") == "malformed: $.id is missing"
