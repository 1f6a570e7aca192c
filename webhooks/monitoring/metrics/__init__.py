"""What is counted, and how one scrape shows it for every process on every machine.

meter = Meter()                       # one in each process; counts in memory
totals = Totals(meter, journal)       # what all processes have counted, kept in the journal
with PeriodicJobs({5: totals.flush}): ...   # adds what was counted every five seconds, and at the end
"""

from webhooks.monitoring.metrics.exposition import Exposition
from webhooks.monitoring.metrics.meter import Meter
from webhooks.monitoring.metrics.refused import RefusedCount, refused_counts
from webhooks.monitoring.metrics.totals import Totals
from webhooks.monitoring.periodic_jobs import PeriodicJobs
from webhooks.monitoring.silence import SilenceTracker
from webhooks.monitoring.snapshot import SnapshotTaker

__all__ = [
    "Exposition",
    "Meter",
    "PeriodicJobs",
    "RefusedCount",
    "SilenceTracker",
    "SnapshotTaker",
    "Totals",
    "refused_counts",
]
