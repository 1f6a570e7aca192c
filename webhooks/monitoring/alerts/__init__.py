"""What an operator should know of at once: told by webhook, Slack or e-mail, again after a while, and when it is over.

watch = Watch(journal, survey, pulse, settings.alerts, sources=endpoints, name=worker.name)
watch.look()                  # every minute or so, in a thread that may wait for the network
"""

from webhooks.monitoring.alerts.channels import Channel, NotificationFailed, configured
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
    "configured",
    "failing_keys",
    "installation_name",
    "sample_notification",
    "unconfigured",
]
