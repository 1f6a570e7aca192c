"""Money is exact and time is aware UTC."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import (
    Malformed,
    Payload,
    exponent,
    from_iso,
    from_millis,
    from_minor,
    from_rfc2822,
    from_seconds,
    from_unix,
    share,
    to_iso,
)


@pytest.mark.parametrize(
    ("amount", "currency", "exact"),
    [
        (1999, "usd", "19.99"),
        (500, "JPY", "500"),
        (12345, "kwd", "12.345"),
        (10, "clf", "0.0010"),
        (-5, "eur", "-0.05"),
    ],
)
def test_minor_units_become_exact_money(amount: int, currency: str, exact: str) -> None:
    assert from_minor(amount, currency) == Decimal(exact)


def test_a_providers_own_exponent_overrides() -> None:
    assert from_minor(100, "ISK", decimals=2) == Decimal(1)
    assert exponent("isk") == 0


@given(st.integers(-(10**24), 10**24), st.sampled_from(["usd", "jpy", "kwd"]))
def test_money_survives_the_way_there_and_back(amount: int, currency: str) -> None:
    assert from_minor(amount, currency).scaleb(exponent(currency)) == amount


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_iso_round_trips_to_the_microsecond(moment: datetime) -> None:
    assert from_iso(to_iso(moment)) == moment
    assert to_iso(moment).endswith("Z")


def test_fractions_of_seconds_are_exact() -> None:
    assert from_seconds("1531420618.123456").microsecond == 123456
    assert from_seconds(Decimal("1531420618.000001")).microsecond == 1
    assert from_millis(1531420618001).microsecond == 1000
    assert from_unix(1531420618) == from_unix(1531420618000)


def test_zones_become_utc_and_naive_times_are_refused() -> None:
    assert from_iso("2019-06-27T19:10:58+02:00") == datetime(2019, 6, 27, 17, 10, 58, tzinfo=UTC)
    assert from_rfc2822("Tue, 31 Mar 2026 12:00:00 +0200") == datetime(2026, 3, 31, 10, tzinfo=UTC)
    assert from_iso("2019-06-27T19:10:58", naive_is_utc=True).tzinfo is UTC
    for naive in (from_iso, from_rfc2822):
        with pytest.raises(ValueError, match="no time zone"):
            naive("2019-06-27T19:10:58" if naive is from_iso else "Tue, 31 Mar 2026 12:00:00 -0000")


@pytest.mark.parametrize("value", [-1, 253402300800, Decimal("NaN"), Decimal("1e400")])
def test_times_out_of_range_are_refused(value: int | Decimal) -> None:
    with pytest.raises(ValueError, match="out of range"):
        from_seconds(value)


def test_segment_gets_milliseconds_unless_there_is_more() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert to_iso(moment) == "2026-01-02T02:04:05.000Z"
    assert to_iso(moment.replace(microsecond=7)) == "2026-01-02T02:04:05.000007Z"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_falls_out_of_the_calendar_in_utc_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="in UTC"):
        from_iso(text)


def test_an_e_mail_time_that_falls_out_of_the_calendar_is_no_time() -> None:
    with pytest.raises(ValueError, match="in UTC"):
        from_rfc2822("Fri, 31 Dec 9999 23:59:59 -2300")


@pytest.mark.parametrize(
    ("currency", "exact"), [("EUR", "3.33"), ("JPY", "3"), ("KWD", "3.333"), ("CLF", "3.3333"), ("unknown", "3.33")]
)
def test_a_share_of_an_amount_is_rounded_to_the_currencys_unit(currency: str, exact: str) -> None:
    assert share(Decimal(10), Decimal(1), Decimal(3), currency) == Decimal(exact)


@given(st.integers(0, 10**300), st.integers(1, 10**300))
def test_a_share_is_exact_for_amounts_of_any_size(amount: int, whole: int) -> None:
    exact = share(Decimal(amount), Decimal(whole), Decimal(whole), "EUR")
    assert exact == amount
    assert share(Decimal(amount), Decimal(0), Decimal(whole), "EUR") == 0


def test_a_payloads_time_without_a_zone_is_utc_only_if_the_source_says_so() -> None:
    body = Payload({"at": "2022-04-26T10:08:40.454726", "zoned": "2022-04-26T12:08:40.454726+02:00"})
    assert body.iso("at", naive_is_utc=True) == body.iso("zoned", naive_is_utc=True)
    assert body.iso("missing", None, naive_is_utc=True) is None
    with pytest.raises(Malformed, match=r"\$\.at is not an ISO 8601 time"):
        body.iso("at")
