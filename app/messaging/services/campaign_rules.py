"""What a campaign may be: names, times, paces, quiet hours, hold-outs, variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import iso, utc_now
from app.core.errors import ValidationFailed
from app.messaging.services import rules
from app.messaging.services.rules import check_quiet_hours

SLOWEST, FASTEST = 0.1, 1000.0
MOST_VARIANTS = 5
LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class VariantIn:
    """A text to try, by its template's id, and its part of those who are messaged."""

    template_id: int
    weight: int = 1


@dataclass(frozen=True)
class CampaignIn:
    """What makes a campaign. Its channel is that of its templates."""

    name: str
    segment_id: int
    variants: Sequence[VariantIn]
    description: str = ""
    sender_id: int | None = None
    schedule_at: datetime | None = None
    rate_per_second: float | None = 10.0
    quiet_start: str | None = None
    quiet_end: str | None = None
    keeps_caps: bool = True
    holdout_percent: float = 0.0
    tracks_links: bool = True
    goal_event: str = ""
    goal_days: int = 7


def name(text: str) -> str:
    found = text.strip()
    if not 1 <= len(found) <= 200:
        raise ValidationFailed("name: must have 1 to 200 characters.", field="name", provided=text[:200],
                               expected="1 to 200 characters")  # fmt: skip
    return found


def rate(per_second: float | None) -> float:
    """The pace as it is kept: None is as fast as the sender allows, and kept as 0."""
    if per_second is None:
        return 0.0
    if not SLOWEST <= per_second <= FASTEST:
        raise ValidationFailed(
            f"rate_limit_per_second: must be from {SLOWEST:g} to {FASTEST:,.0f}.",
            field="rate_limit_per_second", provided=per_second, expected=f"{SLOWEST:g} to {FASTEST:g}, or null",
        )  # fmt: skip
    return float(per_second)


def schedule(at: datetime | None) -> datetime | None:
    """A time to come, within a year."""
    if at is None:
        return None
    now = utc_now()
    if at <= now or at > now + LONGEST_AHEAD:
        said = "the time is past" if at <= now else "the time is more than a year ahead"
        raise ValidationFailed(f"schedule_time: {said}.", field="schedule_time", provided=iso(at),
                               expected=f"a time after {iso(now)}, within a year")  # fmt: skip
    return at


def quiet_hours(start: str | None, end: str | None) -> tuple[str, str]:
    """Both or neither; neither is the workspace's own. Refused where the US hours in force leave no time at all."""
    if not start and not end:
        return "", ""
    if not start or not end:
        field = "quiet_hours_end" if start else "quiet_hours_start"
        raise ValidationFailed(f"{field}: is needed with the other.", field=field, provided=None, expected="HH:MM")
    check_quiet_hours(start, end, keeps_us_hours=rules.load().keeps_us_hours)
    return start, end


def holdout(percent: float) -> float:
    if not 0 <= percent <= 90:
        raise ValidationFailed("holdout_percent: must be from 0 to 90.", field="holdout_percent", provided=percent,
                               expected="0 to 90")  # fmt: skip
    return round(float(percent), 2)


def variants(found: Sequence[VariantIn]) -> list[VariantIn]:
    """One to five texts, each another template, with whole weights."""
    if not 1 <= len(found) <= MOST_VARIANTS:
        raise ValidationFailed(f"variants: must be 1 to {MOST_VARIANTS}.", field="variants", provided=len(found),
                               expected=f"1 to {MOST_VARIANTS} templates")  # fmt: skip
    if len({one.template_id for one in found}) < len(found):
        raise ValidationFailed("variants: each must be another template.", field="variants",
                               provided="a template twice", expected="different templates")  # fmt: skip
    for one in found:
        if not 1 <= one.weight <= 100:
            raise ValidationFailed("variants: a weight is a whole number from 1 to 100.", field="variants.weight",
                                   provided=one.weight, expected="1 to 100")  # fmt: skip
    return list(found)


def goal(event: str, days: int) -> tuple[str, int]:
    """The event that counts as success, within so many days of the message."""
    text = event.strip()
    if len(text) > 200:
        raise ValidationFailed("goal_event: must have at most 200 characters.", field="goal_event")
    if not 1 <= days <= 90:
        raise ValidationFailed("goal_days: must be from 1 to 90.", field="goal_days", provided=days, expected="1 to 90")
    return text, days


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Those that were given at all."""
    return {name: value for name, value in values.items() if value is not None}
