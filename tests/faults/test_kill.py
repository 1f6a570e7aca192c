"""A short run of the kill test; `python tests/faults/kill.py --rounds 200` is the long one."""

import pytest
from kill import run


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_processes_are_killed_under_load() -> None:
    report = run(8, seed=20261123)
    assert report.ok, str(report)
    assert report.acked > 100
    assert report.dead > 0
