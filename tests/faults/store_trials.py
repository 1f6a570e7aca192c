"""Trials of what the store itself refuses: another installation on its database, and events that it cannot hold."""

from __future__ import annotations

import http.client
import json
import random
import re
import string
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from faults.testbed import SCHEME, SECRET, ReceivedMessages, Report, Service, Testbed, event, free_port, kill
from support.faulty_receiver import FaultyReceiver
from webhooks.signatures import sign

Say = Callable[[str], None]
GOOD = re.compile(r"evt_\d+_\d+")
"""The ids that `testbed.Provider` gives."""


def quiet(_: str) -> None:
    """Print no progress."""


def two_installations(rounds: int, *, seed: int, database: str = "", say: Say = quiet) -> Report:
    """Start a second installation, with its own namespace and receiver, on the first one's database."""
    rng = random.Random(seed)
    with (
        FaultyReceiver() as other,
        Testbed(
            "two installations on one database", database=database, pause=0.01, SEGUE_NAMESPACE="shop-eu"
        ) as testbed,
    ):
        second = Service(testbed.folder, _of_second(testbed, other.url), free_port())
        testbed.send()
        started: Counter[str] = Counter()
        went_on = []
        for number in range(rounds):
            command = rng.choice(["web", "work", "serve"])
            say(f"{number + 1}/{rounds}: {command} of the second installation")
            process = second.start(command)
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                code = 0
                kill(process)
            started[command] += 1
            if code == 0:
                went_on.append(command)
        second.log.close()
        testbed.rest()
        theirs = [f"delivered by the second: {message['messageId']}" for message in other.receiver.received]
        report = testbed.report(detail=f"{dict(sorted(started.items()))} of the second installation, each refused")
        report.unexplained += theirs + [f"{command} of the second installation was not refused" for command in went_on]
        return report


def _of_second(testbed: Testbed, receiver: str) -> dict[str, str]:
    return {
        **testbed.service.environ,
        "SEGUE_NAMESPACE": "shop-us",
        "SEGMENT_WRITE_KEY": "wk_second",
        "SEGMENT_URL": receiver,
        "PORT": str(free_port()),
    }


def poison_keys(events: int, *, seed: int, database: str = "", say: Say = quiet) -> Report:
    """Among good requests come signed ones with ids and types that no index or text column holds: the good ones are
    all answered 200 at their first try, and what was accepted of the others is in the journal.
    """
    with Testbed("keys and types that no store holds", database=database, providers=12, pause=0.002) as testbed:
        senders = [PoisonSender(testbed.port, random.Random(seed + number), events // 4 or 1) for number in range(4)]
        testbed.send()
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            say(f"{sum(sender.sent for sender in senders)}/{events} poison events")
            time.sleep(0.1)
        testbed.rest()
        return _report(testbed, senders)


def _report(testbed: Testbed, senders: list[PoisonSender]) -> Report:
    received = ReceivedMessages(
        message for message in testbed.messages() if GOOD.fullmatch(message["context"]["webhook"]["id"])
    )
    report = testbed.report([], acked=set())
    dead = {key for key in testbed.dead() if GOOD.fullmatch(key)}
    refused = sum((provider.answers for provider in testbed.providers), Counter[int]())
    answers = sum((sender.answers for sender in senders), Counter[int]())
    with testbed.journal() as journal:
        held = journal.count() - len(testbed.acked)
    wrong = [f"{count} good requests were answered {status}" for status, count in refused.items() if status != 200]
    wrong += [f"{count} poison requests were answered {status}" for status, count in answers.items() if status >= 500]
    if held != answers[200]:
        wrong.append(f"{answers[200]} poison events were accepted, and {held} are in the journal")
    return replace(
        report,
        acked=len(testbed.acked),
        delivered=len(received.events),
        dead=len(dead),
        lost=sorted(testbed.acked - received.events - dead),
        unexplained=sorted((received.events | dead) - testbed.acked) + wrong,
        two_ids=received.two_ids,
        copies=received.copies,
        detail=f"poison events by answer: {dict(sorted(answers.items()))}",
    )


@dataclass(eq=False)
class PoisonSender(threading.Thread):
    """Sends `amount` signed events with an id or a type that is too long for an index, or holds a NUL."""

    port: int
    rng: random.Random
    amount: int
    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for _ in range(self.amount):
            body = self._body()
            signed = sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC))
            connection.request("POST", "/webhooks/stripe", body, dict(signed.headers))
            answer = connection.getresponse()
            answer.read()
            self.answers[answer.status] += 1
            self.sent += 1
            time.sleep(0.005)
        connection.close()

    def _body(self) -> bytes:
        letters = "".join(self.rng.choices(string.ascii_letters + string.digits, k=self.rng.randrange(2_000, 10_000)))
        payload = json.loads(event(letters[:40]))
        kind = self.rng.randrange(4)
        if kind == 0:
            payload["id"] = f"evt_{letters}"
        elif kind == 1:
            payload["id"] = f"evt_\0{letters[:40]}"
        elif kind == 2:
            payload["type"] = f"customer.{letters}"
        else:
            payload["type"] = "customer.\0created"
        return json.dumps(payload).encode()
