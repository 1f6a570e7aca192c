"""Parse JSON with exact numbers."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from translators.kit.errors import Malformed

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)


def _no_constant(name: str) -> Any:
    raise Malformed("$", f"holds {name}, which is not JSON")


def _scrub(value: Any) -> Any:
    """Replace lone surrogates by U+FFFD: JSON's escapes allow them, UTF-8 does not."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrub(member) for member in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(member) for key, member in value.items()}
    return value


def parse_json(raw: bytes) -> Any:
    """Read JSON with exact numbers: floats as Decimal, integers of any size. Raise `Malformed` for NaN and Infinity."""
    try:
        return _decoder.decode(raw)
    except RecursionError:
        raise Malformed("$", "is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation) as fast:
        try:
            return _scrub(json.loads(raw, parse_float=Decimal, parse_constant=_no_constant))
        except RecursionError:
            raise Malformed("$", "is nested too deeply") from None
        except (ValueError, InvalidOperation):
            raise Malformed("$", f"is not JSON: {fast}") from None
