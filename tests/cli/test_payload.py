"""`segue send` and `segue translate`: headers from options and from the file beside the payload."""

import json
from pathlib import Path

import pytest

from support.commands import CommandRunner
from support.processes import free_port, get, output, segue, until

ORDER = {
    "id": 7,
    "email": "ada@example.com",
    "currency": "EUR",
    "total_price": "1.00",
    "created_at": "2026-01-02T03:04:05Z",
}
SECRETS = {"SHOPIFY_WEBHOOK_SECRET": "shop_secret_of_tests"}


@pytest.fixture
def order(tmp_path: Path):
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER))
    return path


def beside(path, value):
    path.with_name(f"{path.stem}.request.json").write_text(value if isinstance(value, str) else json.dumps(value))


def test_translate_reads_headers_from_request_json(run: CommandRunner, order) -> None:
    beside(order, {"headers": {"X-Shopify-Topic": "orders/paid", "X-Shopify-Webhook-Id": "w1"}})
    (event,) = json.loads(run("translate", "shopify", str(order), "--json").output)
    assert event["type"] == "orders/paid"


def test_header_option_overrides_request_json(run: CommandRunner, order) -> None:
    beside(order, {"headers": {"X-Shopify-Topic": "orders/paid"}})
    result = run("translate", "shopify", str(order), "--json", "--header", "x-shopify-topic: orders/create")
    assert json.loads(result.output)[0]["type"] == "orders/create"


@pytest.mark.parametrize("value", ["{", '{"headers": ["x"]}', '{"query": 1}'])
def test_invalid_request_json_is_a_failure(run: CommandRunner, order, value) -> None:
    beside(order, value)
    result = run("translate", "shopify", str(order))
    assert result.exit_code == 1
    assert "request.json" in result.output
    assert "Traceback" not in result.output


def test_send_merges_headers_of_file_and_option(run: CommandRunner, order, tmp_path: Path) -> None:
    port = free_port()
    with segue(tmp_path, "web", PORT=str(port), **SECRETS):
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        to = ("--to", f"127.0.0.1:{port}", "--json")
        topic = ("--header", "X-Shopify-Topic:orders/paid")
        result = run("send", "shopify", str(order), *topic, "--header", "X-Shopify-Event-Id:e1", *to, **SECRETS)
        assert json.loads(result.output)["answer"]["status"] == "accepted"
        beside(order, {"headers": {"X-Shopify-Topic": "orders/paid", "X-Shopify-Event-Id": "e1"}})
        result = run("send", "shopify", str(order), *to, **SECRETS)
        assert json.loads(result.output)["answer"]["status"] == "duplicate"


def test_invalid_header_option_is_refused_with_a_hint(run: CommandRunner, order) -> None:
    result = run("send", "shopify", str(order), "--to", "127.0.0.1:1", "--header", "topic", **SECRETS)
    assert result.exit_code == 1
    assert "Write it as NAME:VALUE" in result.output
