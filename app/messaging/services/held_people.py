"""Whose night it is, told by where they are: so many people held until eight in New York."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from app.messaging.models import Campaign
from app.messaging.queries import held_people as queries
from app.messaging.services import quiet_hours, rules
from app.messaging.services.plans import workspace

TIMES = 8
LOOKED_AT = 400  # people whose zones are read, a tenth of a millisecond each
LINES = 12


@dataclass(frozen=True)
class Held:
    """People held until a time in a zone. `others` more zones their numbers may be in are awake by then. `is_about`:
    the time's people were divided among zones as a sample of them is; `is_least`: there may be more of them."""

    release: datetime
    zone: ZoneInfo
    others: int
    n: int
    is_about: bool = False
    is_least: bool = False

    @property
    def clock(self) -> str:
        """The time there."""
        return f"{self.release.astimezone(self.zone):%H:%M}"

    @property
    def place(self) -> str:
        return self.zone.key.replace("_", " ")


def list_held(campaign: Campaign, held: int) -> tuple[list[Held], int]:
    """By time and zone, the soonest first, and how many of the `held` there are besides those told.

    The soonest 50,000 are counted, time by time; zones are those of all people of a time where they are few, else of
    some fifty, evenly drawn. One statement for the times and one for each of the first eight.
    """
    times = queries.count_by_release(campaign.id)
    is_cut = sum(n for _, n in times) >= queries.MOST_COUNTED
    told = times[: min(TIMES, len(times) - 1)] if is_cut and len(times) > 1 else times[:TIMES]
    look = _Look(
        campaign.id, LOOKED_AT // max(1, len(told)), workspace().timezone,
        frozenset((campaign.quiet_end or rules.load().quiet_end, quiet_hours.US_END)),
    )  # fmt: skip
    lines = [one for at, n in told for one in _at(look, at, n)][:LINES]
    if is_cut and len(times) == 1:
        return [replace(one, is_least=True) for one in lines], 0
    return lines, max(0, held - sum(one.n for one in lines))


@dataclass(frozen=True)
class _Look:
    """How one looks at the people of a time: so many at most; `ends` are the clock times nights end at."""

    campaign_id: int
    most: int
    tenant_zone: str
    ends: frozenset[str]


def _at(look: _Look, release: datetime, n: int) -> list[Held]:
    found = Counter(
        quiet_hours.place_of(traits, number, look.tenant_zone).zones
        for number, traits in queries.drawn(look.campaign_id, release, n, look.most)
    ).most_common()
    seen = sum(count for _, count in found)
    if not seen:
        return []
    shares = [count * n // seen for _, count in found]
    shares[0] += n - sum(shares)  # what rounding left over
    is_about = n > look.most and len(found) > 1
    return [
        Held(release, _last_awake(zones, release, look.ends), len(zones) - 1, share, is_about)
        for (zones, _), share in zip(found, shares, strict=True)
        if share
    ]


def _last_awake(zones: tuple[ZoneInfo, ...], release: datetime, ends: frozenset[str]) -> ZoneInfo:
    """The zone that was waited for: one whose night ends then, the earliest clock among them."""
    waking = [zone for zone in zones if f"{release.astimezone(zone):%H:%M}" in ends]
    return min(waking or zones, key=lambda zone: release.astimezone(zone).replace(tzinfo=None))
