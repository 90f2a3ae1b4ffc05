"""How messages fare now, as the messaging contract shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.core.clock import iso
from app.messaging.services.monitoring import Dashboard, InboundActivity, error_words, hours_since
from app.messaging.services.reporting import percent_of


class Health(BaseModel):
    active_campaigns: int
    total_users: int
    opted_in_users: int
    opted_out_users: int


class Activity24h(BaseModel):
    """`messages_sent` are those handed over; `delivery_rate` is what was delivered in the 24 hours as a part of it."""

    messages_sent: int
    messages_delivered: int
    inbound_messages: int
    delivery_rate: float


class PerformanceNow(BaseModel):
    """Of the last 24 hours. `system_uptime_hours` is of the process that answers."""

    average_delivery_time_minutes: float | None
    system_uptime_hours: float
    error_rate_percent: float


class ErrorOut(BaseModel):
    """`error_code` is the provider's, null where it named none; `count` is of the last 24 hours, up to 5,000 in all."""

    timestamp: str
    error_code: int | None
    message: str
    count: int


class DashboardOut(BaseModel):
    system_health: Health
    activity_24h: Activity24h
    performance_metrics: PerformanceNow
    recent_errors: list[ErrorOut]


class InboundQuery(BaseModel):
    hours: int = Field(24, ge=1, le=24 * 31)
    limit: int = Field(100, ge=1, le=500)


class InboundEventOut(BaseModel):
    """Number and text are empty of who was erased."""

    id: str
    from_phone: str
    to_phone: str
    body: str
    received_at: str
    message_sid: str
    channel: str
    kind: str


class InboundSummary(BaseModel):
    """Of the hours asked for, but `total_inbound_24h`, which is what it says."""

    total_inbound_24h: int
    unique_senders: int
    average_per_hour: float
    stop_commands: int


class InboundOut(BaseModel):
    inbound_events: list[InboundEventOut]
    summary: InboundSummary


def dashboard_out(found: Dashboard, started_at: datetime) -> dict[str, Any]:
    day = found.day
    average = None if day.average_seconds is None else round(day.average_seconds / 60, 2)
    return {
        "system_health": {
            "active_campaigns": found.running, "total_users": found.people, "opted_in_users": found.opted_in,
            "opted_out_users": found.opted_out,
        },
        "activity_24h": {
            "messages_sent": day.tried, "messages_delivered": day.delivered, "inbound_messages": found.inbound,
            "delivery_rate": min(100.0, percent_of(day.delivered, day.tried)),
        },
        "performance_metrics": {
            "average_delivery_time_minutes": average, "system_uptime_hours": hours_since(started_at),
            "error_rate_percent": min(100.0, percent_of(day.lost, day.tried)),
        },
        "recent_errors": [
            {"timestamp": iso(one.last_at), "error_code": one.code, "message": error_words(one), "count": one.count}
            for one in found.errors
        ],
    }  # fmt: skip


def inbound_out(found: InboundActivity) -> dict[str, Any]:
    return {
        "inbound_events": [
            {
                "id": row.uuid, "from_phone": row.address, "to_phone": row.sender, "body": row.body,
                "received_at": iso(row.received_at), "message_sid": row.sid, "channel": row.channel, "kind": row.kind,
            }
            for row in found.rows
        ],
        "summary": {
            "total_inbound_24h": found.total_of_day, "unique_senders": found.asked.senders,
            "average_per_hour": round(found.asked.total / found.hours, 2), "stop_commands": found.asked.stops,
        },
    }  # fmt: skip
