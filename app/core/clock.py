"""The only clock: UTC, aware, replaceable in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Now, as an aware UTC datetime."""
    return datetime.now(UTC)


def in_zone(moment: datetime, zone: str) -> datetime:
    """The same moment on the clocks of a named time zone."""
    return moment.astimezone(ZoneInfo(zone))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with microseconds and `Z`, as every API shows a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None
