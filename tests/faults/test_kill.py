"""A short run of the kill test; `make faults` is the long one."""

import pytest

from faults.kill import killed_processes


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_processes_are_killed_under_load() -> None:
    report = killed_processes(8, seed=20261123)
    assert report.ok, str(report)
    assert report.acked > 100
    assert report.dead > 0
