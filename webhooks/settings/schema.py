"""Declare every setting: its key in segue.toml, its environment variable and its check.

docs/configuration.md lists the same; a test compares them. The defaults are in `webhooks.settings.model`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from marshmallow import Schema

from webhooks.settings.addresses import Mailbox, Mailboxes, SecretUrl, SmtpUrl
from webhooks.settings.fields import (
    Database,
    Duration,
    Flag,
    Host,
    Keys,
    Number,
    Secret,
    Secrets,
    Size,
    Text,
    Url,
    Whole,
    Words,
)
from webhooks.settings.tokens import SigningSecrets, Tokens

_RETENTION_REASON: Final = (
    "settled events are needed to recognize a provider's retries, and providers retry for up to three days"
)


def _env(name: str, **more: Any) -> dict[str, Any]:
    return {"env": name, **more}


def _kept(state: str) -> Duration:
    env = _env(f"SEGUE_RETENTION_{state.upper()}")
    return Duration(timedelta(hours=72), timedelta(days=3650), reason=_RETENTION_REASON, metadata=env)


class RootSchema(Schema):
    """Keys above the first table."""

    namespace = Text(
        shape=r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        hint="give up to 64 letters, digits, dots, dashes or underscores",
        metadata=_env("SEGUE_NAMESPACE"),
    )
    database = Database(metadata=_env("SEGUE_DATABASE", also="DATABASE_URL"))
    allow_sqlite_on_dyno = Flag(metadata=_env("SEGUE_ALLOW_SQLITE_ON_DYNO"))
    encryption_key = Keys(metadata=_env("SEGUE_ENCRYPTION_KEY", secret=True))
    log_level = Text(choices=("debug", "info", "warning", "error"), metadata=_env("SEGUE_LOG_LEVEL"))
    log_format = Text(choices=("auto", "json", "text"), metadata=_env("SEGUE_LOG_FORMAT"))


class SegmentSchema(Schema):
    """`[segment]`: where messages go."""

    write_key = Secret(metadata=_env("SEGMENT_WRITE_KEY", secret=True))
    region = Text(choices=("us", "eu"), hint=", or set SEGMENT_URL", metadata=_env("SEGMENT_REGION"))
    url = Url(cut=("/v1/batch", "/v1"), metadata=_env("SEGMENT_URL"))
    rate = Number(0, 1_000_000, "messages a second (0 is no limit)", metadata=_env("SEGUE_SEGMENT_RATE"))
    gzip = Flag(metadata=_env("SEGUE_SEGMENT_GZIP"))
    send_sent_at = Flag(metadata=_env("SEGUE_SEGMENT_SENT_AT"))
    in_flight = Whole(1, 64, metadata=_env("SEGUE_SEGMENT_IN_FLIGHT"))
    connect_timeout = Number(0.1, 60, "seconds", metadata=_env("SEGUE_SEGMENT_CONNECT_TIMEOUT"))
    read_timeout = Number(0.1, 300, "seconds", metadata=_env("SEGUE_SEGMENT_READ_TIMEOUT"))


class WebSchema(Schema):
    """`[web]`: the web server."""

    host = Host(shape=r"[0-9A-Za-z.:_-]+", hint="give an address, such as 0.0.0.0", metadata=_env("SEGUE_HOST"))
    port = Whole(1, 65535, metadata=_env("PORT"))
    processes = Whole(1, 128, metadata=_env("WEB_CONCURRENCY"))
    worker_class = Text(choices=("gevent", "gthread", "sync"), metadata=_env("SEGUE_WORKER_CLASS"))
    max_body = Size(1024, 64 * 1024 * 1024, metadata=_env("SEGUE_MAX_BODY"))
    request_timeout = Number(0.1, 300, "seconds", metadata=_env("SEGUE_REQUEST_TIMEOUT"))
    public_url = Url(metadata=_env("SEGUE_PUBLIC_URL"))


class WorkerSchema(Schema):
    """`[worker]`: delivery."""

    batch = Whole(1, 100_000, metadata=_env("SEGUE_WORKER_BATCH"))
    poll = Duration(timedelta(milliseconds=10), timedelta(seconds=60), bare=True, metadata=_env("SEGUE_POLL_SECONDS"))
    lease = Duration(timedelta(seconds=1), timedelta(hours=1), bare=True, metadata=_env("SEGUE_LEASE_SECONDS"))
    grace = Duration(timedelta(seconds=1), timedelta(minutes=10), bare=True, metadata=_env("SEGUE_GRACE_SECONDS"))


class RetentionSchema(Schema):
    """`[retention]`: how long settled events are kept."""

    delivered = _kept("delivered")
    ignored = _kept("ignored")
    unsupported = _kept("unsupported")
    dead = _kept("dead")
    dropped = _kept("dropped")


class MetricsSchema(Schema):
    """`[metrics]`: access to `/metrics`."""

    tokens = Tokens(metadata=_env("SEGUE_METRICS_TOKEN", secret=True))


class AlertSchema(Schema):
    """`[alerts]`: channels and limits of alerts."""

    webhook_url = SecretUrl(metadata=_env("SEGUE_ALERT_WEBHOOK_URL", secret=True))
    signing_secret = SigningSecrets(metadata=_env("SEGUE_ALERT_SIGNING_SECRET", secret=True))
    slack_url = SecretUrl(metadata=_env("SEGUE_ALERT_SLACK_URL", secret=True))
    smtp_url = SmtpUrl(metadata=_env("SEGUE_SMTP_URL", secret=True))
    email_from = Mailbox(metadata=_env("SEGUE_ALERT_EMAIL_FROM"))
    email_to = Mailboxes(metadata=_env("SEGUE_ALERT_EMAIL_TO"))
    backlog = Duration(timedelta(minutes=1), timedelta(days=30), metadata=_env("SEGUE_ALERT_BACKLOG"))
    silence = Duration(timedelta(minutes=5), timedelta(days=90), metadata=_env("SEGUE_ALERT_SILENCE"))
    disk_free = Number(0, 90, "percent", metadata=_env("SEGUE_ALERT_DISK_FREE"))
    repeat = Duration(timedelta(minutes=10), timedelta(days=30), metadata=_env("SEGUE_ALERT_REPEAT"))


class IdentitySchema(Schema):
    """`[identity]`: the user of a message."""

    user_id_keys = Words(metadata=_env("SEGUE_USER_ID_KEYS"))


class EndpointSchema(Schema):
    """`[endpoints.<name>]`: one endpoint. The options of its source are added to these."""

    source = Text(metadata={})
    secrets = Secrets(metadata=_env("{NAME}_WEBHOOK_SECRET", secret=True))
    secret_env = Words(metadata={})
    scheme = Text(metadata=_env("SEGUE_{NAME}_SCHEME"))
    write_key = Secret(metadata=_env("SEGUE_{NAME}_WRITE_KEY", secret=True))
    user_id_keys = Words(metadata=_env("SEGUE_{NAME}_USER_ID_KEYS"))
    public_url = Url(metadata=_env("SEGUE_{NAME}_PUBLIC_URL"))
    tolerance = Number(1, 86400, "seconds", metadata=_env("SEGUE_{NAME}_TOLERANCE"))


TABLES: Final[dict[str, Schema]] = {
    "": RootSchema(),
    "segment": SegmentSchema(),
    "web": WebSchema(),
    "worker": WorkerSchema(),
    "retention": RetentionSchema(),
    "identity": IdentitySchema(),
    "metrics": MetricsSchema(),
    "alerts": AlertSchema(),
}
ENDPOINT: Final = EndpointSchema()
CONFIG: Final = "SEGUE_CONFIG"
PLUGINS: Final = "SEGUE_PLUGINS"
