"""A retry that spans an upgrade is recognised: each golden's event still has the key that version 0.1 gave it.

`tests/former_keys.json` holds the keys of version 0.1, by source and golden, wherever today's differ. If the request of
a golden changes, take its line out of the file: that version never saw the new request.
"""

import json
from pathlib import Path

import pytest

from translators.kit import Source
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import Golden, find_goldens

HERE = Path(__file__).parent
SOURCES = plugins.load().sources
FORMER: dict[str, dict[str, list[str]]] = json.loads((HERE / "former_keys.json").read_text())
CASES = [
    pytest.param(SOURCES[name], golden, id=f"{name}-{golden.name}")
    for name in FORMER
    for golden in find_goldens(HERE / "golden" / name)
    if golden.name in FORMER[name]
]


@pytest.mark.parametrize(("source", "golden"), CASES)
def test_an_event_keeps_the_key_of_version_0_1_as_a_former_key(source: Source, golden: Golden) -> None:
    events = SourceRuntime(source).events(golden.delivery(source))
    expected = FORMER[source.name][golden.name]
    assert len(events) == len(expected)
    for event, former in zip(events, expected, strict=True):
        assert former in {event.id, *(known.id for known in event.former_ids)}, event.id


def test_every_line_belongs_to_a_golden() -> None:
    goldens = {name: {golden.name for golden in find_goldens(HERE / "golden" / name)} for name in FORMER}
    assert [(name, line) for name, lines in FORMER.items() for line in lines if line not in goldens[name]] == []


def test_a_former_key_that_two_events_could_share_asks_for_equal_bytes() -> None:
    """Help Scout named a deletion by its body alone, and two kinds of records have one body."""
    helpscout = SOURCES["helpscout"]
    for golden in find_goldens(HERE / "golden" / "helpscout"):
        for event in SourceRuntime(helpscout).events(golden.delivery(helpscout)):
            assert all(former.same_bytes for former in event.former_ids if event.type != "helpscout.test"), golden.name
