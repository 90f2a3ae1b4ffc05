"""How messages fared over a stretch of days: totals, day by day, by campaign, by country."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from app.cdp.services import days
from app.messaging.models import Campaign, InboundKind
from app.messaging.queries import deliveries, report_tables
from app.messaging.queries.deliveries import Totals

MOST_DAYS = 400
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Stretch:
    """Whole days of the workspace's zone, `last` included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        return days.start_of(self.first.toordinal() - days.EPOCH, self.zone)

    @property
    def until(self) -> datetime:
        return days.start_of(self.last.toordinal() + 1 - days.EPOCH, self.zone)

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class CampaignLine:
    """A campaign in a stretch; without one, messages that belong to none."""

    campaign: Campaign | None
    totals: Totals
    followers: int

    @property
    def name(self) -> str:
        return self.campaign.name if self.campaign else "Answers and single messages"


@dataclass(frozen=True)
class CountryLine:
    """A calling code, the regions that share it, and how messages fared there in the stretch."""

    code: str
    regions: str
    totals: Totals


@dataclass(frozen=True)
class PeriodReport:
    totals: Totals
    by_day: dict[date, Totals]
    campaigns: list[CampaignLine]
    countries: list[CountryLine]
    inbound: dict[str, int]
    followers: int

    @property
    def opt_outs(self) -> int:
        return self.inbound.get(InboundKind.STOP, 0)

    @property
    def replies(self) -> int:
        return self.inbound.get(InboundKind.TEXT, 0)


EARLIEST = date(2000, 1, 1)  # before any message


def stretch_of(first: date | None, last: date | None, default_days: int = 30) -> Stretch:
    """The days asked for, the last thirty without; turned round and cut to 400 where that is needed."""
    zone = days.tenant_zone()
    today = date.fromordinal(days.today(zone) + days.EPOCH)
    last = max(min(last or today, today), EARLIEST)
    first = min(max(first, EARLIEST), today) if first else last - timedelta(days=default_days - 1)
    first, last = min(first, last), max(first, last)
    return Stretch(max(first, last - timedelta(days=MOST_DAYS - 1)), last, zone)


def report_of(stretch: Stretch, sort: str = "sent") -> PeriodReport:
    """Some six statements. Grows with the days, the campaigns and what came back, not with the messages."""
    since, until = stretch.since, stretch.until
    lines = campaign_lines(stretch, sort)
    return PeriodReport(
        deliveries.added_up(line.totals for line in lines), deliveries.by_day(since, until, stretch.zone), lines,
        _countries(since, until), report_tables.count_inbound(since, until), sum(line.followers for line in lines),
    )  # fmt: skip


SORTS: dict[str, Callable[[CampaignLine], tuple[float, str]]] = {
    "name": lambda line: (0, line.name.lower()),
    "sent": lambda line: (-line.totals.sent, line.name),
    "delivered": lambda line: (-_share(line.totals.delivered, line.totals.sent), line.name),
    "failed": lambda line: (-_share(line.totals.lost, line.totals.tried), line.name),
    "followed": lambda line: (-line.followers, line.name),
}


def campaign_lines(stretch: Stretch, sort: str = "sent") -> list[CampaignLine]:
    """What happened in the stretch, campaign by campaign."""
    found = deliveries.by_campaign(stretch.since, stretch.until)
    known = report_tables.campaigns_named([one for one in found if one])
    clicks = report_tables.followers(list(known), stretch.since, stretch.until)
    lines = [CampaignLine(known.get(one), totals, clicks.get(one, 0)) for one, totals in found.items()]
    return sorted(lines, key=SORTS.get(sort, SORTS["sent"]))


def _share(part: int, base: int) -> float:
    return part / base if base > 0 else 0.0


def _countries(since: datetime, until: datetime) -> list[CountryLine]:
    """Where most went first; a code without anything left in these days is one whose figures were taken back."""
    lines = [CountryLine(code, _regions(code), totals) for code, totals in deliveries.by_country(since, until).items()]
    return sorted((one for one in lines if any(one.totals.by.values())), key=lambda one: (-one.totals.sent, one.code))


def _regions(code: str) -> str:
    if not code:
        return "erased"
    regions = COUNTRY_CODE_TO_REGION_CODE[int(code[1:])]
    return ", ".join(regions[:3]) + (" and others" if len(regions) > 3 else "")


def as_csv(lines: list[CampaignLine]) -> Iterator[str]:
    """The table by campaign for spreadsheets. A name a spreadsheet would run is made plain."""
    yield "\ufeff"  # Excel takes it for UTF-8 by this
    rows: list[list[object]] = [["campaign", "sent", "delivered", "undelivered_or_failed", "people_who_followed"]]
    for line in lines:
        name = f"'{line.name}" if line.name.lstrip(" \n").startswith(_FORMULA) else line.name
        rows.append([name, line.totals.sent, line.totals.delivered, line.totals.lost, line.followers])
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    yield out.getvalue()
