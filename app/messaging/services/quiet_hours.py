"""When somebody may be written to: quiet hours in their own zone, across midnight and changes of the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_zones

_MINUTE = timedelta(minutes=1)
_LOOKED_AT = timedelta(days=3)  # clocks repeat daily, but for the days they are put
_DAY = range(24 * 60)
ZONE_TRAITS = ("timezone", "time_zone", "tz")


@dataclass(frozen=True)
class Window:
    """Quiet from `start` until `end`, minutes of a clock's day; over midnight when it ends before it starts."""

    start: int
    end: int

    @classmethod
    def between(cls, start: str, end: str) -> Window:
        """From clock times such as 22:00 and 08:00."""
        return cls(*(int(text[:2]) * 60 + int(text[3:]) for text in (start, end)))

    def holds(self, clock: int) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


# No marketing before 8 a.m. or after 9 p.m. where the person is: 47 CFR 64.1200(c)(1).
US_END = "08:00"
US_WINDOW = Window.between("21:00", US_END)
_US_REGIONS = frozenset(("US", "PR", "GU", "VI", "AS", "MP"))


def leaves_us_hours(own: Window) -> bool:
    """Whether people in the US can be written to at any time of a day with these quiet hours."""
    return any(not own.holds(clock) and not US_WINDOW.holds(clock) for clock in _DAY)


@dataclass(frozen=True)
class Place:
    """The zones a person may be in, and how that is known: stored, number, workspace."""

    zones: tuple[ZoneInfo, ...]
    source: str
    is_in_us: bool


def place_of(traits: dict[str, Any], phone: str, tenant_zone: str) -> Place:
    """Where somebody is: by their stored zone, else their number, else the workspace. A zone there is none of is
    passed over, so nobody is lost to a typing error."""
    region = _region(phone)
    for name in ZONE_TRAITS:
        zone = _zone(traits.get(name))
        if zone is not None:
            return Place((zone,), "stored", region in _US_REGIONS)
    zones = _zones_of_number(phone)
    if zones:
        return Place(zones, "number", region in _US_REGIONS)
    return Place((_zone(tenant_zone) or ZoneInfo("UTC"),), "workspace", region in _US_REGIONS)


def next_allowed(moment: datetime, zones: Sequence[ZoneInfo], windows: Sequence[Window]) -> datetime:
    """The first moment from this one on that is quiet in none of the zones, to the minute; itself when it is not.

    A number whose zone is not sure waits until all it may be in are awake. Where there is no such moment (zones on
    opposite sides of the earth), the first zone decides; where its windows leave none either, the last of them alone.
    """
    at = moment.astimezone(UTC)
    while at < moment + _LOOKED_AT:
        ends = [_end(at, zone, window) for zone in zones for window in windows if _is_quiet(at, zone, window)]
        if not ends:
            return at
        at = max(ends)
    return next_allowed(moment, zones[:1], windows if len(zones) > 1 else windows[-1:])


def first_allowed(moment: datetime, lasts: timedelta, zones: Sequence[ZoneInfo], windows: Sequence[Window]) -> datetime:
    """As `next_allowed`, for what may happen at any time while it `lasts`: neither its first moment nor its last one is
    quiet."""
    begins = next_allowed(moment, zones, windows)
    if begins > moment:
        return begins
    ends = next_allowed(moment + lasts, zones, windows)
    return ends if ends > moment + lasts else moment


def _is_quiet(at: datetime, zone: ZoneInfo, window: Window) -> bool:
    local = at.astimezone(zone)
    return window.holds(local.hour * 60 + local.minute)


def _end(at: datetime, zone: ZoneInfo, window: Window) -> datetime:
    """When the window around a quiet moment ends. A clock put forward over the end ends it at that moment; one put
    back makes the hour before the end come twice, and the night longer."""
    local = at.astimezone(zone)
    days = 1 if local.hour * 60 + local.minute >= window.end else 0
    wall = (local + timedelta(days=days)).replace(
        hour=window.end // 60, minute=window.end % 60, second=0, microsecond=0, fold=0
    )
    found = wall.astimezone(UTC)
    if found <= at:
        found = wall.replace(fold=1).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        found = _jump(found, zone, window)
    return max(found, at + _MINUTE)


def _jump(after: datetime, zone: ZoneInfo, window: Window) -> datetime:
    """The minute the clock jumped over the window's end."""
    while not _is_quiet(after - _MINUTE, zone, window):
        after -= _MINUTE
    return after


def _zone(name: Any) -> ZoneInfo | None:
    return _named(name) if isinstance(name, str) and 1 <= len(name) <= 64 else None


@lru_cache(maxsize=1024)
def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=1_000)  # asked twice in a row of each number, hardly ever again
def _number(phone: str) -> Any:
    try:
        return phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None


def _region(phone: str) -> str:
    number = _number(phone)
    return (phonenumbers.region_code_for_number(number) or "") if number else ""


def _zones_of_number(phone: str) -> tuple[ZoneInfo, ...]:
    number = _number(phone)
    names = phone_zones.time_zones_for_number(number) if number else ()
    return tuple(zone for name in names if (zone := _zone(name)) is not None and name != "Etc/Unknown")
