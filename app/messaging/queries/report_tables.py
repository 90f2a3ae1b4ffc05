"""Tables of the reports: by campaign, and who opted out, each by a range of an index."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, InboundKind, InboundMessage, LinkClick

_inbound: Any = InboundMessage.__table__
_clicks: Any = LinkClick.__table__


def campaigns_named(ids: Collection[int]) -> dict[int, Campaign]:
    return {row.id: row for row in db.session.scalars(select(Campaign).where(Campaign.id.in_(ids)))}


def followers(campaign_ids: Collection[int], since: datetime, until: datetime) -> dict[int, int]:
    """By campaign, people who followed a link in the stretch. Grows with those campaigns' clicks."""
    rows = db.session.execute(
        select(_clicks.c.campaign_id, func.count(_clicks.c.message_id.distinct()))
        .where(
            _clicks.c.tenant_id == current_tenant_id(), _clicks.c.campaign_id.in_(campaign_ids), _clicks.c.at >= since,
            _clicks.c.at < until,
        )
        .group_by(_clicks.c.campaign_id)
    )  # fmt: skip
    return dict(tuple(row) for row in rows)


def count_inbound(since: datetime, until: datetime) -> dict[str, int]:
    """What people wrote, by kind."""
    rows = db.session.execute(
        select(_inbound.c.kind, func.count())
        .where(
            _inbound.c.tenant_id == current_tenant_id(), _inbound.c.received_at >= since,
            _inbound.c.received_at < until, _inbound.c.kind.in_([*InboundKind]),
        )
        .group_by(_inbound.c.kind)
    )  # fmt: skip
    return dict(tuple(row) for row in rows)
