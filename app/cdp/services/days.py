"""Days as customer data counts them: whole ones, in the tenant's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id

EPOCH = date(1970, 1, 1).toordinal()


def tenant_zone() -> ZoneInfo:
    """The acting tenant's zone."""
    name = db.session.scalar(text("SELECT timezone FROM tenants WHERE id = :id"), {"id": current_tenant_id()})
    return ZoneInfo(name or "UTC")


def day_of(moment: datetime, zone: ZoneInfo) -> int:
    """Days since 1970-01-01 in the zone."""
    return moment.astimezone(zone).toordinal() - EPOCH


def today(zone: ZoneInfo) -> int:
    return day_of(utc_now(), zone)


def start_of(day: int, zone: ZoneInfo) -> datetime:
    """The moment a day begins in the zone, in UTC."""
    local = date.fromordinal(day + EPOCH)
    return datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)


def days_ago(count: int) -> datetime:
    return utc_now() - timedelta(days=count)
