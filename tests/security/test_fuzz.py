"""Requests at random, a bounded number of them: the long run is `python tests/faults/fuzz.py`."""

import pytest
from fuzz import Drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import Fuzzed, case, soap_body, try_soap
from webhooks.journal import SqliteJournal

FEW = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    journal = SqliteJournal(tmp_path_factory.mktemp("fuzz") / "j.db")
    yield Fuzzed(journal)
    journal.close()


@FEW
@given(st.data())
def test_whatever_comes_in_the_answer_is_a_declared_one_and_true(fuzzed, data):
    fuzzed.try_(case(Drawn(data)))
    assert fuzzed.tally.raised == {}


@FEW
@given(st.data())
def test_whatever_calls_itself_an_outbound_message_is_read_or_malformed(data):
    try_soap(soap_body(Drawn(data)))


def test_most_of_what_is_tried_reaches_what_is_behind_the_signature(fuzzed):
    """A fuzzer whose every request is refused for its signature would show nothing."""
    from fuzzing import Dice

    for number in range(300):
        fuzzed.try_(case(Dice(f"reach-{number}")))
    answers = fuzzed.tally.answers
    assert answers[200] + answers[400] > sum(answers.values()) / 2
    assert fuzzed.tally.stored > 20
    assert fuzzed.tally.raised == {}
