"""A limited number of random requests; `python tests/faults/fuzz.py` is the long run."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults.fuzz import Drawn
from support.fuzzing import Fuzzed, make_case, parse_soap, soap_body
from webhooks.journal import SqliteJournal

FEW = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory):
    journal = SqliteJournal(tmp_path_factory.mktemp("fuzz") / "j.db")
    yield Fuzzed(journal)
    journal.close()


@FEW
@given(st.data())
def test_random_requests_get_only_declared_responses(fuzzed, data) -> None:
    fuzzed.send(make_case(Drawn(data)))
    assert fuzzed.tally.raised == {}


@FEW
@given(st.data())
def test_random_outbound_messages_are_read_or_malformed(data) -> None:
    parse_soap(soap_body(Drawn(data)))


def test_most_random_requests_pass_the_signature(fuzzed) -> None:
    """A fuzzer whose every request fails the signature check would test nothing."""
    from support.fuzzing import Dice

    for number in range(300):
        fuzzed.send(make_case(Dice(f"reach-{number}")))
    answers = fuzzed.tally.answers
    assert answers[200] + answers[400] > sum(answers.values()) / 2
    assert fuzzed.tally.stored > 20
    assert fuzzed.tally.raised == {}
