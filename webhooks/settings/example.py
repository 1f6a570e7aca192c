"""Generate a segue.toml with every setting explained. Settings without a given value are comments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from webhooks.settings.descriptions import ABOUT, EXAMPLES, TABLES_ABOUT
from webhooks.settings.fields import span_text
from webhooks.settings.model import Settings
from webhooks.settings.schema import ENDPOINT, TABLES

_TOP: Final = """\
# Segue's settings. Remove the # in front of a setting to change it; its value is the default or an example.
# The variable after a setting overrides this file. Keep secrets in variables, or in files that <VARIABLE>_FILE names.
# `segue settings` shows the effective values, `segue check` the errors.
"""
_ENDPOINTS: Final = """\
# --- Endpoints
# Every source has an endpoint under its own name, such as /webhooks/stripe. It is open if <NAME>_WEBHOOK_SECRET is set.
# A table is needed only for a second endpoint of one source, and for the options of a source:
# `segue sources NAME` shows them.
"""


def toml(values: Mapping[str, Any] | None = None, *, notes: Sequence[str] = ()) -> str:
    """Return the file's text. `values` are set, by name (`segment.region`); `notes` are lines after the first ones."""
    chosen = values or {}
    parts = [_TOP + "".join(f"# {note}".rstrip() + "\n" for note in notes)]
    defaults = Settings()
    for table, schema in TABLES.items():
        model: Any = defaults if table in {"", "identity"} else getattr(defaults, table)
        lines = [f"# --- {TABLES_ABOUT[table]}", *([f"[{table}]"] if table else [])]
        for key, rule in schema.fields.items():
            name = f"{table}.{key}".lstrip(".")
            shown = EXAMPLES.get(name) or _written(getattr(model, key))
            line = f"{key} = {_written(chosen[name])}" if name in chosen else f"# {key} = {shown}"
            lines += [f"# {ABOUT[name]}", line + _variable(rule.metadata)]
        parts.append("\n".join(lines) + "\n")
    lines = [_ENDPOINTS + "# [endpoints.stripe_test]"]
    for key, rule in ENDPOINT.fields.items():
        name = f"endpoints.{key}"
        lines += [f"# {ABOUT[name]}", f"# {key} = {EXAMPLES[name]}{_variable(rule.metadata, 'STRIPE_TEST')}"]
    return "\n".join([*parts, "\n".join(lines) + "\n"])


def _variable(metadata: Mapping[str, Any], endpoint: str = "") -> str:
    """Return the name of the setting's variable as a comment after its value."""
    return f"  # {metadata['env'].replace('{NAME}', endpoint)}" if "env" in metadata else ""


def _written(value: Any) -> str:
    """Return a value as TOML. JSON's strings are valid in TOML."""
    if isinstance(value, timedelta):
        return json.dumps(span_text(value))
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
