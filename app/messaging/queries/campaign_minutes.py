"""How fast a campaign went: what it sent in each minute, from counts kept as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from app.core.db import db
from app.messaging.models import DeliveryCount, DeliveryOutcome

MINUTE = timedelta(minutes=1)
MOST = 60
_PARTS = (DeliveryCount.m0, DeliveryCount.m1, DeliveryCount.m2, DeliveryCount.m3, DeliveryCount.m4)
_BUCKETS = MOST // len(_PARTS) + 1


def last_minutes(campaign_id: int, since: datetime, until: datetime | None = None) -> list[tuple[datetime, int]]:
    """Each of the last sixty minutes and how many left in it, the first ones of the campaign not before `since`.

    Without `until` the last is the one in which something left last. Thirteen rows by the primary key, whatever the
    campaign's size. A second try counts in its own minute too, as it uses the pace. Empty without `until` when nothing
    left.
    """
    statement = select(DeliveryCount.at, DeliveryCount.n, *_PARTS).where(
        DeliveryCount.campaign_id == campaign_id, DeliveryCount.outcome == DeliveryOutcome.SENT
    )
    if until is not None:
        statement = statement.where(DeliveryCount.at > until - (MOST + len(_PARTS)) * MINUTE)
    found: dict[datetime, int] = {}
    for at, n, *parts in db.session.execute(statement.order_by(DeliveryCount.at.desc()).limit(_BUCKETS)):
        for place, left in enumerate(_kept(n, parts)):
            if left:
                found[at + place * MINUTE] = left
    if not found and until is None:
        return []
    last = _minute_of(until) if until is not None else max(found)
    first = max(last - (MOST - 1) * MINUTE, min(_minute_of(since), last, *found))
    return [(at, found.get(at, 0)) for at in (first + n * MINUTE for n in range((last - first) // MINUTE + 1))]


def _kept(n: int, parts: Sequence[int]) -> Sequence[int]:
    """The minutes as they were kept; evenly for what was counted before they were."""
    if any(parts) or n <= 0:
        return parts
    each, more = divmod(n, len(parts))
    return [each + (place < more) for place in range(len(parts))]


def _minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
