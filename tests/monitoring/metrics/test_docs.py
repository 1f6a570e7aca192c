"""docs/monitoring.md lists exactly the existing series, with their kind and labels."""

import re
import subprocess
from pathlib import Path

import pytest

from webhooks.segment import Meaning, RetryReason
from webhooks.signatures import Fault

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "monitoring.md").read_text()


def documented():
    rows = re.findall(r"^\| `(segue_\w+)` \| (\w+) \| ([^|]*)\|", PAGE, flags=re.MULTILINE)
    return {name: (kind, frozenset(filter(None, labels.strip().split(", ")))) for name, kind, labels in rows}


def test_exactly_the_existing_series_are_documented(exported) -> None:
    assert documented() == exported


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ("segue_webhooks_rejected_total", [fault.value for fault in Fault if fault != Fault.NONE]),
        ("segue_events_retried_total", list(RetryReason)),
        ("segue_segment_requests_total", [*Meaning, "unreachable"]),
    ],
)
def test_the_values_of_a_label_are_documented(series, words) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{series}`")]
    assert {word for word in words if f"`{word}`" not in row} == set()


def test_every_rejection_reason_in_the_code_is_documented() -> None:
    names = ("web/handler.py", "web/responses.py", "web/wsgi.py", "http/encodings.py", "http/certificates.py")
    code = "".join((ROOT / "webhooks" / name).read_text() for name in names)
    reasons = set(re.findall(r'(?:Rejected|_unread)\(\s*\d{3},\s*"(\w+)"', code))
    assert len(reasons) > 13
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `segue_webhooks_rejected_total`")]
    assert {reason for reason in reasons if f"`{reason}`" not in row} == set()


def test_promtool_accepts_a_scrape(exposition, promtool) -> None:
    done = subprocess.run(
        [promtool, "check", "metrics"], input=exposition.render()[0], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
