"""Segment: does it answer, what does it say to the write keys, and what does its clock say?"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from translators.kit import to_iso
from webhooks.cli.configuration import Configuration
from webhooks.cli.findings import Finding
from webhooks.segment import AcceptedMessage, Client, Meaning, Transport, Unreachable, fingerprint, meaning
from webhooks.settings import SEGMENT_REGIONS, SegmentSettings

EMPTY: Final = b'{"batch":[]}'
WARN: Final = 5.0
FAULT: Final = 120.0
"""Seconds that the clock may be off; providers' signatures are mostly good for 300."""


def examine(config: Configuration, timeout: float, *, send: bool) -> Iterator[Finding]:
    """One empty batch for each write key."""
    settings = dataclasses.replace(config.settings.segment, connect_timeout=timeout, read_timeout=timeout)
    keys = _keys(config)
    if not keys:
        yield Finding("warning", "segment", "no write key is set, so Segment was not asked: set SEGMENT_WRITE_KEY")
    transport = Transport(settings)
    for place, (key, doors) in enumerate(keys.items()):
        asked = time.time()
        try:
            answer = transport.post(key, EMPTY)
        except Unreachable as error:
            yield Finding("fault", "segment", f"{settings.url} cannot be reached: {error}. {_network(str(error))}")
            return
        if not place:
            yield from clock(answer.headers, asked, time.time())
        yield _said(answer.status, answer.text, key, doors, settings)
        if send and answer.status // 100 != 4:
            yield _sent(Client(key, settings, transport=transport), doors, timeout)


def _keys(config: Configuration) -> dict[str, list[str]]:
    """Each write key with the doors whose events it takes."""
    common = config.settings.segment.write_key
    found: dict[str, list[str]] = {common: []} if common else {}
    for name, endpoint in config.endpoints.items():
        if key := endpoint.write_key or common:
            found.setdefault(key, []).append(name)
    return found


def clock(headers: Mapping[str, str], asked: float, heard: float) -> Iterator[Finding]:
    """How far this machine's clock is off the server's, as far as a header of whole seconds tells."""
    try:
        told = parsedate_to_datetime(headers.get("Date", "")).timestamp() + 0.5
    except ValueError:
        yield Finding("warning", "clock", "the clock was not compared: Segment's answer has no Date")
        return
    off = (asked + heard) / 2 - told
    doubt = 0.5 + (heard - asked) / 2
    text = f"this machine's clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} Segment's"
    hint = "let it be set by NTP (`timedatectl set-ntp true`)"
    if abs(off) - doubt > FAULT:
        yield Finding("fault", "clock", f"{text}: signed webhooks are turned away as too old or too early; {hint}")
    elif abs(off) - doubt > WARN:
        yield Finding("warning", "clock", f"{text}: {hint}")
    else:
        yield Finding("ok", "clock", f"the clock agrees with Segment's (to {max(1.0, doubt):.0f} s)")


def _said(status: int, text: str, key: str, doors: list[str], settings: SegmentSettings) -> Finding:
    of = f" ({', '.join(doors)})" if doors else ""
    name = f"write key {fingerprint(key)}{of}"
    what = meaning(status)
    if what is Meaning.CONFIG:
        told = f"{settings.url} answers {status} to {name}: {text[:200] or 'nothing more'}"
        hint = "copy the key of an HTTP API source" if status in {401, 403} else "look at SEGMENT_URL, what is it?"
        return Finding("fault", "segment", f"{told}. Mend it: {hint}")
    if what is Meaning.RETRY:
        return Finding(
            "warning", "segment", f"{settings.url} answers {status}: it is busy or broken. Events wait for it"
        )
    if settings.url in SEGMENT_REGIONS.values():
        region = next(region for region, url in SEGMENT_REGIONS.items() if url == settings.url)
        return Finding(
            "ok", "segment",
            f"{settings.url} answers. It says 200 to every key, so that {name} is right, and of a workspace in the "
            f"region {region}, can only be seen in Segment: `segue doctor --send`, then Sources > Debugger",
        )  # fmt: skip
    return Finding("ok", "segment", f"{settings.url} answers, and takes {name}")


def _sent(client: Client, doors: list[str], timeout: float) -> Finding:
    message = {
        "type": "track", "event": "Segue Doctor", "anonymousId": "segue-doctor", "timestamp": to_iso(datetime.now(UTC)),
        "messageId": f"segue-doctor-{secrets.token_hex(16)}", "properties": {"endpoints": doors},
        "context": {"library": {"name": "segue"}, "channel": "server"},
    }  # fmt: skip
    (result,) = client.deliver([message], timeout=timeout)
    if isinstance(result, AcceptedMessage):
        return Finding(
            "ok", "segment",
            f"a message was sent: `Segue Doctor`, {message['messageId']}. It must show in Segment within a minute, "
            "under Sources > your source > Debugger; where it does not, the key or the region is wrong",
        )  # fmt: skip
    return Finding("fault", "segment", f"a message was not taken: {result.reason}")


def _network(reason: str) -> str:
    if "SSL" in reason or "Certificate" in reason:
        return "Its certificate is not trusted here: install ca-certificates, or look at what stands between"
    if "NameResolution" in reason or "gaierror" in reason:
        return "Its name is not found: look at SEGMENT_URL and the name server"
    return "Look at SEGMENT_URL, a firewall or a proxy (HTTPS_PROXY)"
