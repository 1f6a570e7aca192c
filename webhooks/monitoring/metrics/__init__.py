"""Count in each process, and show the counts of all processes on all machines in one scrape.

meter = Meter()                       # one in each process; counts in memory
totals = Totals(meter, journal)       # the counts of all processes, stored in the journal
with PeriodicJobs({5: totals.flush}): ...   # stores the new counts every five seconds, and at the end
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
