"""Sample requests of a source, one for each event type, that are installed with its package (`samples.json`).

`segue catalog --goldens DIR --samples FILE` collects them from a source's goldens; `segue trigger` sends them.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from translators.kit import Delivery, Source
from webhooks.http.request import HttpRequest, lower_names
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import Golden, endpoint, find_goldens, outcomes
from webhooks.translation.translate import Translated

FILE: Final = "samples.json"
_PARTS: Final = re.compile(r"[:|,/\s]")
_TOKENS: Final = re.compile(r"[A-Za-z0-9_-]{2,64}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CONTENT_TYPES: Final = {".json": "application/json", ".xml": "text/xml", ".form": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request: the body as text, and the headers and query parameters that the source reads."""

    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> HttpRequest:
        """Return the request, unsigned."""
        headers = {"content-type": self.content_type, **lower_names(self.headers)}
        return HttpRequest(body=self.body.encode(), headers=headers, query=self.query)

    def delivery(self, source: Source, *, received_at: datetime) -> Delivery:
        """Return the verified request that the source reads, with the defaults of its options."""
        return endpoint(source, source.defaults()).delivery(self.request(), received_at=received_at)


def collect(source: Source, goldens: list[Golden]) -> dict[str, Sample]:
    """Return one sample for each event type that a golden becomes messages of, the plainest golden first."""
    samples: dict[str, Sample] = {}
    for golden in sorted(goldens, key=lambda candidate: ("__" in candidate.name, candidate.name)):
        if golden.request.keys() - {"headers", "query"} or golden.path.suffix not in _CONTENT_TYPES:
            continue  # it needs options or a time of its own
        delivery = golden.delivery(source)
        if SourceRuntime(source).handshake(delivery):
            continue
        for event, outcome in outcomes(source, delivery):
            if isinstance(outcome, Translated) and event.type not in samples:
                headers = dict(golden.request.get("headers", {}))
                named = {name.lower(): name for name in headers}
                content_type = headers.pop(named["content-type"]) if "content-type" in named else ""
                samples[event.type] = Sample(
                    body=golden.body.decode(),
                    content_type=content_type or _CONTENT_TYPES[golden.path.suffix],
                    headers=headers,
                    query=golden.request.get("query", {}),
                )
    return samples


def to_json(samples: Mapping[str, Mapping[str, Sample]]) -> str:
    """Return the text of a `samples.json`: samples by source and event type."""
    table = {
        name: {type_: asdict(sample) for type_, sample in sorted(of.items())} for name, of in sorted(samples.items())
    }
    return json.dumps({name: of for name, of in table.items() if of}, indent=1, ensure_ascii=False) + "\n"


def shipped(source: Source) -> dict[str, Sample]:
    """Return the samples that are installed with the source's package, by event type; none if it ships none."""
    package = next((handler.__module__.partition(".")[0] for handler in source.declared.handlers.values()), "")
    try:
        text = files(package).joinpath(FILE).read_text(encoding="utf-8") if package else "{}"
    except (FileNotFoundError, ModuleNotFoundError, TypeError):
        return {}
    return {type_: Sample(**sample) for type_, sample in json.loads(text).get(source.name, {}).items()}


def with_new_ids(sample: Sample, source: Source, *, now: datetime) -> Sample:
    """Return the sample as other events of the same types: what names them is changed wherever it occurs.

    The sample itself if nothing in the request can be changed so; sent again it is a duplicate.
    """
    before = _heads(sample, source, now)
    keys = {key for key, _ in before}
    types = [type_ for _, type_ in before]
    left, best = len(keys), sample
    for part in _candidates(list(keys), sample.body):
        if not left:
            break
        changed = _replaced(best, part, _varied(part))
        after = _heads(changed, source, now)
        shared = len(keys & {key for key, _ in after})
        if shared < left and [type_ for _, type_ in after] == types:
            left, best = shared, changed
    return best


def _heads(sample: Sample, source: Source, now: datetime) -> list[tuple[str, str]]:
    events = SourceRuntime(source).events(sample.delivery(source, received_at=now))
    return [] if any(event.problem for event in events) else [(event.id, event.type) for event in events]


def _replaced(sample: Sample, part: str, other: str) -> Sample:
    return replace(
        sample,
        body=sample.body.replace(part, other),
        headers={name: value.replace(part, other) for name, value in sample.headers.items()},
        query={name: value.replace(part, other) for name, value in sample.query.items()},
    )


def _candidates(keys: list[str], body: str) -> Iterator[str]:
    """Yield the keys, then their parts, the longest first; then what looks like an id in a body that a digest names."""
    yield from keys
    parts = dict.fromkeys(part for key in keys for part in _PARTS.split(key))
    yield from sorted(filter(_looks_like_an_id, parts), key=len, reverse=True)
    yield from sorted(filter(_looks_like_an_id, dict.fromkeys(_TOKENS.findall(body))), key=len, reverse=True)


def _looks_like_an_id(text: str) -> bool:
    return any(character.isdigit() for character in text) and "@" not in text and not _DATE.match(text)


def _varied(text: str) -> str:
    """Return the text with other letters and digits in the last places, each of its kind, so that its form stays."""
    kinds = ("0123456789", "abcdef", "ABCDEF", "ghijklmnopqrstuvwxyz", "GHIJKLMNOPQRSTUVWXYZ")
    head, tail = text[:-12], text[-12:]
    changed = [next((secrets.choice(kind) for kind in kinds if c in kind), c) for c in tail]
    if changed and changed[0] == "0" and not head:
        changed[0] = "1"  # a number keeps its length
    return head + "".join(changed)


def from_goldens(source: Source, folder: Any) -> dict[str, Sample]:
    """Return the samples of a folder of goldens."""
    return collect(source, find_goldens(folder))
