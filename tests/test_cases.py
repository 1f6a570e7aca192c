"""Small inputs that once came out wrong, from a folder that is no part of this repository.

`WEBHOOK_CASES` names it, or it is beside the repository as `../shared/cases`: one folder a case, its number first.
`python3 dev.py cases` prints what comes out of each as a table; `pytest tests/test_cases.py` asserts it.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from support.installed_endpoints import all_endpoints, call_wsgi, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Delivery
from webhooks.cli.main import main
from webhooks.cli.output import short
from webhooks.http.request import HttpRequest
from webhooks.journal.sqlite import SqliteJournal
from webhooks.segment import encode, faults
from webhooks.signatures import sign
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation import translate

HERE = Path(__file__).parent
NAMED = os.environ.get("WEBHOOK_CASES")
ROOT = Path(NAMED) if NAMED else HERE.parent.parent / "shared" / "cases"
NOW = datetime(2026, 11, 28, 10, 5, tzinfo=UTC)
LATER = {"20", "21", "22", "62"}
"""One person over several events: what a single event can say is asserted, the joining is not here yet."""

Table = dict[str, "Case"]
CASES: Table = {}


@dataclass(frozen=True)
class Case:
    """What must come out, in words, and how it is looked at."""

    number: str
    expected: str
    look: Callable[[Path], Any]
    right: Any


def case(number: str, expected: str, right: Any) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Register how the case of this number is looked at; `right` is what that must give."""

    def register(look: Callable[[Path], Any]) -> Callable[[Path], Any]:
        CASES[number] = Case(number, expected, look, right)
        return look

    return register


# tools


def place_of(source: str) -> Any:
    return next(place for place in all_endpoints() if place.source.name == source)


def headers_of(path: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in path.read_text().splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def translated(source: str, body: Any, **more: Any) -> list[Any]:
    """The outcome of each event of a delivery."""
    place = place_of(source)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {**place.source.defaults(), **more.pop("options", {})}
    headers = {name.lower(): value for name, value in more.pop("headers", {}).items()}
    delivery = Delivery(source=source, body=raw, received_at=NOW, headers=headers, options=options, **more)
    endpoint = place.endpoint
    from dataclasses import replace

    endpoint = replace(endpoint, options=options, user_id_keys=("user_id", "userId"))
    return [
        translate.translate(event, endpoint, namespace="cases") for event in endpoint.runtime.events(delivery)
    ]  # fmt: skip


def messages(source: str, body: Any, **more: Any) -> list[dict[str, Any]]:
    outcomes = translated(source, body, **more)
    bad = [outcome for outcome in outcomes if isinstance(outcome, translate.Broken)]
    assert not bad, bad[0].reason
    return [
        message for outcome in outcomes if isinstance(outcome, translate.Translated) for message in outcome.messages
    ]


def shopify(topic: str, body: Any, **headers: str) -> list[dict[str, Any]]:
    all_headers = {"X-Shopify-Topic": topic, "X-Shopify-Triggered-At": "2026-11-28T10:00:00Z", **headers}
    return messages("shopify", body, headers=all_headers)


def events_of(made: list[dict[str, Any]]) -> list[str]:
    return [message.get("event", message["type"]) for message in made]


def person_of(message: dict[str, Any]) -> tuple[str, str]:
    return message.get("userId", ""), message.get("anonymousId", "")


def load(folder: Path, name: str = "input.json") -> Any:
    return json.loads((folder / name).read_bytes(), parse_float=Decimal)


def post(
    journal: Any, source: str, body: bytes, *, method: str = "POST", url: str = "", query: str = "", **headers: str
) -> tuple[int, dict[str, Any]]:
    """Send a request, signed as the provider signs, for `url` if given, else the endpoint's; through WSGI."""
    place = place_of(source)
    form = "=" in body[:40].decode("latin-1") and not body.lstrip().startswith((b"{", b"[", b"<"))
    content = "application/x-www-form-urlencoded" if form else "application/json"
    signed = sign(
        place.endpoint.scheme, body=body, secret=place.signing_secret, now=NOW, content_type=content, method=method,
        url=url or place.endpoint.public_url + (f"?{query}" if query else ""), configured=place.endpoint.secrets[0],
    )  # fmt: skip
    lower_headers = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    lower = dict(signed.headers)
    request = HttpRequest(
        method=method, body=signed.body, query_string=query,
        headers={"content-type": content, **lower_headers, **lower, "content-length": str(len(signed.body))},
    )  # fmt: skip
    status, _, answer = call_wsgi(make_handler(journal, now=NOW), f"/webhooks/{place.name}", request)
    try:
        return status, json.loads(answer)
    except ValueError:
        return status, {"text": answer.decode()}


def count(answer: tuple[int, dict[str, Any]]) -> tuple[int, Any]:
    return answer[0], answer[1].get("new")


def stored(look: Callable[[SqliteJournal], Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(f"{folder}/segue.db")
        try:
            return look(journal)
        finally:
            journal.close()


# what names an event, batches, refusals


@case("01", "the second subscription's delivery is a duplicate", [(200, 1), (200, 0)])
def two_subscriptions(folder: Path) -> Any:
    body = (folder / "input.json").read_bytes()
    deliveries = [headers_of(folder / f"headers-{number}.txt") for number in (1, 2)]
    return stored(lambda journal: [count(post(journal, "shopify", body, **headers)) for headers in deliveries])


@case("02", "both members of both batches are stored, U+FFFD for the half", [(200, 2), (200, 2), "caf\ufffd"])
def lone_surrogate(folder: Path) -> Any:
    def count_of(name: str) -> Any:
        body = (folder / f"{name}.json").read_bytes()
        return stored(lambda journal: count(post(journal, name, body)))

    counts = [count_of(name) for name in ("sendgrid", "hubspot")]
    hubspot = messages("hubspot", (folder / "hubspot.json").read_bytes())
    return [*counts, hubspot[0]["traits"]["firstName"]]


@case("03", "the good member is delivered, the bad one kept", ((200, 2), ["Broken", "Translated"]))
def bad_member(folder: Path) -> Any:
    body = (folder / "sendgrid.json").read_bytes()
    outcomes = sorted(type(outcome).__name__ for outcome in translated("sendgrid", body))
    return stored(lambda journal: count(post(journal, "sendgrid", body))), outcomes


@case("04", "405 with the hint to choose POST", (405, True))
def get_delivery(folder: Path) -> Any:
    query = (folder / "input.txt").read_text().split("?")[1].split(" ")[0]
    answer = post(MemoryJournal(), "twilio", b"", method="GET", query=query)
    return answer[0], "POST" in answer[1].get("hint", "")


@case("05", "Order Completed with its revenue, products cut and counted", ("Order Completed", "45.00", 200, True))
def large_order(folder: Path) -> Any:
    (message,) = (
        candidate
        for candidate in messages(
            "shopify", (folder / "input.json").read_bytes(), headers=headers_of(folder / "headers.txt")
        )
        if candidate["type"] == "track"
    )
    assert faults(message, encode(message)) is None
    properties = message["properties"]
    kept = len(properties.get("products", []))
    whole = properties["products_count"] == kept + properties["products_left_out"]
    return message["event"], f"{properties['revenue']:.2f}", properties["products_count"], whole


@case("06", "accepted", 200)
def unescaped_query(folder: Path) -> Any:
    body = b"MessageSid=SM1&MessageStatus=delivered&To=%2B1&From=%2B2&AccountSid=AC1"
    url = f"{place_of('twilio').endpoint.public_url}?user_id=ada@example.com"
    return post(MemoryJournal(), "twilio", body, url=url, query="user_id=ada%40example.com")[0]


@case("07", "401 that names the URL and its setting", (401, False, True))
def wrong_url(folder: Path) -> Any:
    url = (folder / "signed-url.txt").read_text().strip()
    status, answer = post(MemoryJournal(), "square", (folder / "input.json").read_bytes(), url=url)
    return status, answer["error"] == "wrong_secret", "PUBLIC_URL" in answer["hint"]


@case("08", "one message", (1, 1))
def chatwoot_twice(folder: Path) -> Any:
    source = place_of("chatwoot").source
    keys = set()
    for number in (1, 2):
        body = (folder / f"input-{number}.json").read_bytes()
        delivery = Delivery(source="chatwoot", body=body, received_at=NOW, options=source.defaults())
        keys |= {event.id for event in SourceRuntime(source).events(delivery)}
    return len(keys), len(messages("chatwoot", (folder / "input-1.json").read_bytes()))


@case("09", "the repeat under another id is a duplicate", [(200, 1), (200, 0)])
def sendgrid_repeated(folder: Path) -> Any:
    bodies = [(folder / f"sendgrid-{number}.json").read_bytes() for number in (1, 2)]
    return stored(lambda journal: [count(post(journal, "sendgrid", body)) for body in bodies])


@case("10", "stored under a bounded key", ((200, 1), True))
def long_key(folder: Path) -> Any:
    body = (folder / "input.json").read_bytes()

    def look(journal: SqliteJournal) -> Any:
        answer = count(post(journal, "stripe", body))
        return answer, len(journal.rows()[0].event.id.encode()) <= 1024

    return stored(look)


@case("71", "a long unsigned id is stored under a bounded key", ((200, 1), True))
def long_header(_folder: Path) -> Any:
    body = json.dumps({"action": "opened", "issue": {"id": 1, "created_at": "2026-11-28T10:00:00Z"}}).encode()

    def look(journal: SqliteJournal) -> Any:
        answer = count(post(journal, "github", body, x_github_delivery="x7" * 4000, x_github_event="issues"))
        return answer, len(journal.rows()[0].event.id.encode()) <= 1024

    return stored(look)


@case("11", "accepted: the signature is over these bytes", (200, 1))
def charset(folder: Path) -> Any:
    body = (folder / "input.json").read_bytes()
    return stored(lambda journal: count(post(journal, "stripe", body, content_encoding="UTF-8")))


@case("12", "kept as dead under its digest, answered 200", [(200, "dead"), (200, "dead")])
def unreadable(folder: Path) -> Any:
    def look(name: str) -> Callable[[SqliteJournal], Any]:
        def inner(journal: SqliteJournal) -> Any:
            status, _ = post(journal, name, (folder / f"{name}.json").read_bytes())
            return status, journal.rows()[0].state.value

        return inner

    return [stored(look(name)) for name in ("stripe", "zendesk")]


@case("13", "each refusal is one line of the log", True)
def refusals(_folder: Path) -> Any:
    class Lines(logging.Handler):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[str] = []

        def emit(self, record: logging.LogRecord) -> None:
            self.lines.append(record.getMessage())

    handler, logger = Lines(), logging.getLogger("webhooks")
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        seen = []
        for more in (
            {"content_encoding": "br"}, {"content_encoding": "gzip"}, {"method": "PATCH"}, {"method": "GET"},
        ):  # fmt: skip
            handler.lines.clear()
            assert post(MemoryJournal(), "stripe", b'{"id": "evt_1"}', **more)[0] >= 400
            seen.append(len(handler.lines))
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
        logging.disable(disabled)
    return seen == [1, 1, 1, 1] or seen


# sources


@case("20", "both messages with their sums (one person: with links between events)", ("10.99", "10.99"))
def stripe_refund(folder: Path) -> Any:
    sent = [message for body in load_plain(folder) for message in messages("stripe", body)]
    tracks = {message["event"]: message["properties"] for message in sent if message["type"] == "track"}
    return str(tracks["Order Completed"]["revenue"]), str(tracks["Order Refunded"]["total"])


def load_plain(folder: Path) -> Any:
    return json.loads((folder / "input.json").read_bytes())


@case("21", "order and refund with one order_id (one person: with links between events)", ("501", "501"))
def shopify_refund(folder: Path) -> Any:
    bodies = load_plain(folder)
    tracks = [m for topic, body in bodies.items() for m in shopify(topic, body) if m["type"] == "track"]
    return tuple(message["properties"]["order_id"] for message in tracks)


@case("22", "both carry one checkout_id (one person: with links between events)", 1)
def shopify_checkout(folder: Path) -> Any:
    bodies = load_plain(folder)
    tracks = [m for topic, body in bodies.items() for m in shopify(topic, body) if m["type"] == "track"]
    assert events_of(tracks) == ["Checkout Started", "Order Completed"]
    return len({message["properties"]["checkout_id"] for message in tracks})


@case("23", "one person of the subscription's events; revenue 20.00", (1, "20.00"))
def paypal_subscriber(folder: Path) -> Any:
    sent = [message for body in load_plain(folder)[:2] for message in messages("paypal", body)]
    order = next(message for message in sent if message.get("event") == "Order Completed")
    return len({person_of(message) for message in sent}), str(order["properties"]["revenue"])


@case("25", "the refund names the order of the payment", 1)
def adyen_refund(folder: Path) -> Any:
    tracks = [message for message in messages("adyen", load_plain(folder)) if message["type"] == "track"]
    return len({message["properties"].get("order_id") for message in tracks})


@case("26", "Order Updated of order 501", (["Order Updated"], "501"))
def order_edited(folder: Path) -> Any:
    sent = shopify("orders/edited", load_plain(folder))
    return events_of(sent), sent[0]["properties"]["order_id"]


@case("27", "ignored", [])
def refund_of_nothing(folder: Path) -> Any:
    return shopify("refunds/create", load_plain(folder))


@case("28", "skipped as a test", [])
def shopify_test_notification(folder: Path) -> Any:
    return shopify("refunds/create", load_plain(folder), **{"X-Shopify-Test": "true"})


@case("30", "the reversal is Refund Failed", [["Order Refunded"], ["Refund Failed"]])
def refund_reversed(folder: Path) -> Any:
    tracks = [[m for m in messages("revenuecat", body) if m["type"] == "track"] for body in load_plain(folder)]
    return [[name for name in events_of(payload_tracks) if "Refund" in name] for payload_tracks in tracks]


@case("31", "a conversion is no renewal; revenue without its tax", (True, False, "8.99"))
def trial_conversion(folder: Path) -> Any:
    sent = [message for message in messages("revenuecat", load_plain(folder)) if message["type"] == "track"]
    revenue = next(m["properties"]["revenue"] for m in sent if "revenue" in m["properties"])
    return "Trial Converted" in events_of(sent), "Subscription Renewed" in events_of(sent), f"{revenue:.2f}"


@case("33", "an add-on, its seats, a renewal; no false plan change", (True, True, True, False))
def several_items(folder: Path) -> Any:
    tracks = [[m for m in messages("stripe", body) if m["type"] == "track"] for body in load_plain(folder)]
    first, second, third = (json.dumps(payload_tracks, default=str) for payload_tracks in tracks)
    return (
        "price_addon" in first, "price_addon" in second and '"5"' in second.replace(": 5", ': "5"'),
        "Subscription Renewed" in third, "Subscription Plan Changed" in third,
    )  # fmt: skip


@case("34", "an identify of the person with e-mail and name", ("pat@example.com", "Pat", "Ito"))
def person_account(folder: Path) -> Any:
    sent = messages("salesforce", (folder / "input.xml").read_bytes())
    traits = next(message["traits"] for message in sent if message["type"] == "identify")
    return traits.get("email"), traits.get("firstName"), traits.get("lastName")


@case("36", "traits of the payer and the status", ("b@example.com", True))
def payer_info(folder: Path) -> Any:
    text = json.dumps(messages("paypal", load_plain(folder)))
    return "b@example.com" if "b@example.com" in text else "", "cancelled" in text.lower()


@case("37", "Dispute Closed, its time read as UTC", ("Dispute Closed", "2022-04-26T10:08:40.454726Z"))
def no_zone(folder: Path) -> Any:
    message = next(m for m in messages("square", load_plain(folder)) if m["type"] == "track")
    return message["event"], message["timestamp"]


@case("38", "subtotal + tax = total", "12.10")
def inclusive_tax(folder: Path) -> Any:
    sent = messages("stripe", load_plain(folder))
    properties = next(m["properties"] for m in sent if m.get("event") == "Order Completed")
    assert str(properties["total"]) == "12.10"
    return str(properties["subtotal"] + properties["tax"])


@case("39", "trial_plan_name is there", True)
def trial_plan_name(folder: Path) -> Any:
    return any(m.get("properties", {}).get("trial_plan_name") for m in messages("paddle", load_plain(folder)))


@case("40", "the refund in the order's currency", ("USD", "50.00"))
def refund_currency(folder: Path) -> Any:
    (message,) = (m for m in shopify("refunds/create", load_plain(folder)["refunds/create"]) if m["type"] == "track")
    return message["properties"]["currency"], str(message["properties"]["total"])


@case("41", "revenue in sum 10.00, one Order Completed", ("10.00", 1))
def paid_in_parts(folder: Path) -> Any:
    sent = [message for body in load_plain(folder) for message in messages("chargebee", body)]
    revenue = sum((m["properties"].get("revenue", Decimal(0)) for m in sent if m["type"] == "track"), Decimal(0))
    return str(revenue), events_of(sent).count("Order Completed")


@case("50", "two clicks", [(200, 1), (200, 1)])
def two_links(folder: Path) -> Any:
    bodies = [json.dumps(payload).encode() for payload in load_plain(folder)]
    return stored(lambda journal: [count(post(journal, "postmark", body)) for body in bodies])


@case("51", "one message", 1)
def several_recipients(folder: Path) -> Any:
    sent = messages("resend", load_plain(folder), headers={"svix-id": "msg_1"})
    return len([message for message in sent if message["type"] == "track"])


@case("52", "Email Opened without a userId", ("Email Opened", ""))
def variables_as_text(folder: Path) -> Any:
    (message,) = messages("mailgun", load_plain(folder))
    return message["event"], message.get("userId", "")


@case("53", "200, ignored", ((200, 1), "Ignored"))
def ping(folder: Path) -> Any:
    body = (folder / "input.json").read_bytes()
    (outcome,) = translated("intercom", body)
    return stored(lambda journal: count(post(journal, "intercom", body))), type(outcome).__name__


@case("55", "userId cust_42", {"cust_42"})
def lead_role(folder: Path) -> Any:
    return {message.get("userId") for message in messages("intercom", load_plain(folder))}


@case("56", "ignored with a reason", ("Ignored", True))
def backoffice(folder: Path) -> Any:
    (outcome,) = translated("intercom", load_plain(folder))
    return type(outcome).__name__, bool(getattr(outcome, "reason", ""))


@case("58", "no userId made of Intercom's UUID", {None})
def deleted_lead(folder: Path) -> Any:
    return {message.get("userId") for message in messages("intercom", load_plain(folder))}


@case("59", "200, ignored", "Ignored")
def recording(folder: Path) -> Any:
    (outcome,) = translated("twilio", (folder / "input.form").read_bytes().strip())
    return type(outcome).__name__


@case("60", "SMS Received and SMS Unsubscribed", ["SMS Received", "SMS Unsubscribed"])
def stop(folder: Path) -> Any:
    sent = messages("twilio", (folder / "input.form").read_bytes().strip())
    return sorted(message["event"] for message in sent if message["type"] == "track")


@case("61", "about b@example.com", (True, False))
def another_writer(folder: Path) -> Any:
    text = json.dumps(messages("plain", load_plain(folder)))
    return "b@example.com" in text, "a@example.com" in text


@case("62", "the message knows cust_42 (both ids: with links between events)", {"cust_42"})
def identify_both(folder: Path) -> Any:
    return {message.get("userId") for message in messages("crisp", load_plain(folder))}


@case("63", "two anonymousIds", 2)
def two_workspaces(folder: Path) -> Any:
    return len({person_of(message) for body in load_plain(folder) for message in messages("slack", body)})


@case("65", "ignored: a later edit", [])
def old_comment(folder: Path) -> Any:
    return [m for m in messages("jira", load_plain(folder)) if m.get("event") == "Ticket Replied"]


@case("66", "the tag is carried", True)
def tags(folder: Path) -> Any:
    return "welcome" in json.dumps(messages("resend", load_plain(folder), headers={"svix-id": "msg_1"}))


# the journal and the terminal


@case("70", "nothing acknowledged is lost", "LOST []")
def wal_removed(folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, str(folder / "wal_removed_once.py"), "2", "1"], cwd=HERE.parent,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)}, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    last = done.stdout.rstrip().rpartition("\n")[2]
    return f"LOST {last.rpartition('LOST ')[2]}" if "LOST" in last else done.stderr[-300:]


@case("72", "no control or bidi character raw", (False, False))
def terminal(folder: Path) -> Any:
    raw = set("\x1b\x07\x00\u202e")
    with tempfile.TemporaryDirectory() as home:
        database = f"sqlite:///{home}/segue.db"
        journal = SqliteJournal(f"{home}/segue.db")
        source = place_of("stripe").source
        body = (folder / "input.json").read_bytes()
        delivery = Delivery(source="stripe", body=body, received_at=NOW, options=source.defaults())
        journal.append(SourceRuntime(source).events(delivery), now=NOW)
        claims = journal.claim(9, worker="w", now=NOW, lease=NOW - NOW.replace(hour=9))
        from webhooks.journal import Settlement, State

        journal.settle([Settlement(claim=claim, state=State.UNSUPPORTED, reason="x") for claim in claims], now=NOW)
        journal.close()
        run = CliRunner(env={"SEGUE_DATABASE": database, "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef"})
        printed = [
            run.invoke(main, ["status"]).output, run.invoke(main, ["translate", "stripe", str(folder / "input.json")]).output
        ]  # fmt: skip
    assert all("x" in output for output in printed)
    return tuple(bool(raw & set(output)) for output in printed)


@case("73", "bounded work: a type of 900 kB", 60)
def quadratic(_folder: Path) -> Any:
    return len(short("Stripe event type '" + "t" * 900_000 + "' has no translation"))


@case("74", "503 with Retry-After, as for every source", {(503, "5")})
def journal_unavailable(_folder: Path) -> Any:
    answers = set()
    for place in all_endpoints():
        journal = MemoryJournal()
        journal.away = True
        request = place.request()
        token = f"/{request.path_token}" if request.path_token else ""
        status, headers, _ = call_wsgi(make_handler(journal), f"/webhooks/{place.name}{token}", request)
        if place.source.nack is None:
            answers.add((status, headers.get("Retry-After")))
    return answers


def folder_of(number: str) -> Path | None:
    return next(iter(sorted(ROOT.glob(f"{number}-*"))), None)


NUMBERS = sorted({*CASES, *(path.name[:2] for path in ROOT.glob("[0-9][0-9]-*"))})


@pytest.mark.parametrize("number", NUMBERS)
def test_case(number: str) -> None:
    folder = folder_of(number)
    if folder is None:
        pytest.skip(f"no cases in {'WEBHOOK_CASES' if NAMED else '../shared/cases'}: set WEBHOOK_CASES to a folder")
    assert number in CASES, f"say in this file what must come out of {folder.name}"
    assert CASES[number].look(folder) == CASES[number].right, CASES[number].expected


def table() -> int:
    """Print every case, and return how many come out otherwise."""
    logging.disable(logging.WARNING)
    wrong = 0
    for number in NUMBERS:
        folder = folder_of(number)
        if folder is None or number not in CASES:
            print(f"{number}  ?     {'no such folder' if folder is None else folder.name + ': nothing is said of it'}")
            wrong += 1
            continue
        try:
            got = CASES[number].look(folder)
        except Exception as error:  # a table shows what it can
            got = f"{type(error).__name__}: {str(error)[:150]}"
        right = got == CASES[number].right
        wrong += not right
        mark = ("later" if number in LATER else "ok   ") if right else "WRONG"
        print(
            f"{number}  {mark} {folder.name[3:]:50.50}  {CASES[number].expected}"
            + ("" if right else f"\n          got {got}")
        )
    print(
        f"{len(NUMBERS) - wrong} of {len(NUMBERS)} come out as expected ({len(LATER)} of them but for joining events)"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(1 if table() else 0)
