"""Repeatable choices: the same key always gives the same answer, on any machine and in any process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_SPAN = float(1 << 64)
GOLDEN = 0.6180339887498949


class Dice:
    """Choices addressed by name, so that adding or changing one never disturbs another."""

    def __init__(self, *parts: object) -> None:
        self._key = "\x1f".join(str(part) for part in parts)

    def roll(self, name: str) -> float:
        """A number from 0 up to, not including, 1."""
        digest = hashlib.sha256(f"{self._key}\x1e{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / _SPAN

    def pick(self, options: Sequence[T], name: str) -> T:
        """One of the options; refuses an empty list."""
        return options[int(self.roll(name) * len(options))]

    def order(self, options: Sequence[T], name: str) -> list[T]:
        """All options in a shuffled order; taking the first n is a sample without repeats."""
        ranked = sorted(range(len(options)), key=lambda i: self.roll(f"{name}/{i}"))
        return [options[i] for i in ranked]

    def weighted(self, options: Sequence[T], weights: Sequence[float], name: str) -> T:
        """One option, drawn in proportion to its weight."""
        mark = self.roll(name) * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            mark -= weight
            if mark < 0:
                return option
        return options[-1]

    def spread(self, name: str, index: int) -> float:
        """Like roll, but successive indexes keep far apart, so a small group still covers the range."""
        return (self.roll(name) + GOLDEN * index) % 1.0
