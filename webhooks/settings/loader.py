"""Load `Settings` from the environment and segue.toml. All errors are collected and raised together."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, ValidationError
from marshmallow.fields import Field

from translators.kit import Declaration, Source
from translators.kit.configured import configured
from webhooks.errors import SettingsError
from webhooks.settings.addresses import missing_alert_settings
from webhooks.settings.fields import Secrets, Text, Words
from webhooks.settings.file import read_secret, read_toml, readable_by_all
from webhooks.settings.lookalikes import unquoted
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
from webhooks.settings.schema import CONFIG, ENDPOINT, PLUGINS, TABLES, EndpointSchema
from webhooks.settings.traces import tracing_requested
from webhooks.settings.validate import endpoint_errors, nearest
from webhooks.settings.warnings import find_warnings

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(slots=True)
class _Table:
    """A table that is being read: each key's value, and the key as the operator wrote it."""

    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Any, key: str) -> None:
        self.values[name] = value
        self.keys[name] = key


def load(
    environ: Mapping[str, str] | None = None,
    *,
    sources: Mapping[str, Source],
    config_file: Path | None = None,
    broken: Collection[str] = (),
) -> Settings:
    """Return the settings, or raise `SettingsError` with every error.

    `broken` are sources whose plugin could not be loaded. Their settings are ignored, since their options are unknown.
    """
    return _Loader(os.environ if environ is None else environ, sources, frozenset(broken)).load(config_file)


def load_with_origins(
    environ: Mapping[str, str] | None = None, *, sources: Mapping[str, Source], broken: Collection[str] = ()
) -> tuple[Settings, dict[str, tuple[Any, str]]]:
    """Return the settings, and for each one that is set its value and the key as the operator wrote it.

    The names are those of segue.toml: `segment.region`, `endpoints.stripe.scheme`.
    """
    loader = _Loader(os.environ if environ is None else environ, sources, frozenset(broken))
    return loader.load(None), loader.origins


def secrets_for(name: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the secrets in `<NAME>_WEBHOOK_SECRET`, for commands that need no other setting."""
    text = (os.environ if environ is None else environ).get(f"{name.upper()}_WEBHOOK_SECRET", "").strip()
    secrets: tuple[str, ...] = Secrets().deserialize(text) if text else ()
    return secrets


def variables(**changed: str) -> dict[str, str]:
    """Return the environment without Segue's settings, plus `changed`, for a child process."""
    kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    return {**kept, **changed}


def _is_setting(name: str) -> bool:
    return (
        name in {"PORT", "WEB_CONCURRENCY", "DATABASE_URL"}
        or name.startswith(("SEGUE_", "SEGMENT_"))
        or name.removesuffix("_FILE").endswith("_WEBHOOK_SECRET")
    )


class _Loader:
    def __init__(self, environ: Mapping[str, str], sources: Mapping[str, Source], broken: frozenset[str]) -> None:
        self.environ = {name: value for name, value in environ.items() if value.strip()}  # an empty variable is not set
        self.sources = dict(sources)
        self.broken = broken - set(sources)
        self.faults: list[str] = []
        self.file = ""
        self.known = {CONFIG, PLUGINS}
        self.used: set[str] = set()
        self.secret_files: list[Path] = []
        self.origins: dict[str, tuple[Any, str]] = {}

    def load(self, config_file: Path | None) -> Settings:
        path, toml = read_toml(config_file, self.environ.get(CONFIG), self.faults)
        self.file = f" in {path.name}" if path else ""
        contains_secrets = _contains_secrets(toml)
        self._top(toml)
        described = self._sources(toml.pop("sources", {}))
        tables = {name: self._table(name, schema, toml) for name, schema in TABLES.items()}
        endpoints = self._endpoints(toml.get("endpoints", {}))
        self._unknown()
        web = WebSettings(**tables["web"])
        for endpoint in endpoints.values():
            self.faults.extend(endpoint_errors(endpoint, self.sources, public_url=web.public_url))
        self.faults.extend(missing_alert_settings(tables["alerts"]))
        if self.faults:
            raise SettingsError(list(dict.fromkeys(self.faults)))
        segment = tables["segment"]
        region = segment.pop("region", None)
        segment.setdefault("url", SEGMENT_REGIONS[region or "us"])
        root = tables[""]
        if "DYNO" in self.environ and "database" in root:
            root["database"] = with_tls(root["database"])
        write_keys = _write_keys(segment.get("write_key", ""), endpoints)
        root["namespace_known"] = "namespace" in root or bool(write_keys)
        root.setdefault("namespace", _fingerprint(write_keys))
        settings = Settings(
            **root,
            **tables["identity"],
            segment=SegmentSettings(**segment),
            web=web,
            worker=WorkerSettings(**tables["worker"]),
            retention=RetentionSettings(**tables["retention"]),
            metrics=MetricsSettings(**tables["metrics"]),
            alerts=AlertSettings(**tables["alerts"]),
            endpoints=endpoints,
            config_file=path,
            sources=described,
            tracing=tracing_requested(self.environ),
            on_dyno="DYNO" in self.environ,
        )
        variables_read = {"known": self.known, "used": self.used, "broken": self.broken}
        warnings = [
            *find_warnings(settings, self.environ, self.sources, region=region, **variables_read),
            *readable_by_all(path if contains_secrets else None, self.secret_files),
        ]
        return Settings(
            **{name: getattr(settings, name) for name in Settings.__slots__} | {"warnings": tuple(warnings)}
        )

    def _top(self, toml: dict[str, Any]) -> None:
        tables = {name for name in TABLES if name} | {"endpoints", "sources"}
        for key in list(toml):
            if key not in tables and key not in TABLES[""].fields:
                known = dict.fromkeys([*tables, *TABLES[""].fields])
                self.faults.append(f"{key}{self.file} is not a setting: {nearest(key, known)}")
                del toml[key]
            elif key in tables and not isinstance(toml[key], dict):
                self.faults.append(f"{key}{self.file} must be a table: write [{key}] and its settings below")
                del toml[key]

    def _sources(self, tables: Mapping[str, Any]) -> dict[str, Source]:
        """Return the sources that segue.toml describes; they are added to the installed ones."""
        described: dict[str, Source] = {}
        for name, table in tables.items():
            if name in self.sources:
                self.faults.append(f"sources.{name}{self.file} has the name of an installed source: choose another")
                continue
            try:
                described[name] = configured(name, table)
            except Declaration as error:
                self.faults.extend(f"{fault}{self.file}" for fault in str(error).splitlines())
        self.sources |= described
        return described

    def _table(self, name: str, schema: Schema, toml: Mapping[str, Any]) -> dict[str, Any]:
        written = toml.get(name, {}) if name else {key: toml[key] for key in schema.fields if key in toml}
        table = _Table()
        for key, value in written.items():
            shown = f"{name}.{key}" if name else key
            if key in schema.fields:
                table.put(key, value, f"{shown}{self.file}")
            else:
                self.faults.append(f"{shown}{self.file} is not a setting: {nearest(key, schema.fields)}")
        for key, rule in schema.fields.items():
            self._from_environ(table, key, rule, rule.metadata["env"])
            other = rule.metadata.get("also")
            if other in self.environ and key not in table.values:
                table.put(key, self._value(other), other)
        return self._check(schema, table, name)

    def _from_environ(self, table: _Table, key: str, rule: Field[Any], variable: str) -> None:
        self.known.add(variable)
        if variable in self.environ:
            table.put(key, self._value(variable), variable)
        if rule.metadata.get("secret"):
            self.known.add(f"{variable}_FILE")
            if f"{variable}_FILE" in self.environ:
                if variable in self.environ:
                    self.faults.append(f"{variable} and {variable}_FILE are both set: keep one of them")
                path = self._value(f"{variable}_FILE")
                text = read_secret(f"{variable}_FILE", path, self.faults)
                if text:
                    self.secret_files.append(Path(path))
                    table.put(key, self._without_quotes(f"the text in {variable}_FILE", text), f"{variable}_FILE")

    def _value(self, variable: str) -> str:
        return self._without_quotes(variable, self.environ[variable])

    def _without_quotes(self, name: str, value: str) -> str:
        bare = unquoted(value)
        if bare != value:
            self.faults.append(
                f"{name} is in quotes, which are part of the value here: remove them "
                "(a shell removes them, `docker run --env-file` does not)"
            )
        return bare

    def _check(self, schema: Schema, table: _Table, name: str) -> dict[str, Any]:
        try:
            loaded: dict[str, Any] = schema.load(table.values)
        except ValidationError as error:
            for key, messages in error.messages_dict.items():
                self.faults.extend(f"{table.keys[key]} {message}" for message in messages)
            loaded = dict(error.valid_data or {})
        self.origins |= {f"{name}.{key}".lstrip("."): (loaded[key], table.keys[key]) for key in loaded}
        return loaded

    def _endpoints(self, written: Mapping[str, Any]) -> dict[str, EndpointSettings]:
        """Return the endpoints of segue.toml, and one for every source whose secret is set."""
        endpoints: dict[str, EndpointSettings] = {}
        for name in [*written, *(name for name in self.sources if name not in written)]:
            options_table = written.get(name, {})
            if not _NAME.fullmatch(name) or not isinstance(options_table, dict):
                self.faults.append(
                    f"endpoints.{name}{self.file} is not an endpoint: write a table [endpoints.<name>], "
                    "the name in lower-case letters, digits and _"
                )
                continue
            if options_table.get("source", name) in self.broken:
                continue  # `segue check` shows the plugin's error; the other endpoints are open
            endpoint = self._endpoint(name, options_table)
            if name in written or endpoint.secrets:
                endpoints[name] = endpoint
        return endpoints

    def _endpoint(self, name: str, options_table: Mapping[str, Any]) -> EndpointSettings:
        source_name = options_table.get("source", name)
        source = self.sources.get(source_name) if isinstance(source_name, str) else None
        options: dict[str, Field[Any]] = {}
        if source is not None:
            options = {key: Words() if option.many else _OptionText() for key, option in source.options.items()}
            options = {key: rule for key, rule in options.items() if key not in ENDPOINT.fields}
        schema = EndpointSchema.from_dict(options)()
        table = _Table()
        for key, value in options_table.items():
            if key in schema.fields:
                table.put(key, value, f"endpoints.{name}.{key}{self.file}")
            elif source is not None:
                self.faults.append(
                    f"endpoints.{name}.{key}{self.file} is not a setting of {source.title}: "
                    f"{nearest(key, schema.fields)}"
                )
        for key, rule in schema.fields.items():
            variable = rule.metadata.get("env") or (f"SEGUE_{{NAME}}_{key.upper()}" if key in options else "")
            if variable:
                self._from_environ(table, key, rule, variable.replace("{NAME}", name.upper()))
        loaded = self._check(schema, table, f"endpoints.{name}")
        secrets = loaded.pop("secrets", ()) + self._named_secrets(name, loaded.pop("secret_env", ()))
        chosen = {key: loaded.pop(key) for key in options if key in loaded}
        return EndpointSettings(
            name=name, **{"source": name, **loaded}, secrets=tuple(dict.fromkeys(secrets)), options=chosen
        )

    def _named_secrets(self, endpoint: str, names: tuple[str, ...]) -> tuple[str, ...]:
        secrets: list[str] = []
        for variable in names:
            self.used.add(variable)
            if variable in self.environ:
                secrets.extend(Secrets().deserialize(self._value(variable)))
            else:
                self.faults.append(
                    f"endpoints.{endpoint}.secret_env{self.file} names {variable}, which is not set: "
                    "set it, or remove the endpoint"
                )
        return tuple(secrets)

    def _unknown(self) -> None:
        ignored = tuple(f"SEGUE_{name.upper()}_" for name in self.broken)
        for name in self.environ:
            if name.startswith("SEGUE_") and name not in self.known and not name.startswith(ignored):
                self.faults.append(f"{name} is not a setting of this version: {_did_you_mean(name, self.known)}")


class _OptionText(Text):
    """An option's value. TOML's booleans and numbers are read as text."""

    def read(self, value: Any) -> str:
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, int):
            value = str(value)
        return super().read(value)


def _contains_secrets(toml: Mapping[str, Any]) -> bool:
    """Return whether the file sets a secret."""
    tables: list[tuple[Schema, Any]] = [
        (schema, toml.get(name, {}) if name else toml) for name, schema in TABLES.items()
    ]
    endpoints = toml.get("endpoints", {})
    tables += [(ENDPOINT, table) for table in (endpoints.values() if isinstance(endpoints, dict) else ())]
    return any(
        rule.metadata.get("secret") and isinstance(table, dict) and table.get(key)
        for schema, table in tables
        for key, rule in schema.fields.items()
    )


def _did_you_mean(name: str, known: Collection[str]) -> str:
    names = {variable.removeprefix("SEGUE_"): variable for variable in known}
    close = get_close_matches(name.removeprefix("SEGUE_"), names, n=1, cutoff=0.75)
    return f"did you mean {names[close[0]]}?" if close else "remove it; docs/configuration.md lists all settings"


def _write_keys(write_key: str, endpoints: Mapping[str, EndpointSettings]) -> list[str]:
    return [write_key] if write_key else sorted({endpoint.write_key for endpoint in endpoints.values()} - {""})


def _fingerprint(keys: Sequence[str]) -> str:
    """Return the default namespace. Message ids are global at Segment, so two installations must not share one."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:12] if keys else "default"


def with_tls(database: str) -> str:
    """Return the URL with TLS: Heroku's PostgreSQL requires it, but its URL does not say so.

    https://devcenter.heroku.com/articles/connecting-heroku-postgres
    """
    if not database.startswith(("postgres://", "postgresql://")) or "sslmode=" in database:
        return database
    return f"{database}{'&' if '?' in database else '?'}sslmode=require"
