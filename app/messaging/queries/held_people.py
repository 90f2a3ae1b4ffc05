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
_PENDING: Any = literal_column("'pending'")  # as the index has it
_people = table("profiles", column("id"), column("tenant_id"), column("traits", Json))


MOST_COUNTED = 50_000


def count_by_release(campaign_id: int, most: int = MOST_COUNTED) -> list[tuple[datetime, int]]:
    """How many are written to at each time from now on, the soonest first: the first 50,000 of an index's range."""
    first = select(_messages.c.due_at).where(*_held(campaign_id)).order_by(_messages.c.due_at).limit(most).subquery()
    rows = db.session.execute(select(first.c.due_at, func.count()).group_by(first.c.due_at).order_by(first.c.due_at))
    return [(at, n) for at, n in rows]


def drawn(campaign_id: int, release: datetime, n: int, most: int) -> list[tuple[str, dict[str, Any]]]:
    """Numbers and traits of about `most` of the `n` people of one time, evenly by their messages' ids; of all where
    they are no more than that."""
    step = -(-n // most)
    chosen = select(_messages.c.id).where(
        _messages.c.campaign_id == campaign_id, _messages.c.state == _PENDING, _messages.c.due_at == release,
        _messages.c.id % step == 0,
    )  # fmt: skip
    some = (
        select(_messages.c.profile_id, _messages.c.address)
        .where(
            _messages.c.id.in_(chosen.limit(most * 2)),  # by themselves, so that only the chosen rows are read
            _messages.c.reason == Skip.QUIET_HOURS, _messages.c.tenant_id == current_tenant_id(),
        )
        .subquery()
    )  # fmt: skip
    at_home = (_people.c.id == some.c.profile_id) & (_people.c.tenant_id == current_tenant_id())
    rows = db.session.execute(select(some.c.address, _people.c.traits).outerjoin(_people, at_home))
    return [(address, traits or {}) for address, traits in rows]


def _held(campaign_id: int) -> list[Any]:
    return [
        _messages.c.campaign_id == campaign_id, _messages.c.state == _PENDING,
        _messages.c.due_at > utc_now(), _messages.c.reason == Skip.QUIET_HOURS,
        _messages.c.tenant_id == current_tenant_id(),
    ]  # fmt: skip
