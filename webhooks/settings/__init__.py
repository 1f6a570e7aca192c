"""Read immutable settings from the environment and an optional segue.toml. No other package reads either."""

from webhooks.settings.addresses import is_loopback
from webhooks.settings.loader import load, load_with_origins, secrets_for, variables
from webhooks.settings.model import (
    SEGMENT_REGIONS,
    AlertSettings,
    EndpointSettings,
    MetricsSettings,
    RetentionSettings,
    SegmentSettings,
    Settings,
    WebSettings,
    WorkerSettings,
)
from webhooks.settings.plugin_files import plugin_files, plugin_variable
from webhooks.settings.validate import endpoint_errors

__all__ = [
    "SEGMENT_REGIONS",
    "AlertSettings",
    "EndpointSettings",
    "MetricsSettings",
    "RetentionSettings",
    "SegmentSettings",
    "Settings",
    "WebSettings",
    "WorkerSettings",
    "endpoint_errors",
    "is_loopback",
    "load",
    "load_with_origins",
    "plugin_files",
    "plugin_variable",
    "secrets_for",
    "variables",
]
