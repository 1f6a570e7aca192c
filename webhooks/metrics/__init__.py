"""What is counted, and how one scrape shows it for every process on every machine.

meter = Meter()                       # one in each process; counts in memory
totals = Totals(meter, journal)       # what all processes have counted, kept in the journal
with Rounds({5: totals.flush}): ...   # adds what was counted every five seconds, and at the end
"""

from webhooks.metrics.exposition import Exposition
from webhooks.metrics.meter import Meter
from webhooks.metrics.pulse import Pulse
from webhooks.metrics.refused import RefusedCount, refused_counts
from webhooks.metrics.rounds import Rounds
from webhooks.metrics.survey import Survey
from webhooks.metrics.totals import Totals

__all__ = ["Exposition", "Meter", "Pulse", "RefusedCount", "Rounds", "Survey", "Totals", "refused_counts"]
