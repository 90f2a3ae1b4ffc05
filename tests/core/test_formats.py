"""How figures and times read."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import formats

NOW = datetime(2026, 11, 23, 10, 41, tzinfo=UTC)
NBSP = formats.NBSP


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234567, 0, "1,234,567"), (2.5, 0, "3"), (0.05, 1, "0.1"), (-0.2, 0, "0"), (None, 0, "–")],
)
def test_numbers_have_separators_and_round_half_up(value, digits, text):
    assert formats.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9999, "9,999"),
        (10_000, "10 k"),
        (12_345, "12.3 k"),
        (999_600, "1 m"),
        (5_210_000, "5.2 m"),
        (123_456_789, "123 m"),
        (None, "–"),
    ],
)
def test_large_numbers_are_shortened_and_small_ones_are_not(value, text):
    assert formats.compact(value) == text.replace(" ", NBSP)


def test_percentages_take_hundreds_or_shares_of_one():
    assert formats.percent(34) == f"34{NBSP}%"
    assert formats.percent(0.887, 1, of_one=True) == f"88.7{NBSP}%"


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1842050, "GBP", "£18,420.50"), (-99, "USD", "−$0.99"), (500, "JPY", "¥500"), (100, "SEK", f"SEK{NBSP}1.00")],
)
def test_money_is_written_from_minor_units_in_its_currency(minor, currency, text):
    assert formats.money(minor, currency) == text


def test_money_can_leave_the_pence_out():
    assert formats.money(1842050, "GBP", whole=True) == "£18,421"


@pytest.mark.parametrize(
    ("micros", "text"), [(None, "–"), (0, "free"), (120, "under $0.001"), (11_000, "$0.011"), (1_240_000, "$1.24")]
)
def test_the_cost_of_a_call_says_free_and_unknown_apart(micros, text):
    assert formats.cost(micros) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (1536, "1.5 KB"), (1024, "1 KB"), (5 * 1024**3, "5 GB")])
def test_file_sizes_go_in_steps_of_1024(size, text):
    assert formats.filesize(size) == text.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(840, "0.8_s"), (14_000, "14_s"), (80_000, "1_min 20_s"), (120_000, "2_min"), (7_500_000, "2_h 5_min")],
)
def test_durations_use_the_two_largest_units(milliseconds, text):
    assert formats.duration(milliseconds) == text.replace("_", NBSP)


def test_plurals_follow_the_count():
    assert formats.plural(1, "persona") == f"1{NBSP}persona"
    assert formats.plural(1200, "reply", "replies") == f"1,200{NBSP}replies"


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=50), "1_min ago"),
        (timedelta(hours=8, minutes=41), "8_h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "3_days ago"),
        (timedelta(days=12), "11 Nov"),
        (timedelta(days=400), "19 Oct 2025"),
        (-timedelta(seconds=5), "in a moment"),
        (-timedelta(hours=3), "in 3_h"),
    ],
)
def test_times_are_relative_for_a_week_and_dates_after(gap, text):
    assert formats.relative_time(NOW - gap, NOW) == text.replace("_", NBSP)


def test_a_time_without_a_zone_is_utc():
    naive = datetime(2026, 11, 23, 2, 0)
    assert formats.iso(naive) == "2026-11-23T02:00:00Z"
    assert formats.exact_time(naive) == "Mon 23 Nov 2026, 02:00 UTC"


def test_a_time_that_never_was_reads_never():
    assert formats.relative_time(None) == "never"
    assert formats.iso(None) == ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Priya Nair", "PN"), ("Ana de la Cruz", "AC"), ("cher", "CH"), ("Orchard & Oat", "OO"), ("", "?"), (None, "?")],
)
def test_initials_take_first_and_last_word(name, letters):
    assert formats.initials(name) == letters


def test_hues_go_round_for_numbers_and_stay_for_names():
    assert [formats.hue(n) for n in range(1, 8)] == [1, 2, 3, 4, 5, 1, 2]
    assert formats.hue("Priya") == formats.hue("Priya")
    assert 1 <= formats.hue("Tom") <= 5
