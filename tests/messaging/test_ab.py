"""Which text won: intervals and tests against known values, and a verdict that waits for enough people and time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.services import statistics

HITS_AND_BASE = st.integers(1, 5000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


@pytest.mark.parametrize(
    ("hits", "base", "low", "high"),
    [(10, 100, 0.05523, 0.17437), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (81, 263, 0.25527, 0.36624)],
)  # Wilson's interval without continuity correction, as in Newcombe (1998), table II
def test_wilsons_interval_is_the_published_one(hits, base, low, high):
    assert statistics.wilson(hits, base) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [((45, 100), (30, 100), 0.02846), ((120, 1000), (100, 1000), 0.15292), ((5, 50), (5, 50), 1.0)],
)
def test_the_two_proportion_test_gives_the_known_p(first, second, p):
    assert statistics.two_sided_p(statistics.share(*first), statistics.share(*second)) == pytest.approx(p, abs=2e-4)


def test_newcombes_interval_of_a_difference_is_the_published_one():
    found = statistics.lift(statistics.share(56, 70), statistics.share(48, 80))
    assert (found.points, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(HITS_AND_BASE)
def test_an_interval_contains_its_rate_and_stays_inside_0_and_1(drawn):
    found = statistics.share(*drawn)
    assert 0 <= found.low <= found.rate <= found.high <= 1


@given(HITS_AND_BASE)
def test_ten_times_as_many_people_make_the_interval_narrower(drawn):
    hits, base = drawn
    few, many = statistics.share(hits, base), statistics.share(hits * 10, base * 10)
    assert many.high - many.low < few.high - few.low


@given(HITS_AND_BASE, HITS_AND_BASE)
def test_a_test_is_the_same_from_both_sides_and_a_probability(first, second):
    one, other = statistics.share(*first), statistics.share(*second)
    p = statistics.two_sided_p(one, other)
    assert 0 <= p <= 1
    assert p == pytest.approx(statistics.two_sided_p(other, one))
    assert statistics.two_sided_p(one, one) == 1.0


@given(st.floats(0, 1), st.integers(1, 50))
def test_correcting_for_more_comparisons_never_makes_chance_less_likely(p, comparisons):
    assert p <= statistics.corrected(p, comparisons) <= 1


def test_nobody_has_no_rate():
    nobody = statistics.share(0, 0)
    assert (nobody.rate, nobody.low, nobody.high) == (None, None, None)
    assert statistics.two_sided_p(nobody, statistics.share(1, 2)) == 1.0
    assert statistics.lift(nobody, statistics.share(1, 2)) is None
