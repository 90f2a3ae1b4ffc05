"""The names of a tenant's events, each once, with a short id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Select, insert, select, update

from app.cdp.models import EventName
from app.cdp.queries.lists import ids_in
from app.cdp.services.bulk import run
from app.cdp.services.prepared import TENANT, Lists, fetch
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id

SEEN_EVERY = timedelta(hours=1)
_names = EventName.__table__


def ids_for(names: Iterable[str]) -> dict[str, int]:
    """The id of each name; new ones are made. One statement when all are known and fresh."""
    wanted, now = sorted(set(names)), utc_now()
    found = _find(wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        values = [
            {"tenant_id": current_tenant_id(), "name": name, "first_seen_at": now, "last_seen_at": now}
            for name in missing
        ]
        run(insert(_names), values)  # type: ignore[arg-type]
        found |= _find(missing)
    old = [row_id for row_id, seen_at in found.values() if now - seen_at > SEEN_EVERY]
    if old:
        stale = _names.c.id.in_(ids_in(old))
        db.session.execute(update(_names).where(stale).values(last_seen_at=now))  # type: ignore[arg-type]
    return {name: row_id for name, (row_id, _) in found.items()}


def list_names(limit: int = 500) -> list[EventName]:
    """The tenant's event names in the order of the alphabet."""
    return list(db.session.scalars(select(EventName).order_by(EventName.name).limit(limit)))


def _find(names: list[str]) -> dict[str, tuple]:
    if not names:
        return {}
    return {name: (row_id, seen_at) for name, row_id, seen_at in fetch(_by_name, names=names)}


def _by_name(lists: Lists) -> Select[tuple]:
    columns = (_names.c.name, _names.c.id, _names.c.last_seen_at)
    return select(*columns).where(_names.c.tenant_id == TENANT, _names.c.name.in_(lists.texts("names")))
