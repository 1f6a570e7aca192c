"""The fake Segment is as strict as Segment, and drops the same messages after a 200."""

import base64
import gzip
import http.client
import json
import threading
from pathlib import Path

import pytest

from support.messages import message
from webhooks.segment.fake import FakeSegment, serve

JSON = {"authorization": "Basic " + base64.b64encode(b"wk:").decode(), "content-type": "application/json"}


def body(*messages):
    return json.dumps({"batch": messages}, separators=(",", ":"), ensure_ascii=False).encode()


def take(receiver, raw, path="/v1/batch", **headers):
    return receiver.take(path, {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}, raw)[0]


def test_valid_messages_are_kept_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "got.jsonl"
    receiver = FakeSegment(log=log)
    assert take(receiver, body(message(1), message(2))) == 200
    assert take(receiver, gzip.compress(body(message(3))), content_encoding="gzip") == 200
    assert take(receiver, json.dumps(message(4)).encode(), "/v1/track") == 200
    receiver.close()
    assert [message["messageId"] for message in receiver.received] == ["m-1", "m-2", "m-3", "m-4"]
    assert [json.loads(line)["messageId"] for line in log.read_text().splitlines()] == ["m-1", "m-2", "m-3", "m-4"]
    assert receiver.by_key == {"wk": ["m-1", "m-2", "m-3", "m-4"]}


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"batch":{}}', {}, 400),
        (b'{"batch":[{"a":NaN}]}', {}, 400),
        (body(message(1)), {"content_type": "text/plain"}, 400),
        (b"no gzip", {"content_encoding": "gzip"}, 400),
        (gzip.compress(body(message(1)))[:-12], {"content_encoding": "gzip"}, 400),
        (gzip.compress(b" " * 2_000_000 + body()), {"content_encoding": "gzip"}, 400),
        (body(message(1, properties={"x": "a" * 33_000})), {}, 400),
        (body(*[message(number, properties={"x": "a" * 30_000}) for number in range(17)]), {}, 400),
        (body(message(1)), {"authorization": ""}, 401),
        (body(message(1)), {"authorization": "Bearer x"}, 401),
        (body(message(1)), {"authorization": "Basic d2s="}, 401),
        (body(message(1)), {"authorization": "Basic %"}, 401),
    ],
)
def test_requests_that_segment_refuses_are_refused(raw, headers, status) -> None:
    receiver = FakeSegment()
    assert take(receiver, raw, **headers) == status
    assert receiver.count == 0


def test_a_write_key_in_the_body_is_accepted() -> None:
    raw = json.dumps({"batch": [message(1)], "writeKey": "wk"}).encode()
    assert take(FakeSegment(), raw, authorization="") == 200


@pytest.mark.parametrize("path", ["/v1/import", "/track", "/v2/batch"])
def test_another_path_is_not_found(path) -> None:
    assert take(FakeSegment(), body(), path) == 404


@pytest.mark.parametrize(
    ("invalid", "reason"),
    [
        (message(1, userId=None), "no_user_anon_id"),
        (message(1, event=None), "track without event"),
        (message(1, type="trak"), "unknown type"),
        ("text", "unknown type"),
    ],
)
def test_messages_that_segment_drops_after_a_200_are_kept_with_the_reason(invalid, reason) -> None:
    receiver = FakeSegment()
    assert take(receiver, body(invalid, message(2))) == 200
    assert [dropped.reason for dropped in receiver.dropped] == [reason]
    assert [message["messageId"] for message in receiver.received] == ["m-2"]


def test_messages_beyond_2500_and_unknown_keys_are_dropped() -> None:
    receiver = FakeSegment()
    raw = body(*[{"type": "page", "userId": "u"}] * 2501)
    assert (take(receiver, raw), receiver.count, len(receiver.dropped)) == (200, 2500, 1)
    receiver = FakeSegment(keys=["other"])
    assert (take(receiver, body(message(1))), receiver.count) == (200, 0)


def test_the_messages_in_memory_can_be_limited() -> None:
    receiver = FakeSegment(keep=3)
    take(receiver, body(*map(message, range(10))))
    assert (receiver.count, len(receiver.received), receiver.by_key) == (10, 3, {})


def test_requests_share_one_connection() -> None:
    receiver = FakeSegment(latency=0.001)
    server = serve(receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        for number in range(3):
            connection.request("POST", "/v1/batch", body(message(number)), JSON)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, b'{"success":true}')
        connection.request("GET", "/")
        assert json.loads(connection.getresponse().read()) == {"accepted": 3, "requests": 3}
        connection.request("POST", "/v1/nothing", b"{}", JSON)
        assert connection.getresponse().status == 404
    finally:
        connection.close()
        server.shutdown()
        thread.join()
        server.server_close()
