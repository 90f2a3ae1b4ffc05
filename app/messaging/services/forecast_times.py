"""How long a campaign takes: its pace, and the nights of those it writes to, by a sample of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.messaging.models import Campaign
from app.messaging.services import quiet_hours, rules
from app.messaging.services.plans import workspace
from app.messaging.services.quiet_hours import US_WINDOW, Window

STEP = timedelta(minutes=30)
FURTHEST = timedelta(days=14)
AT_ONCE = 400.0  # messages a second where nothing limits them, about


@dataclass(frozen=True)
class Group:
    """People who share their zones and windows: `share` of all."""

    zones: tuple[Any, ...]
    windows: tuple[Window, ...]
    share: float

    def free_at(self, moment: datetime) -> datetime:
        return quiet_hours.next_allowed(moment, self.zones, self.windows)


@dataclass(frozen=True)
class Nights:
    """Who is asleep when. `held_share` of them are at the beginning; `places` are the zones, the largest first."""

    groups: tuple[Group, ...]
    held_share: float
    places: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Ending:
    """About when the last message leaves; `is_later`: more than a fortnight on. `waits` says a night lies between."""

    at: datetime
    seconds: float
    waits: bool
    is_later: bool = False
    morning_at: datetime | None = None


def nights(campaign: Campaign, people: Iterable[Any], begins: datetime) -> Nights:
    """Where these people are and when they are not written to."""
    in_force, home = rules.load(), workspace().timezone
    own = Window.between(campaign.quiet_start or in_force.quiet_start, campaign.quiet_end or in_force.quiet_end)
    counts: Counter[tuple[tuple[Any, ...], tuple[Window, ...]]] = Counter()
    for person in people:
        place = quiet_hours.place_of(person.traits or {}, person.phone or "", home)
        windows = (own, US_WINDOW) if place.is_in_us and in_force.keeps_us_hours else (own,)
        counts[place.zones, windows] += 1
    total = sum(counts.values()) or 1
    groups = tuple(Group(zones, windows, n / total) for (zones, windows), n in counts.most_common())
    held = sum(one.share for one in groups if one.free_at(begins) > begins)
    places: Counter[str] = Counter()
    for one in groups:
        places[str(one.zones[0])] += round(one.share * 10_000)
    return Nights(groups, held, tuple((name, n / 10_000) for name, n in places.most_common()))


def ending(found: Nights, messages: int, per_second: float, begins: datetime) -> Ending:
    """Walks through the days half an hour at a time: those awake share the pace, those asleep wait."""
    pace = per_second or AT_ONCE
    left = {group: group.share * messages for group in found.groups}
    now, waits, morning = begins, False, None
    while left and now < begins + FURTHEST:
        free = {group: group.free_at(now) for group in left}
        awake = [group for group, at in free.items() if at <= now]
        if len(awake) < len(free):
            waits = True
            morning = morning or max(free.values())
        if not awake:
            now = min(free.values())
            continue
        todo = sum(left[group] for group in awake)
        seconds = min(STEP.total_seconds(), todo / pace)
        gone = seconds * pace / todo if todo else 1.0
        for group in awake:
            left[group] *= 1.0 - gone
            if left[group] < 0.5:
                del left[group]
        now = after(now, max(seconds, 1.0))
    return Ending(now, (now - begins).total_seconds(), waits, bool(left), morning)


def after(moment: datetime, seconds: float) -> datetime:
    """So many seconds later, as far as dates go."""
    return moment + timedelta(seconds=min(seconds, 10 * 365 * 86_400))
