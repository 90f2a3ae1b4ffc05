"""Stable shares of everyone: hold-outs, variants. The same seed draws the same people, as they come and go."""

from __future__ import annotations

import hashlib
from typing import Any

SEEDED_MODULUS = 2**31 - 1
FINEST = 10_000  # buckets: a hundredth of a percent


def bucket_of(ids: Any, seed: str) -> Any:
    """0 to 9,999 for ids, an array of int64 or a column cast to BigInteger: the same numbers in Python and in SQL.

    A linear step, a fifth power (one to one under this modulus), a linear step.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    a, b, c, d = (int.from_bytes(digest[n : n + 4], "big") % (SEEDED_MODULUS - 1) + 1 for n in (0, 4, 8, 12))
    x: Any = ((ids % SEEDED_MODULUS) * a + b) % SEEDED_MODULUS
    square = (x * x) % SEEDED_MODULUS
    fifth = (((square * square) % SEEDED_MODULUS) * x) % SEEDED_MODULUS
    return ((fifth * c + d) % SEEDED_MODULUS) % FINEST
