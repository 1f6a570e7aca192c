"""The composition root: what one process needs, built from its settings. Nothing else loads settings or plugins.

runtime = Runtime.load()                   # once a process
with closing(runtime.open_journal()) as journal: ...

service = runtime.worker_service()         # or web_service(), with an `app`
with service.running():
    service.worker.run()

What a process does not use is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from translators.kit import Source
from webhooks.errors import SettingsError
from webhooks.settings import EndpointSettings, Settings, load_with_origins, plugin_files
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint, bind
from webhooks.sources.names import unknown_name

if TYPE_CHECKING:
    from webhooks.deliver import Worker
    from webhooks.journal import Journal
    from webhooks.journal.protocol import Counters, EventQueries, Notes, OneTimeTokens
    from webhooks.monitoring.alerts import AlertWatcher
    from webhooks.monitoring.alerts.channels import Channel
    from webhooks.monitoring.metrics import Meter, PeriodicJobs, SilenceTracker, SnapshotTaker
    from webhooks.monitoring.tracing import Tracer
    from webhooks.segment import Clients
    from webhooks.web.app import FlaskApp

    class MonitoredJournal(EventQueries, Notes, OneTimeTokens, Counters, Protocol):
        """What `Runtime.monitoring` uses of the journal."""


Job = Callable[[], object]
COUNT_EVERY: Final = 5.0
LEARN_EVERY: Final = 60.0


def utc_now() -> datetime:
    """Return the time, in aware UTC."""
    return datetime.now(UTC)


class Runtime:
    """The settings, plugins and endpoints of a process, and what is built from them. `clock` returns aware UTC.

    `origins` has for each setting that is set its value and the key as the operator wrote it. After a fork each process
    builds its own journal, tracer and services: they have connections and threads.
    """

    def __init__(
        self,
        settings: Settings,
        registry: plugins.Registry,
        *,
        origins: Mapping[str, tuple[Any, str]] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings: Final = settings
        self.registry: Final = registry
        self.origins: Final = origins or {}
        self.clock: Final = clock
        self.endpoints: Final[Mapping[str, Endpoint]] = bind(settings, registry.sources)

    @classmethod
    def load(cls, *, files: Iterable[Path] = (), clock: Callable[[], datetime] = utc_now) -> Self:
        """Load plugins and settings from the environment and segue.toml; raise `SettingsError` with every fault.

        `files` are plugins that are not installed; without them, those of SEGUE_PLUGINS.
        """
        registry = cls._registry(files)
        broken = [plugin.name for plugin in registry.broken]
        settings, origins = load_with_origins(sources=registry.sources, broken=broken)
        return cls(settings, registry, origins=origins, clock=clock)

    @classmethod
    def load_or_default(cls, *, files: Iterable[Path] = (), clock: Callable[[], datetime] = utc_now) -> Self:
        """Load it; if the settings are wrong, use the default ones. For commands that only read payloads."""
        try:
            return cls.load(files=files, clock=clock)
        except SettingsError:
            return cls(Settings(), cls._registry(files), clock=clock)

    @staticmethod
    def _registry(files: Iterable[Path]) -> plugins.Registry:
        return plugins.with_files(plugins.load(), tuple(files) or plugin_files())

    @property
    def namespace(self) -> str:
        """Return the namespace of message ids."""
        return self.settings.namespace

    @property
    def sources(self) -> Mapping[str, Source]:
        """Return every source that loads, by name: the installed ones and those of segue.toml."""
        return {**self.registry.sources, **self.settings.sources}

    @property
    def open(self) -> list[str]:
        """Return the names of the endpoints that accept webhooks."""
        return sorted(name for name, endpoint in self.endpoints.items() if endpoint.secrets)

    @property
    def names(self) -> frozenset[str]:
        """Return every name of a source or an endpoint, also of a source that does not load."""
        return frozenset({*self.sources, *self.endpoints, *(plugin.name for plugin in self.registry.broken)})

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of that name, else the source of that name with no settings."""
        if name in self.endpoints:
            return self.endpoints[name]
        if name not in self.sources:
            raise unknown_name(name, {*self.sources, *self.endpoints}, what="source or endpoint")
        alone = replace(self.settings, endpoints={name: EndpointSettings(name=name, source=name)})
        return bind(alone, self.registry.sources)[name]

    @property
    def write_key_fingerprints(self) -> list[str]:
        """Return the fingerprint of every configured write key."""
        from webhooks.segment import fingerprint

        default = self.settings.segment.write_key
        keys = {endpoint.write_key or default for endpoint in self.endpoints.values()} - {""}
        return sorted(map(fingerprint, keys))

    @cached_property
    def meter(self) -> Meter:
        """The counters of this process."""
        from webhooks.monitoring.metrics import Meter

        return Meter()

    @cached_property
    def tracer(self) -> Tracer:
        """The configured tracer of this process."""
        from webhooks.monitoring.tracing import open_tracer

        return open_tracer(self.settings)

    @cached_property
    def clients(self) -> Clients:
        """The clients of this process, which share one measured transport."""
        from webhooks.deliver import metered

        return metered(self.settings.segment, self.meter)

    def open_journal(self, *, wait_for_server: bool = False, take_namespace: bool = True) -> Journal:
        """Open the configured journal, and create it if there is none. `wait_for_server` as in `open_journal`.

        With `take_namespace`, a journal without a namespace takes this installation's, and another one is refused.
        """
        from webhooks.journal import open_journal

        return open_journal(
            self.settings.database,
            self.settings.encryption_key,
            wait_for_server=wait_for_server,
            namespace=self.settings.own_namespace if take_namespace else "",
        )

    def open_existing(self, url: str = "", *, change: bool = False, moved: bool = False) -> Journal:
        """Open the configured journal, or the one at `url`, to read it or also to `change` it. Never create it."""
        from webhooks.journal import open_existing

        return open_existing(url or self.settings.database, self.settings.encryption_key, change=change, moved=moved)

    def monitoring(
        self, journal: MonitoredJournal, *, name: str, channels: Sequence[Channel] | None = None
    ) -> Monitoring:
        """Return what watches a journal. `name` is this process's among all; `channels` None means the configured."""
        from webhooks.monitoring.alerts import AlertWatcher, installation_name
        from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker

        settings = self.settings
        snapshots = SnapshotTaker(journal, settings.database, keys=self.write_key_fingerprints, clock=self.clock)
        silence = SilenceTracker(journal, floor=settings.alerts.silence.total_seconds(), clock=self.clock)
        watcher = AlertWatcher(
            journal, snapshots, silence, settings.alerts, sources=self.endpoints, name=name,
            where=installation_name(settings.web.public_url), channels=channels, clock=self.clock,
        )  # fmt: skip
        return Monitoring(snapshots, silence, watcher)

    def web_service(self, journal: Journal | None = None) -> WebService:
        """Return the web application of this process, over this journal or the configured one."""
        import uuid
        from functools import partial

        from webhooks.http.certificates import Certificates
        from webhooks.monitoring.alerts import EVERY
        from webhooks.monitoring.metrics import Exposition, PeriodicJobs, Totals
        from webhooks.web.app import create_app
        from webhooks.web.handler import WebhookHandler
        from webhooks.web.installation_proof import InstallationProof
        from webhooks.web.readiness import Readiness

        journal = journal or self.open_journal(wait_for_server=True)
        handler = WebhookHandler(
            endpoints=self.endpoints,
            sources=self.sources,
            journal=journal,
            max_body=self.settings.web.max_body,
            clock=self.clock,
            fetch=Certificates(),
            meter=self.meter,
            tracer=self.tracer,
        )
        totals = Totals(self.meter, journal)
        watched = self.monitoring(journal, name=f"web-{uuid.uuid4().hex}")
        exposition = Exposition(
            totals, watched.snapshots, watched.silence, journal, sources=sorted(self.endpoints), clock=self.clock
        )
        counting: dict[Job, float] = {totals.flush: COUNT_EVERY, handler.refusals.flush: COUNT_EVERY}
        return WebService(
            app=create_app(
                handler,
                exposition,
                Readiness(journal),
                InstallationProof(journal),
                tokens=self.settings.metrics.tokens,
                broken=self.registry.broken,
            ),
            jobs=(
                PeriodicJobs(counting, last=totals.flush),
                PeriodicJobs({watched.watcher.check_if_no_worker: EVERY}),
            ),
            at_end=(self.tracer.close, partial(handler.refusals.flush, at_end=True)),
        )

    def worker_service(self) -> WorkerService:
        """Return the delivery worker of this process, over the configured journal."""
        from webhooks.deliver import DeliveryContext, Worker
        from webhooks.monitoring.alerts import EVERY
        from webhooks.monitoring.metrics import PeriodicJobs, Totals

        journal = self.open_journal(wait_for_server=True)
        context = DeliveryContext(
            journal=journal,
            endpoints=self.endpoints,
            clients=self.clients,
            namespace=self.namespace,
            clock=self.clock,
            meter=self.meter,
            tracer=self.tracer,
        )
        worker = Worker(context, self.settings.worker, self.settings.retention)
        totals = Totals(self.meter, journal)
        watched = self.monitoring(journal, name=worker.name)
        counting: dict[Job, float] = {totals.flush: COUNT_EVERY, watched.snapshots.take: COUNT_EVERY}
        counting[watched.silence.learn] = LEARN_EVERY
        return WorkerService(
            worker=worker,
            jobs=(
                PeriodicJobs(counting, last=totals.flush),
                PeriodicJobs({watched.watcher.check: EVERY}),  # a slow mail server must not delay the other jobs
            ),
            at_end=(self.tracer.close, journal.close),
        )


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What watches a journal."""

    snapshots: SnapshotTaker
    silence: SilenceTracker
    watcher: AlertWatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The jobs that run beside a process's main part, and what is called when it has ended, in order."""

    jobs: Sequence[PeriodicJobs]
    at_end: Sequence[Job]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the jobs. At the end, stop them, the last one first, and close everything."""
        with ExitStack() as stack:
            for close in reversed(self.at_end):
                stack.callback(close)
            for job in self.jobs:
                stack.enter_context(job)
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class WebService(Service):
    """The web application."""

    app: FlaskApp


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerService(Service):
    """The delivery worker."""

    worker: Worker
