"""Check Segment: whether it answers, whether it accepts the write keys, and its clock."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from translators.kit import to_iso
from webhooks.cli.findings import Finding
from webhooks.runtime import Runtime
from webhooks.segment import AcceptedMessage, Client, Meaning, Unreachable, fingerprint, meaning
from webhooks.segment.transport import Transport
from webhooks.settings import SEGMENT_REGIONS, SegmentSettings

EMPTY: Final = b'{"batch":[]}'
WARN: Final = 5.0
FAULT: Final = 120.0
"""Seconds that the clock may differ; most providers' signatures are valid for 300."""


def examine(runtime: Runtime, timeout: float, *, send: bool) -> Iterator[Finding]:
    """Send one empty batch with each write key."""
    settings = dataclasses.replace(runtime.settings.segment, connect_timeout=timeout, read_timeout=timeout)
    keys = _keys(runtime)
    if not keys:
        yield Finding("warning", "segment", "no write key is set, so Segment was not checked: set SEGMENT_WRITE_KEY")
    transport = Transport(settings)
    for place, (key, endpoints) in enumerate(keys.items()):
        sent_at = time.time()
        try:
            answer = transport.post(key, EMPTY)
        except Unreachable as error:
            yield Finding("fault", "segment", f"{settings.url} cannot be reached: {error}. {_network(str(error))}")
            return
        if not place:
            yield from clock(answer.headers, sent_at, time.time())
        yield _key_finding(answer.status, answer.text, key, endpoints, settings)
        if send and answer.status // 100 != 4:
            yield _send_test(Client(key, settings, transport=transport), endpoints, timeout)


def _keys(runtime: Runtime) -> dict[str, list[str]]:
    """Return each write key with the endpoints that use it."""
    common = runtime.settings.segment.write_key
    keys: dict[str, list[str]] = {common: []} if common else {}
    for name, endpoint in runtime.endpoints.items():
        if key := endpoint.write_key or common:
            keys.setdefault(key, []).append(name)
    return keys


def clock(headers: Mapping[str, str], sent_at: float, received_at: float) -> Iterator[Finding]:
    """Compare this machine's clock with the server's, to the precision of a header in whole seconds."""
    try:
        server_time = parsedate_to_datetime(headers.get("Date", "")).timestamp() + 0.5
    except ValueError:
        yield Finding("warning", "clock", "the clock was not compared: Segment's answer has no Date")
        return
    off = (sent_at + received_at) / 2 - server_time
    doubt = 0.5 + (received_at - sent_at) / 2
    text = f"this machine's clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} Segment's"
    hint = "synchronise it by NTP (`timedatectl set-ntp true`)"
    if abs(off) - doubt > FAULT:
        yield Finding("fault", "clock", f"{text}: signed webhooks are refused as too old or too early; {hint}")
    elif abs(off) - doubt > WARN:
        yield Finding("warning", "clock", f"{text}: {hint}")
    else:
        yield Finding("ok", "clock", f"the clock agrees with Segment's (to {max(1.0, doubt):.0f} s)")


def _key_finding(status: int, text: str, key: str, endpoints: list[str], settings: SegmentSettings) -> Finding:
    of = f" ({', '.join(endpoints)})" if endpoints else ""
    name = f"write key {fingerprint(key)}{of}"
    what = meaning(status)
    if what is Meaning.CONFIG:
        problem = f"{settings.url} answers {status} to {name}: {text[:200] or 'no text'}"
        hint = "copy the key of an HTTP API source" if status in {401, 403} else "check SEGMENT_URL"
        return Finding("fault", "segment", f"{problem}. To fix it, {hint}")
    if what is Meaning.RETRY:
        return Finding(
            "warning", "segment", f"{settings.url} answers {status}: it is busy or broken. Events wait for it"
        )
    if settings.url in SEGMENT_REGIONS.values():
        region = next(region for region, url in SEGMENT_REGIONS.items() if url == settings.url)
        return Finding(
            "ok", "segment",
            f"{settings.url} answers. It answers 200 to every key. Whether {name} is valid, and its workspace in "
            f"region {region}, can only be seen in Segment: `segue doctor --send`, then Sources > Debugger",
        )  # fmt: skip
    return Finding("ok", "segment", f"{settings.url} answers, and accepts {name}")


def _send_test(client: Client, endpoints: list[str], timeout: float) -> Finding:
    message = {
        "type": "track", "event": "Segue Doctor", "anonymousId": "segue-doctor", "timestamp": to_iso(datetime.now(UTC)),
        "messageId": f"segue-doctor-{secrets.token_hex(16)}", "properties": {"endpoints": endpoints},
        "context": {"library": {"name": "segue"}, "channel": "server"},
    }  # fmt: skip
    (result,) = client.deliver([message], timeout=timeout)
    if isinstance(result, AcceptedMessage):
        return Finding(
            "ok", "segment",
            f"a message was sent: `Segue Doctor`, {message['messageId']}. It should appear in Segment within a minute, "
            "under Sources > your source > Debugger; if not, the key or the region is wrong",
        )  # fmt: skip
    return Finding("fault", "segment", f"a message was not accepted: {result.reason}")


def _network(reason: str) -> str:
    if "SSL" in reason or "Certificate" in reason:
        return "Its certificate is not trusted here: install ca-certificates, or check for a proxy that replaces it"
    if "NameResolution" in reason or "gaierror" in reason:
        return "Its name cannot be resolved: check SEGMENT_URL and the DNS server"
    return "Check SEGMENT_URL, a firewall or a proxy (HTTPS_PROXY)"
