"""The settings of the service. Secrets and write keys are never in a repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from translators.kit import Source

SEGMENT_REGIONS: Final = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """One endpoint, `/webhooks/<name>`: its source, secrets and options."""

    name: str
    source: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    scheme: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    write_key: str = field(default="", repr=False)  # empty uses the default write key
    user_id_keys: tuple[str, ...] = ()
    public_url: str = ""
    tolerance: float | None = None  # seconds; None is the scheme's own


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSettings:
    """Where messages go. `url` is the base that `/v1/batch` is added to."""

    write_key: str = field(default="", repr=False)
    url: str = SEGMENT_REGIONS["us"]
    gzip: bool = True
    send_sent_at: bool = False
    rate: float = 1000.0  # messages a second, over one write key; 0 is no limit
    in_flight: int = 4  # concurrent requests
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long settled events are kept. At least 72 h, since they are needed to recognize a provider's retries."""

    delivered: timedelta = timedelta(days=7)
    ignored: timedelta = timedelta(days=7)
    unsupported: timedelta = timedelta(days=30)
    dead: timedelta = timedelta(days=90)
    dropped: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The delivery worker."""

    batch: int = 1000  # events claimed at once
    poll: timedelta = timedelta(milliseconds=200)
    lease: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=25)  # from SIGTERM to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The web server."""

    host: str = "0.0.0.0"  # noqa: S104 - a service in a container listens on every interface  # nosec B104
    port: int = 8000
    processes: int = 2
    worker_class: str = "gevent"
    max_body: int = 1024 * 1024
    request_timeout: float = 20.0  # seconds for a whole request to arrive
    public_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """`/metrics` requires one of `tokens` as bearer token; without any it is closed."""

    tokens: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """The channels and limits of alerts. `disk_free` is in percent; a `silence` shorter than this is never an alert."""

    webhook_url: str = field(default="", repr=False)
    signing_secret: tuple[str, ...] = field(default=(), repr=False)
    slack_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    email_from: str = ""
    email_to: tuple[str, ...] = ()
    backlog: timedelta = timedelta(minutes=15)
    silence: timedelta = timedelta(hours=1)
    disk_free: float = 10.0
    repeat: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. `sources` are those that segue.toml describes; `warnings` are for the operator."""

    namespace: str = "default"
    namespace_known: bool = False  # set, or derived from a write key
    database: str = field(default="sqlite:///segue.db", repr=False)
    allow_sqlite_on_dyno: bool = False  # although a dyno's disk is not permanent
    encryption_key: tuple[str, ...] = field(default=(), repr=False)  # hexadecimal, or first `plain`
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    web: WebSettings = field(default_factory=WebSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    user_id_keys: tuple[str, ...] = ("user_id", "userId", "segment_user_id")
    log_level: str = "info"
    log_format: str = "auto"
    config_file: Path | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    tracing: bool = False  # OpenTelemetry's own variables request traces
    on_dyno: bool = False  # Heroku's DYNO is set: the disk is not permanent

    @property
    def own_namespace(self) -> str:
        """Return the namespace that the journal must have; empty if neither it nor a write key is set."""
        return self.namespace if self.namespace_known else ""

    @property
    def on_postgres(self) -> bool:
        """Return whether the journal is in PostgreSQL, which several machines can share."""
        return self.database.startswith(("postgres://", "postgresql://"))

    @property
    def database_shown(self) -> str:
        """Return the journal's URL without user, password and parameters."""
        scheme, _, rest = self.database.partition("://")
        return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}" if self.on_postgres else self.database
