"""What an operator watches: metrics, snapshots of the journal, silence, alerts, traces."""
