"""Events are selected by ids or conditions; a wrong id or source is refused with a hint."""

from datetime import timedelta

import pytest

from support.changes import seqs
from support.messages import AT, event
from webhooks.errors import EventAmbiguous, EventNotFound, OperationRefused, UnknownName
from webhooks.journal import Filter, Journal, State
from webhooks.operations import progress
from webhooks.operations.selection import EventSelection, count_of, find_event, require_condition, select

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        (EventSelection(), ["e1", "e2", "e3", "e4", "e5", "e6"]),
        (EventSelection(ids=("e2", "shop/e5")), ["e2", "e5"]),
        (EventSelection(ids=("e2", "e5"), states=(State.DEAD,)), ["e5"]),
        (EventSelection(sources=("sh*",), types=("order",)), ["e1", "e2", "e6"]),
        (EventSelection(states=(State.DEAD, State.PENDING)), ["e5", "e6"]),
        (EventSelection(received_since=AT + 2 * SECOND, received_until=AT + 4 * SECOND), ["e2", "e3"]),
        (EventSelection(occurred_since=AT + 5 * SECOND), ["e5", "e6"]),
        (EventSelection(occurred_until=AT + 2 * SECOND), ["e1"]),
        (EventSelection(settled_since=AT + timedelta(hours=2), states=(State.DELIVERED,)), ["e2"]),
        (EventSelection(settled_until=AT + timedelta(hours=2)), ["e1"]),
        (EventSelection(text="WHY DEAD"), ["e5"]),
    ],
)
def test_conditions_of_a_selection_narrow_the_events(
    filled: Journal, selection: EventSelection, keys: list[str]
) -> None:
    assert filled.seqs(select(filled, selection)) == list(seqs(filled, *keys))


def test_a_selection_is_true_if_it_has_a_condition() -> None:
    assert not EventSelection()
    assert EventSelection(text="x")
    assert EventSelection(ids=("1",))


def test_an_empty_selection_is_refused_unless_everything_is_meant() -> None:
    with pytest.raises(OperationRefused, match=r"No event is selected") as caught:
        require_condition(EventSelection())
    assert "or all of them" in caught.value.hint
    require_condition(EventSelection(), everything=True)
    require_condition(EventSelection(states=(State.DEAD,)))


def test_an_unknown_source_is_refused_with_the_closest_name(filled: Journal) -> None:
    with pytest.raises(UnknownName, match="No source or endpoint is called 'strip'") as caught:
        select(filled, EventSelection(sources=("strip",)), known={"stripe", "shopify"})
    assert "Did you mean stripe?" in caught.value.hint
    with pytest.raises(UnknownName) as caught:
        select(filled, EventSelection(sources=("x",)))
    assert caught.value.hint == "Choose from: none is installed."
    assert filled.count(select(filled, EventSelection(sources=("stripe",)), known={"stripe"})) == 0
    assert filled.count(select(filled, EventSelection(sources=("st*",)))) == 0


def test_an_event_is_identified_by_number_key_or_source_and_key(filled: Journal) -> None:
    (seq,) = seqs(filled, "e3")
    for id_ in (str(seq), "e3", "shop/e3"):
        assert find_event(filled, id_).seq == seq
    assert find_event(filled, "e3", ["shop"]).seq == seq


def test_an_unknown_event_is_refused_with_a_hint(filled: Journal) -> None:
    with pytest.raises(EventNotFound, match="No event has the number or key 'e99'") as caught:
        find_event(filled, "e99")
    assert "may be pruned" in caught.value.hint
    with pytest.raises(EventNotFound, match="No event of other has"):
        find_event(filled, "1", ["other"])
    with pytest.raises(EventNotFound, match="'9999999999999999999'"):
        find_event(filled, "9" * 19)
    with pytest.raises(EventNotFound) as caught:
        find_event(filled, "shpo/e1\n", known={"shop", "stripe"})
    assert caught.value.hint == "Did you mean shop/e1\\n? `segue sources` lists the sources."
    with pytest.raises(EventNotFound) as caught:
        find_event(filled, "shop/e99", known={"shop"})
    assert "may be pruned" in caught.value.hint


def test_an_ambiguous_id_is_refused_with_the_events_it_matches(filled: Journal) -> None:
    filled.append([event(1, source="other")], now=AT)
    with pytest.raises(EventAmbiguous, match=r"'e1' matches 2 events: shop/e1 \(#\d+\), other/e1") as caught:
        find_event(filled, "e1")
    assert "SOURCE/KEY" in caught.value.hint
    assert find_event(filled, "other/e1").event.source == "other"
    assert find_event(filled, "e1", ["shop"]).event.source == "shop"


def test_a_count_of_many_numbers_is_made_in_steps(filled: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = filled.seqs(Filter())
    monkeypatch.setattr(progress, "STEP", 2)
    assert count_of(filled, numbers) == 6
    assert count_of(filled, numbers, states=(State.DELIVERED,)) == 2
    assert count_of(filled, [], states=(State.DELIVERED,)) == 0
