"""The arguments of the benchmark."""

from pathlib import Path

import pytest

from bench.options import ROOT, SUITES, parse


def test_defaults_measure_everything_in_five_rounds_and_write_the_page():
    options = parse([])
    assert (options.suites, options.rounds, options.connections) == (SUITES, 5, (8, 32, 128))
    assert (options.out, options.install, options.quick) == (ROOT / "docs", True, False)


def test_suites_are_in_their_own_order():
    assert parse(["--only", "disk, ingest"]).suites == ("ingest", "disk")


def test_numbers_are_read():
    options = parse(["--rounds", "2", "--seconds", "0.5", "--connections", "1,64", "--events", "10", "--no-install"])
    assert (options.rounds, options.seconds, options.connections, options.events) == (2, 0.5, (1, 64), 10)
    assert not options.install
    assert parse(["--backlog", "5000,6000"]).backlog == (5000, 6000)
    assert parse(["--postgres", "postgresql://h/d"]).postgres == "postgresql://h/d"


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--rows", "Express"], None),
        (["--rows", "Express", "--out", "x"], Path("x")),
        (["--out", "x"], Path("x")),
        (["--out", "x", "--print"], None),
        (["--quick", "--out", "x"], None),
    ],
)
def test_a_part_of_the_rows_does_not_overwrite_the_page(arguments, out):
    assert parse(arguments).out == out


def test_quick_is_one_round_without_installation_or_postgresql():
    options = parse(["--quick", "--only", "ingest", "--seconds", "9", "--rounds", "9"])
    assert (options.rounds, options.seconds, options.suites, options.postgres) == (1, 1.0, ("ingest",), "")
    assert options.quick
    assert not options.install


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "ingest,speed"], "speed is not one of ingest, delivery"),
        (["--only", ","], "nothing is not one of"),
        (["--rounds", "0"], "0 is less than 1"),
        (["--rounds", "x"], "invalid"),
        (["--seconds", "0"], "0 is not between 0 and 600"),
        (["--seconds", "nan"], "nan is not between 0 and 600"),
        (["--connections", "8,0"], "0 is less than 1"),
        (["--backlog", "6000"], "6000 is not two rising numbers"),
        (["--backlog", "6000,6000"], "6000,6000 is not two rising numbers"),
        (["--backlog", "10,6000"], "10,6000 is not two rising numbers from 5,000"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_reason(arguments, reason, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err
