"""A batch of good members and any bad one loses only the bad one, for every source that splits and both stores."""

import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.installed_endpoints import GOLDENS, sources
from support.postgres_server import fresh_database
from translators.kit import Delivery, Source, raw_items
from translators.kit.configured import configured
from webhooks.journal import AppendResult, AuditContext, Filter, Journal, State, open_journal
from webhooks.journal.postgres import PostgresJournal
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, endpoint, find_goldens, outcomes
from webhooks.translation.translate import Broken, Outcome, Translated, translate

LISTS = ("sendgrid", "hubspot", "salesforce_cdc", "salesforce_marketing_cloud", "stripe")
BESIDE = {
    "adyen": ("notificationItems", {"live": "true"}),
    "salesforce_apex": (
        "events",
        {"organization_id": "00D8W0001HarbEAUQY", "url": "https://harbour.my.salesforce.com"},
    ),
    "salesforce_data_cloud": ("events", {"creationDateTime": "2026-10-05T09:31:12.000Z"}),
}
BAD = (
    b'{"a":"\xff"}', b'{"a":NaN}', b'{"a":-Infinity}', b"NaN", b'{"a":"\0"}', b"\0", b"\xff", b"nonsense", b"null", b"7", b'""', b"[]", b"{}",
    b'{"a":"\\ud83d"}', b"\xef\xbb\xbf{}", b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b'"', b"\\", b":", b'"\\', b'{"a":"x"y"}', b"{'a':1}",
    b'{"a":1]', b'{"id":1e400}', b"[" * 5_000, b'{"a":' * 5_000, b"[" * 5_000 + b"]" * 5_000, b'{"id":"\\u0000","type":"\\u0000"}',
)  # fmt: skip
_numbers = count(1)


@dataclass(frozen=True)
class Splitting:
    """A source that splits deliveries, the members, and how they are joined to a delivery."""

    source: Source
    members: tuple[bytes, ...]
    body: Callable[[list[bytes]], bytes]
    options: dict[str, Any]

    def delivery(self, members: list[bytes]) -> Delivery:
        return Delivery(source=self.source.name, body=self.body(members), received_at=RECEIVED, options=self.options)

    def read(self, members: list[bytes]) -> dict[str, Outcome]:
        return {event.id: outcome for event, outcome in outcomes(self.source, self.delivery(members))}


def as_list(members: list[bytes]) -> bytes:
    return b"[" + b",".join(members) + b"]"


def beside(name: str, others: dict[str, str]) -> Callable[[list[bytes]], bytes]:
    before = json.dumps(others).encode()[:-1]
    return lambda members: before + b', "' + name.encode() + b'": ' + as_list(members) + b', "count": 2}'


def acme() -> Source:
    return configured(
        "acme",
        {
            "scheme": {"class": "StandardWebhooks"}, "items": "data.events", "id": "id", "type": "type",
            "identity": {"anonymous": "who"}, "events": {"x": "X Done"},
        },
    )  # fmt: skip


@cache
def splitting() -> dict[str, Splitting]:
    cases = {}
    for name in (*LISTS, *BESIDE):
        source, members = sources()[name], dict[bytes, None]()
        for golden in find_goldens(GOLDENS / name):
            if golden.path.suffix == ".json" and not golden.request and "malformed" not in golden.name:
                body = json.loads(golden.body)
                if isinstance(body, list):
                    members |= dict.fromkeys(raw_items(golden.body))
                elif name not in BESIDE and name != "hubspot":
                    members[golden.body.strip()] = None
                elif name in BESIDE and BESIDE[name][0] in body:
                    members |= dict.fromkeys(raw_items(golden.body, BESIDE[name][0]))
        put = beside(*BESIDE[name]) if name in BESIDE else as_list
        case = Splitting(source, (), put, source.defaults())
        good = [
            member
            for member in members
            if not any(isinstance(outcome, Broken) for outcome in case.read([member]).values())
        ]
        cases[name] = replace(case, members=tuple(good))
    ids = tuple(json.dumps({"id": f"evt_{n}", "type": "x", "who": "w"}).encode() for n in range(5))
    cases["acme"] = Splitting(acme(), ids, lambda m: b'{"data": {"events": ' + as_list(m) + b', "n": 1}, "v": 2}', {})
    soap = find_goldens(GOLDENS / "salesforce")[0].body
    begin, end = soap.index(b"<Notification>"), soap.rindex(b"</Notification>") + len(b"</Notification>")
    notice = soap[begin : soap.index(b"</Notification>") + len(b"</Notification>")]
    id_ = notice[notice.index(b"<Id>") + 4 : notice.index(b"</Id>")]
    several = tuple(notice.replace(id_, b"04l8W000000000%dAAA" % n) for n in range(3))
    source = sources()["salesforce"]
    cases["salesforce"] = Splitting(
        source, several, lambda m: soap[:begin] + b"\n".join(m) + soap[end:], source.defaults()
    )
    return cases


def test_every_source_that_splits_is_tried() -> None:
    split = {name for name, source in sources().items() if source.declared.split is not None}
    several = {"jira", "twilio", "slack", "github"}  # these make parts of one JSON or form, no list
    assert split - several == set(splitting()) - {"acme"}


@pytest.fixture(scope="module")
def journals(postgres_admin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Journal, ...]]:
    path: Path = tmp_path_factory.mktemp("journal") / "segue.db"
    with fresh_database(postgres_admin) as url:
        postgres = PostgresJournal(url, span=timedelta(0))
        postgres.open()
        sqlite = open_journal(f"sqlite:///{path}")
        yield sqlite, postgres
        sqlite.close()
        postgres.close()


@pytest.mark.parametrize("name", splitting())
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_a_bad_member_of_a_batch_costs_no_good_one(
    journals: tuple[Journal, ...], name: str, data: st.DataObject
) -> None:
    case = splitting()[name]
    good = data.draw(st.lists(st.sampled_from(case.members), min_size=1, max_size=4, unique=True))
    cut = st.tuples(st.sampled_from(case.members), st.integers(1, 40)).map(lambda pair: pair[0][: -pair[1]])
    soap = name == "salesforce"
    bad = data.draw(st.sampled_from([good[0].replace(b"<Id>", b"<Id>\xff"), b"<Notification>\0</Notification>"]) if soap
                    else st.sampled_from(BAD) | cut | st.binary(min_size=1, max_size=12))  # fmt: skip
    place = data.draw(st.integers(0, len(good)))
    batch = [*good[:place], bad, *good[place:]]
    alone = {key: outcome for member in good for key, outcome in case.read([member]).items()}
    events, outcomes = SourceRuntime(case.source).receive(case.delivery(batch)), case.read(batch)
    for key, outcome in alone.items():
        assert outcomes[key] == outcome
        assert not isinstance(outcome, Broken)
    tenant = f"tenant{next(_numbers)}"
    theirs = [replace(event, source=tenant) for event in events]
    for journal in journals:
        stored = journal.append(theirs, now=RECEIVED)
        assert stored.new == len({event.id for event in theirs})
        rows = journal.rows(Filter(sources=(tenant,)))
        assert {row.event.id for row in rows} == {event.id for event in theirs}
        assert {row.event.id for row in rows if row.state is State.PENDING} >= alone.keys()
        for row in rows:
            assert (row.state is State.DEAD) == bool(row.event.problem)


def test_a_delivery_kept_as_a_whole_gives_its_messages_after_a_replay(journals: tuple[Journal, ...]) -> None:
    case = splitting()["acme"]
    delivery = replace(case.delivery(list(case.members)), source="whole", headers={"x-other": "not kept"})
    bug = acme()
    bug.declared.split = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    (kept,) = SourceRuntime(bug).receive(delivery, trust="authenticated")
    whole = replace(endpoint(case.source, delivery.options), name="whole")
    apart = [
        translate(event, whole, namespace="n")
        for event in SourceRuntime(case.source).receive(delivery, trust="authenticated")
    ]
    for journal in journals:
        journal.append([kept], now=RECEIVED)
        (row,) = journal.rows(Filter(sources=("whole",)))
        assert row.state is State.DEAD
        assert "ZeroDivisionError" in row.reason
        by = AuditContext(actor="ops", reason="the splitter is fixed")
        journal.replay([row.seq], by=by, as_new=False, now=RECEIVED, due_at=RECEIVED)
        claims = journal.claim(10_000, worker="w", now=RECEIVED + timedelta(minutes=1), lease=timedelta(minutes=5))
        (claim,) = [claim for claim in claims if claim.event.source == "whole"]
        outcome = translate(claim.event, whole, namespace="n")
        assert isinstance(outcome, Translated)
        assert outcome.messages == [
            message for outcome in apart if isinstance(outcome, Translated) for message in outcome.messages
        ]
        assert len(outcome.messages) == len(case.members)


def test_a_key_of_thousands_of_random_letters_is_stored_alike_and_recognised_again(
    journals: tuple[Journal, ...],
) -> None:
    """PostgreSQL indexes no key over 2,704 bytes: such a key failed all events of its group commit."""
    github = sources()["github"]
    golden = next(golden for golden in find_goldens(GOLDENS / "github") if golden.name.startswith("star"))
    sent = golden.delivery(github)
    letters = "".join(random.Random(71).choices(string.ascii_letters, k=8_000))
    for delivery_id in (letters, "a\0b", "\ud800", "é" * 2_000):
        delivery = replace(sent, source="long", headers={**sent.headers, "x-github-delivery": delivery_id})
        (event,) = SourceRuntime(github).receive(delivery)
        assert not event.problem
        assert event.id.endswith(f"~sha256:{sha256(delivery_id.encode('utf-8', 'surrogatepass')).hexdigest()}")
        for journal in journals:
            assert journal.append([event], now=RECEIVED) == AppendResult(1, 0)
            assert journal.append([event], now=RECEIVED) == AppendResult(0, 1)
            row = journal.find("long", event.id)
            assert row is not None
            assert row.event.raw == event.raw
            assert row.event.headers == event.headers
