"""Names that a help desk generated, and names of people."""

import time

import pytest

from translators.kit import real_name

MADE_UP = [
    "Visitor 4711", "visitor493603", "Visitor #12", "Web User 65f0a1b2c3", "Anonymous", "anonymous user", "Unknown",
    "Unknown Person", "Unnamed", "Guest", "Guest 7", "Caller +49 30 901820", "Customer 12", "No Name", "", "  ", "-",
    "+33 6 00 00 00 00", "12345", "Permanently deleted user", "Former user", "null", "undefined", "[object Object]", "N/A",
]  # fmt: skip


@pytest.mark.parametrize("name", MADE_UP)
def test_a_made_up_name_is_no_name(name: str) -> None:
    assert real_name(name) is None


REAL = [
    "Jeanne Brun",
    "Guest Dean",
    "X Æ A-12",
    "Ana",
    "Judith Guest",
    "Visitor Center Paris",
    "李雷",
    "User Experience",
]


@pytest.mark.parametrize("name", REAL)
def test_a_persons_name_is_kept(name: str) -> None:
    assert real_name(f" {name} ") == name


@pytest.mark.parametrize("part", [" ", "-", "guest ", "-1", "a", "1", "("])
def test_a_long_name_takes_time_in_proportion_to_its_length(part: str) -> None:
    name = "user" + part * (100_000 // len(part)) + "~x"
    started = time.perf_counter()
    assert real_name(name) == name
    assert time.perf_counter() - started < 1
