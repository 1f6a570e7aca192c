"""The tests that every source passes fail if a source is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from translators.kit import Event, Head, HmacBody, Identity, Message, Source, track
from webhooks.testing import SourceTests


def suite(
    folder: Path, handle: Any, identity: Any = lambda event: Identity(user_ids=(event.body.id("user"),))
) -> SourceTests:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(
        lambda item: Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=item.body.seconds("at", None))
    )
    source.identity(lambda event: Identity(user_ids=(event.body.id("user"),)))

    @source.on("t")
    def handler(event: Event) -> Iterator[Message]:
        yield track("Thing Done", {"n": handle(event)})

    (folder / "t.json").write_text('{"id": "1", "type": "t", "user": "u1", "n": 5, "list": [{"id": 1}]}')
    tests: SourceTests = type("Tests", (SourceTests,), {"source": source, "goldens": folder})()
    return tests


def test_a_source_that_reads_by_type_passes(tmp_path: Path) -> None:
    suite(
        tmp_path, lambda e: e.body.integer("n", None)
    ).test_any_member_of_any_type_gives_a_message_a_reason_or_a_path()
    suite(tmp_path, lambda e: e.body.get("n")).test_any_member_of_any_type_gives_a_message_a_reason_or_a_path()


@pytest.mark.parametrize(
    ("handle", "place"),
    [
        (lambda e: e.body.value["n"] + 1, "n = null"),
        (lambda e: [line["id"] for line in e.body.value["list"]], "list = null"),
        (lambda e: e.body.value["list"][0]["id"] + 0, "list.0.id = null"),
        (lambda e: float(e.body.decimal("n", 0)) ** 400, "n = 1e400"),
    ],
)
def test_a_source_that_trusts_the_type_of_a_member_fails_with_its_path(tmp_path: Path, handle: Any, place: str) -> None:
    with pytest.raises(AssertionError, match="Traceback") as caught:
        suite(tmp_path, handle).test_any_member_of_any_type_gives_a_message_a_reason_or_a_path()
    assert f"t: {place}" in str(caught.value)
