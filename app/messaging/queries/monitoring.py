"""What is going on just now: errors of late and what people wrote, each by a range of an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal_column, select

from app.core.db import UtcDateTime, db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, CampaignState, InboundKind, InboundMessage, Message

_messages: Any = Message.__table__
_inbound: Any = InboundMessage.__table__
IS_LOST: Any = literal_column("messages.state IN ('undelivered', 'failed')")  # written out, as the index has it
MOST_LOOKED_AT = 5_000


@dataclass(frozen=True)
class RecentError:
    """Failures of one kind: when the last was, and how many of those looked at."""

    code: int | None
    reason: str
    last_at: datetime
    count: int


@dataclass(frozen=True)
class InboundFigures:
    total: int
    senders: int
    stops: int


def count_running() -> int:
    return db.session.scalar(select(func.count(Campaign.id)).where(Campaign.state == CampaignState.RUNNING)) or 0


def recent_errors(since: datetime, limit: int) -> list[RecentError]:
    """Kinds of failures since a time, the latest first. The last five thousand failures are looked at."""
    last = (
        select(_messages.c.error_code, _messages.c.reason, _messages.c.ended_at)
        .where(
            _messages.c.tenant_id == current_tenant_id(), IS_LOST, _messages.c.ended_at >= since,
        )
        .order_by(_messages.c.ended_at.desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )  # fmt: skip
    at = func.max(last.c.ended_at, type_=UtcDateTime)
    rows = db.session.execute(
        select(last.c.error_code, last.c.reason, at, func.count())
        .group_by(last.c.error_code, last.c.reason)
        .order_by(at.desc())
        .limit(limit)
    )
    return [RecentError(*row) for row in rows]


def list_inbound(since: datetime, limit: int) -> list[InboundMessage]:
    """What people wrote since a time, the newest first."""
    statement = select(InboundMessage).where(InboundMessage.received_at >= since)
    return list(db.session.scalars(statement.order_by(InboundMessage.received_at.desc()).limit(limit)))


def count_inbound(since: datetime) -> int:
    """How much came in, read from the index alone."""
    where = (_inbound.c.tenant_id == current_tenant_id(), _inbound.c.received_at >= since)
    return db.session.scalar(select(func.count()).select_from(_inbound).where(*where)) or 0


def inbound_figures(since: datetime) -> InboundFigures:
    """How much came in, from how many numbers, and how often STOP."""
    where = [_inbound.c.tenant_id == current_tenant_id(), _inbound.c.received_at >= since]
    stops = func.sum(case((_inbound.c.kind == InboundKind.STOP, 1), else_=0))
    row = db.session.execute(
        select(func.count(), func.count(_inbound.c.address.distinct()), stops).select_from(_inbound).where(*where)
    ).one()
    return InboundFigures(row[0], row[1], int(row[2] or 0))
