"""When to try again: a day of attempts with growing pauses, none of them at the same moment as everybody else's."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

MINUTE, HOUR = 60, 3600
PAUSES = (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR)
GIVE_UP_AFTER = timedelta(days=1)
FEWEST_TRIES = 5  # a day in which we were down ourselves is no day of attempts
RESTS = (10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE)
JITTER = 0.2
LONGEST_ASKED = HOUR


def next_try(started_at: datetime, tries: int, now: datetime, retry_after: str = "") -> datetime | None:
    """When the attempt after `tries` failed ones is due; None when the day is over. The last one ends the day."""
    ends_at = started_at + GIVE_UP_AFTER
    if now >= ends_at and tries >= FEWEST_TRIES:
        return None
    pause = max(_jittered(PAUSES[min(tries, len(PAUSES)) - 1]), _asked(retry_after))
    due_at = now + timedelta(seconds=pause)
    return min(due_at, ends_at) if now < ends_at else due_at


def rest(misses: int) -> timedelta:
    """How long to leave an endpoint alone that was not there `misses` times in a row."""
    return timedelta(seconds=_jittered(RESTS[min(misses, len(RESTS)) - 1]))


def _asked(retry_after: str) -> float:
    """Seconds of a Retry-After header, at most an hour; dates are not looked at."""
    return min(float(retry_after), LONGEST_ASKED) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)
