"""People of a campaign whose night it is: when they will be written to, and some of them to tell where they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import column, func, literal_column, select, table

from app.core.clock import utc_now
from app.core.db import Json, db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Message, Skip

_messages: Any = Message.__table__
_people = table("profiles", column("id"), column("tenant_id"), column("traits", Json))


def count_by_release(campaign_id: int) -> list[tuple[datetime, int]]:
    """How many are written to at each time from now on, the soonest first: a range of the index of what waits."""
    statement = (
        select(_messages.c.due_at, func.count()).where(*_held(campaign_id)).group_by(_messages.c.due_at)
    ).order_by(_messages.c.due_at)  # fmt: skip
    return [(at, n) for at, n in db.session.execute(statement)]


def drawn(campaign_id: int, release: datetime, n: int, most: int) -> list[tuple[str, dict[str, Any]]]:
    """Numbers and traits of about `most` of the `n` people of one time, evenly by their messages' ids; of all where
    they are no more than that."""
    where = [*_held(campaign_id), _messages.c.due_at == release]
    step = -(-n // most)
    if step > 1:
        where.append(_messages.c.id % step == 0)
    some = select(_messages.c.profile_id, _messages.c.address).where(*where).limit(most * 2).subquery()
    at_home = (_people.c.id == some.c.profile_id) & (_people.c.tenant_id == current_tenant_id())
    rows = db.session.execute(select(some.c.address, _people.c.traits).outerjoin(_people, at_home))
    return [(address, traits or {}) for address, traits in rows]


def _held(campaign_id: int) -> list[Any]:
    return [
        _messages.c.campaign_id == campaign_id, _messages.c.state == literal_column("'pending'"),
        _messages.c.due_at > utc_now(), _messages.c.reason == Skip.QUIET_HOURS,
        _messages.c.tenant_id + 0 == current_tenant_id(),
    ]  # fmt: skip
