"""What names an event, for every golden of every source: what repeats it is a duplicate, a sibling is a new event.

`tests/event_keys/<source>.json` is a list of rules, the first whose `golden` pattern matches a golden's name counts:

    {
        "golden": "orders.*",
        "duplicate": {"a second subscription of the topic": {"headers": {"X-Shopify-Webhook-Id": "another"}}},
        "new": {"another order in the same second": {"body": {"id": 902}}}
    }

A change sets `headers`, `query`, `body` (members by dotted path, `*` for each member of a list; fields of a form) or
`replace` (text of a body that is neither); a null takes the member away. A rule with `because` in place of one of the
two says why this source has no such case. docs/sources/<source>.md says the same in words: "What names an event".
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from translators.kit import Source
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, Golden, find_goldens

HERE = Path(__file__).parent
SOURCES = plugins.load().sources


@cache
def rules(name: str) -> list[dict[str, Any]]:
    path = HERE / "event_keys" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else []


def rule_of(source: Source, golden: Golden) -> dict[str, Any]:
    return next((rule for rule in rules(source.name) if fnmatchcase(golden.name, rule["golden"])), {})


def named(source: Source, golden: Golden) -> list[str]:
    """The keys of a request's events; none if it is a handshake or names nothing."""
    delivery = golden.delivery(source)
    if SourceRuntime(source).handshake(delivery):
        return []
    return [event.id for event in SourceRuntime(source).events(delivery) if not event.problem]


def set_member(value: Any, steps: list[str], new: Any) -> None:
    first, rest = steps[0], steps[1:]
    if first == "*":
        for place in range(len(value)):
            set_member(value, [str(place), *rest], new)
        return
    step: Any = int(first) if isinstance(value, list) else first
    if rest:
        if isinstance(value, dict):
            value.setdefault(step, {})
        set_member(value[step], rest, new)
    elif new is None:
        value.pop(step, None)
    else:
        value[step] = new


def changed(golden: Golden, change: dict[str, Any]) -> Golden:
    """The request of a golden with a rule's change made; the change must be one."""
    assert change.keys() <= {"headers", "query", "body", "replace"}, change
    request, body = dict(golden.request), golden.body
    for part in ("headers", "query"):
        if part in change:
            merged = {name.lower(): value for name, value in request.get(part, {}).items()} | {
                name.lower(): value for name, value in change[part].items()
            }
            request[part] = {name: value for name, value in merged.items() if value is not None}
    if "body" in change and golden.path.suffix == ".form":
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True)) | change["body"]
        body = urlencode({name: value for name, value in fields.items() if value is not None}).encode()
    elif "body" in change:
        value = json.loads(body)
        for path, new in change["body"].items():
            set_member(value, path.split("."), new)
        body = json.dumps(value).encode()
    for old, new in change.get("replace", {}).items():
        assert old.encode() in body, f"{old!r} is not in {golden.path.name}"
        body = body.replace(old.encode(), new.encode())
    assert (request, body) != (golden.request, golden.body), f"{golden.path.name} is not changed by {change}"
    return replace(golden, request=request, body=body)


@cache
def goldens_with_events(name: str) -> list[tuple[Golden, list[str]]]:
    """Return each golden of a source that names events, with their keys."""
    goldens = find_goldens(HERE / "golden" / name)
    return [(golden, keys) for golden in goldens if (keys := named(SOURCES[name], golden))]


def changed_keys(source: Source, kind: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each case of a kind, `duplicate` or `new`: its name, the golden's keys, and those of the changed request."""
    for golden, keys in goldens_with_events(source.name):
        for what, change in rule_of(source, golden).get(kind, {}).items():
            yield f"{golden.name}: {what}", keys, named(source, changed(golden, change))


each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@each_source
def test_every_golden_says_what_repeats_its_event_and_what_is_another(source: Source) -> None:
    lacking = [
        f"{golden.name} lacks {kind}"
        for golden, _ in goldens_with_events(source.name)
        for kind in ("duplicate", "new")
        if not rule_of(source, golden).get(kind) and not rule_of(source, golden).get("because")
    ]
    assert not lacking, f"add rules to tests/event_keys/{source.name}.json:\n" + "\n".join(lacking)
    assert goldens_with_events(source.name)


@each_source
def test_a_repeated_event_has_the_same_key(source: Source) -> None:
    others = [case for case, keys, repeated in changed_keys(source, "duplicate") if repeated != keys]
    assert not others, "\n".join(others)


@each_source
def test_a_sibling_in_the_same_second_has_another_key(source: Source) -> None:
    cases = list(changed_keys(source, "new"))
    without = [case for case, _, siblings in cases if not siblings]
    assert not without, "without an event:\n" + "\n".join(without)
    same = [case for case, keys, siblings in cases if set(siblings) & set(keys)]
    assert not same, "\n".join(same)


@each_source
def test_a_later_retry_has_the_same_key(source: Source) -> None:
    def keys_later(golden: Golden) -> list[str]:
        delivery = golden.delivery(source, received_at=RECEIVED.replace(day=24))
        return [event.id for event in SourceRuntime(source).events(delivery) if not event.problem]

    others = [golden.name for golden, keys in goldens_with_events(source.name) if keys_later(golden) != keys]
    assert not others, "\n".join(others)


def test_every_rule_belongs_to_a_source_and_a_golden() -> None:
    for path in sorted((HERE / "event_keys").glob("*.json")):
        assert path.stem in SOURCES, path.name
        goldens = find_goldens(HERE / "golden" / path.stem)
        for rule in rules(path.stem):
            assert any(rule_of(SOURCES[path.stem], golden) == rule for golden in goldens), (path.name, rule["golden"])


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_docs_say_what_names_an_event_and_where_the_provider_says_so(name: str) -> None:
    page = (HERE.parent / "docs" / "sources" / f"{name}.md").read_text()
    section = page.partition("\n## What names an event\n")[2].partition("\n## ")[0]
    assert "https://" in section, "name the provider's own page"
