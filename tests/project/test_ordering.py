"""The order of the tests: slow files first, spread over the workers."""

from hypothesis import given
from hypothesis import strategies as st

from support.ordering import slow_first


def test_each_worker_begins_with_its_share_of_the_slow_files() -> None:
    tests = [f"t{number}" for number in range(12)]
    slow = [None, "a", None, "b", "a", None, None, "c", None, None, None, None]
    assert slow_first(tests, slow, 2) == [
        "t1", "t4", "t7", "t0", "t2", "t5",
        "t3", "t6", "t8", "t9", "t10", "t11",
    ]  # fmt: skip
    assert slow_first(tests, slow, 1)[:4] == ["t1", "t4", "t3", "t7"]


@given(slow=st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=40), workers=st.integers(1, 5))
def test_every_test_runs_once(slow: list[str | None], workers: int) -> None:
    assert sorted(slow_first(range(len(slow)), slow, workers)) == list(range(len(slow)))
