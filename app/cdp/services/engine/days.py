"""Days of a zone as whole numbers since 1970-01-01: every window is a range of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

_EPOCH = date(1970, 1, 1)


@lru_cache(maxsize=200)
def zone_of(name: str) -> ZoneInfo:
    """The zone, or UTC when the name is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def day_of(moment: datetime, zone: str) -> int:
    """The day of a moment, as people of that zone count."""
    return day_number(moment.astimezone(zone_of(zone)).date())


def day_number(on: date) -> int:
    return (on - _EPOCH).days


def as_date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def start_of_day(day: int, zone: str) -> datetime:
    """The moment the day begins in that zone, in UTC."""
    return datetime.combine(as_date(day), time(), zone_of(zone)).astimezone(UTC)


def ymd(day: int) -> int:
    """20240131 for that day: how dates in traits are compared."""
    on = as_date(day)
    return on.year * 10_000 + on.month * 100 + on.day


def ymd_of_text(text: str) -> float:
    """20240131 for a text that begins like 2024-01-31, else NaN."""
    head = text[:10]
    if len(head) == 10 and head[4] == "-" and head[7] == "-":
        digits = head[:4] + head[5:7] + head[8:]
        if digits.isascii() and digits.isdigit():
            return float(digits)
    return float(np.nan)
