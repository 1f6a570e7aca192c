"""Monitoring for operators: metrics, snapshots of the journal, silence, alerts, traces."""
