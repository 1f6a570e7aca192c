"""Short runs of the power cuts, and the proof that they would find a journal that does not sync."""

import pytest

from faults import recording_vfs
from faults.power_cuts import power_cuts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not recording_vfs.is_possible(), reason="this Python's SQLite is linked in and hidden: no layer under it"
    ),
]


def test_what_was_acknowledged_is_there_after_a_power_cut_at_any_moment() -> None:
    report = power_cuts(24, seed=7, seconds=1.0)
    assert report.ok, str(report)
    assert report.acked > 50
    assert report.settled > 0


def test_a_journal_that_does_not_sync_its_commits_is_detected() -> None:
    report = power_cuts(24, seed=7, seconds=1.0, careless=True)
    assert any("acknowledged events are gone" in fault for fault in report.faults)
