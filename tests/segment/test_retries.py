"""The meaning of each HTTP status, backoff, and Retry-After."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.segment import Meaning, backoff, meaning, retry_after

NOW = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)
TABLE = {
    Meaning.ACCEPTED: [200, 201, 202, 204],
    Meaning.RETRY: [408, 410, 425, 429, 460, 500, 502, 503, 504, 507, 511, 520, 529, 599],
    Meaning.SPLIT: [400, 413, 422],
    Meaning.CONFIG: [
        101,
        301,
        302,
        304,
        307,
        308,
        401,
        402,
        403,
        404,
        405,
        407,
        411,
        415,
        418,
        431,
        451,
        501,
        505,
        600,
    ],
}


@pytest.mark.parametrize(
    ("status", "expected"), [(status, kind) for kind, statuses in TABLE.items() for status in statuses]
)
def test_the_meaning_of_a_status(status, expected) -> None:
    assert meaning(status) is expected


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_stays_under_its_limit(attempts, chance) -> None:
    assert 0 <= backoff(attempts, lambda: chance) <= min(60.0, 0.5 * 2.0 ** min(attempts, 20))


def test_backoff_doubles_from_half_a_second_to_a_minute() -> None:
    assert [backoff(attempts, lambda: 1.0) for attempts in (0, 1, 2, 6, 7, 1000)] == [0.5, 1.0, 2.0, 32.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "9" * 400}, 300.0),
        ({"Retry-After": "Tue, 31 Mar 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Tue, 31 Mar 2026 12:00:30 -0000"}, 30.0),
        ({"Retry-After": "Tue, 31 Mar 2026 14:00:30 +0200"}, 30.0),
        ({"Retry-After": "Wed, 01 Apr 2026 12:00:00 GMT"}, 300.0),
        ({"Retry-After": "Tue, 31 Mar 2026 11:00:00 GMT"}, None),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "Tue, 31 Mar 99999999999 12:00:30 GMT"}, None),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "4"}, 4.0),
        ({"X-RateLimit-Reset": "4"}, 4.0),
        ({"Retry-After": "2", "X-RateLimit-Reset": "4"}, 2.0),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_limited(headers, seconds) -> None:
    assert retry_after(headers, now=NOW) == seconds
