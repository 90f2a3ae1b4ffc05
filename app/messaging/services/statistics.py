"""Whether a difference between two rates is more than chance: intervals and tests for shares, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
ALPHA = 0.05


@dataclass(frozen=True)
class Share:
    """`hits` of `base`, with the interval its true rate lies in with 95 % confidence. Without a base all are None."""

    hits: int
    base: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Lift:
    """How much higher a rate is than another, in points and in proportion, with the interval of the points.

    `relative` is None where the other rate is 0.
    """

    points: float
    low: float
    high: float
    relative: float | None
    p: float


def share(hits: int, base: int) -> Share:
    """Wilson's interval, which stays inside 0 to 1 and holds for few and for none."""
    if base <= 0:
        return Share(hits, base, None, None, None)
    hits = min(hits, base)
    low, high = wilson(hits, base)
    return Share(hits, base, hits / base, low, high)


def wilson(hits: int, base: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a rate; `base` is at least 1."""
    rate, square = hits / base, z * z
    middle = (rate + square / (2 * base)) / (1 + square / base)
    half = z / (1 + square / base) * math.sqrt(rate * (1 - rate) / base + square / (4 * base * base))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == base else min(1.0, middle + half)


def two_sided_p(first: Share, second: Share) -> float:
    """The two-proportion z-test with a pooled rate: how often chance alone makes a difference as large as this."""
    if not first.base or not second.base:
        return 1.0
    pooled = (first.hits + second.hits) / (first.base + second.base)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / first.base + 1 / second.base))
    if spread == 0:
        return 1.0
    z = abs(first.hits / first.base - second.hits / second.base) / spread
    return math.erfc(z / math.sqrt(2))


def corrected(p: float, comparisons: int) -> float:
    """Bonferroni's correction for making several comparisons at once."""
    return min(1.0, p * max(1, comparisons))


def lift(treated: Share, control: Share) -> Lift | None:
    """What the treated have over the others; Newcombe's interval from the two of Wilson. None without both bases."""
    if treated.rate is None or treated.low is None or treated.high is None:
        return None
    if control.rate is None or control.low is None or control.high is None:
        return None
    points = treated.rate - control.rate
    below = math.hypot(treated.rate - treated.low, control.high - control.rate)
    above = math.hypot(treated.high - treated.rate, control.rate - control.low)
    relative = points / control.rate if control.rate else None
    return Lift(points, points - below, points + above, relative, two_sided_p(treated, control))
