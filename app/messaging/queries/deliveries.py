"""What happened to messages in a stretch of time, from counts kept as it happens: a few rows for any number of
messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, extract, func, literal, select

from app.core.db import db
from app.messaging.models import CountryCount, DeliveryCount, DeliveryOutcome

DAY, EPOCH = timedelta(days=1), date(1970, 1, 1)
_LOST = (DeliveryOutcome.UNDELIVERED, DeliveryOutcome.FAILED)


@dataclass
class Totals:
    """Messages by outcome; `reasons` are those of the undelivered and the failed together."""

    by: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, outcome: str, reason: str, n: int, seconds: float) -> None:
        self.by[outcome] += n
        self.seconds += seconds
        if outcome in _LOST:
            self.reasons[reason] += n

    @property
    def sent(self) -> int:
        """Taken by the provider."""
        return self.by[DeliveryOutcome.SENT]

    @property
    def tried(self) -> int:
        """Handed over, whether the provider took it or not."""
        return self.sent + self.by[DeliveryOutcome.FAILED]

    @property
    def delivered(self) -> int:
        return self.by[DeliveryOutcome.DELIVERED]

    @property
    def lost(self) -> int:
        return sum(self.by[one] for one in _LOST)

    @property
    def ended(self) -> int:
        """Those whose end is known."""
        return self.delivered + self.lost

    @property
    def average_seconds(self) -> float | None:
        """From the provider's taking a message to its arrival; None when none arrived."""
        return self.seconds / self.delivered if self.delivered > 0 else None


def totals(since: datetime | None, until: datetime | None = None, campaign_id: int | None = None) -> Totals:
    """Everything that happened in the stretch, `until` not included; of one campaign where it is named."""
    found = Totals()
    for outcome, reason, n, seconds in db.session.execute(
        select(DeliveryCount.outcome, DeliveryCount.reason, func.sum(DeliveryCount.n), func.sum(DeliveryCount.seconds))
        .where(*_within(since, until, campaign_id))
        .group_by(DeliveryCount.outcome, DeliveryCount.reason)
    ):
        found.add(outcome, reason, int(n), float(seconds))
    return found


def added_up(parts: Iterable[Totals]) -> Totals:
    """Several as one."""
    found = Totals()
    for part in parts:
        found.by.update(part.by)
        found.reasons.update(part.reasons)
        found.seconds += part.seconds
    return found


def by_campaign(since: datetime, until: datetime) -> dict[int, Totals]:
    """The same by campaign; 0 are messages of none."""
    found: dict[int, Totals] = {}
    for campaign_id, outcome, reason, n, seconds in db.session.execute(
        select(
            DeliveryCount.campaign_id, DeliveryCount.outcome, DeliveryCount.reason, func.sum(DeliveryCount.n),
            func.sum(DeliveryCount.seconds),
        )
        .where(*_within(since, until))
        .group_by(DeliveryCount.campaign_id, DeliveryCount.outcome, DeliveryCount.reason)
    ):  # fmt: skip
        found.setdefault(campaign_id, Totals()).add(outcome, reason, int(n), float(seconds))
    return found


def by_country(since: datetime, until: datetime) -> dict[str, Totals]:
    """The same by calling code; nothing is known of reasons and times there. `since` and `until` are whole quarters of
    an hour. Cost: a row for each calling code, outcome and campaign in each quarter with traffic."""
    found: dict[str, Totals] = {}
    for code, outcome, n in db.session.execute(
        select(CountryCount.code, CountryCount.outcome, func.sum(CountryCount.n))
        .where(CountryCount.at >= since, CountryCount.at < until)
        .group_by(CountryCount.code, CountryCount.outcome)
    ):
        found.setdefault(code, Totals()).add(outcome, "", int(n), 0.0)
    return found


def by_day(since: datetime, until: datetime, zone: ZoneInfo) -> dict[date, Totals]:
    """The same by day of the zone, days without anything among them. `since` and `until` are beginnings of days.

    Days are added up by the database: those between two changes of the clocks in one statement, a day on which they
    change in one of its own.
    """
    days = list(_days(since, until, zone))
    found = {day: Totals() for day in days}
    for offset, run in groupby(days, key=lambda day: _offset(day, zone)):
        together = list(run)
        if offset is None:
            for day in together:
                found[day] = totals(_start(day, zone), _start(day + DAY, zone))
        else:
            _add_days(found, _start(together[0], zone), _start(together[-1] + DAY, zone), offset)
    return found


def _add_days(found: dict[date, Totals], since: datetime, until: datetime, offset: int) -> None:
    seconds = cast(extract("epoch", DeliveryCount.at), BigInteger)
    day = (seconds + offset) // literal(86_400, BigInteger)
    numbered = DeliveryCount.outcome, DeliveryCount.reason
    for number, outcome, reason, n, took in db.session.execute(
        select(day, *numbered, func.sum(DeliveryCount.n), func.sum(DeliveryCount.seconds))
        .where(*_within(since, until))
        .group_by(day, *numbered)
    ):
        found[EPOCH + int(number) * DAY].add(outcome, reason, int(n), float(took))


def _offset(day: date, zone: ZoneInfo) -> int | None:
    """Seconds the zone is ahead of UTC all day; None where that changes."""
    first, last = (one.astimezone(zone).utcoffset() for one in (_start(day, zone), _start(day + DAY, zone)))
    return int(first.total_seconds()) if first is not None and first == last else None


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _within(since: datetime | None, until: datetime | None, campaign_id: int | None = None) -> list[Any]:
    where: list[Any] = []
    if campaign_id is not None:
        where.append(DeliveryCount.campaign_id == campaign_id)
    if since is not None:
        where.append(DeliveryCount.at >= since)
    if until is not None:
        where.append(DeliveryCount.at < until)
    return where


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    day, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        yield day
        day += DAY
