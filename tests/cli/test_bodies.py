"""Stored bodies, formatted for reading."""

import pytest

from webhooks.cli.bodies import pretty

HIDDEN = "(hidden; --raw shows it)"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"b":1.10,"a":12345678901234567890.123}', '{\n  "b": 1.10,\n  "a": 12345678901234567890.123\n}'),
        (b'{"token":"x","n":{"accessToken":"y","api_key":"z"}}', None),
        (b'[{"password":"p"},{"secret":""},{"client_secret":null}]', None),
        (b"{torn", "{torn"),
        (b"a=1&b=two%20words&token=x&c=", f"a: 1\nb: two words\ntoken: {HIDDEN}\nc: "),
        (b"plain text", "plain text"),
        (b"", ""),
        (b"\xff\x00", "(2 bytes that are not text; --raw writes them)"),
        (b"<torn", "<torn"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'),
        (b'<?xml version="1.0"?><a><b>1</b> <c/></a>', "<a>\n  <b>1</b>\n  <c/>\n</a>"),
        (b"<N><sf:Id xsi:type='t'>1</sf:Id><sf:Token>x</sf:Token></N>", None),
    ],
)
def test_a_body_is_indented_and_its_secrets_are_hidden(raw: bytes, shown: str | None) -> None:
    text = pretty(raw)
    if shown is not None:
        assert text == shown
    else:
        assert HIDDEN in text
        assert '"x"' not in text
        assert ">x<" not in text
        assert '"p"' not in text
