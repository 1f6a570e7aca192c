"""Alerts for an operator by webhook, Slack or e-mail: when raised, again at intervals, and when resolved.

watcher = AlertWatcher(journal, snapshots, silence, settings.alerts, sources=endpoints, name=worker.name, where=host)
watcher.check()               # about every minute, in a thread that may wait for the network
"""

from webhooks.monitoring.alerts.channels import Channel, NotificationFailed, configured_channels
from webhooks.monitoring.alerts.conditions import Alert
from webhooks.monitoring.alerts.delivery import FailingKey, failing_keys, unconfigured
from webhooks.monitoring.alerts.notification import AlertUpdate, Notification, installation_name, sample_notification
from webhooks.monitoring.alerts.watch import EVERY, AlertWatcher

__all__ = [
    "EVERY",
    "Alert",
    "AlertUpdate",
    "AlertWatcher",
    "Channel",
    "FailingKey",
    "Notification",
    "NotificationFailed",
    "configured_channels",
    "failing_keys",
    "installation_name",
    "sample_notification",
    "unconfigured",
]
