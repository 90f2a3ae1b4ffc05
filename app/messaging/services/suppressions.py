"""Numbers that said no and whose person is gone: kept so that the no is obeyed when the number comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.cdp.queries.lists import texts_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Skip, Suppression

_rows: Any = Suppression.__table__


def remember_stops(numbers: Iterable[tuple[str, str]]) -> None:
    """Remember channel and number of each; one that is kept for another reason stays as it is."""
    now, tenant_id = utc_now(), current_tenant_id()
    rows = [
        {"tenant_id": tenant_id, "channel": channel, "address": number, "reason": Skip.STOP.value, "at": now}
        for channel, number in sorted(set(numbers))
    ]
    if rows:
        make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        db.session.execute(make(_rows).on_conflict_do_nothing(), rows)


def is_stopped(channel: str, number: str) -> bool:
    """Whether a STOP of this number is remembered."""
    statement = select(_rows.c.address).where(*_stops(channel), _rows.c.address == number)
    return db.session.scalar(statement) is not None


def lift_stops(channel: str, numbers: Iterable[str]) -> bool:
    """Somebody said that these numbers may be written to again; whether a STOP was remembered of any."""
    done: Any = db.session.execute(
        delete(_rows).where(*_stops(channel), _rows.c.address.in_(texts_in(sorted(set(numbers)))))
    )
    return bool(done.rowcount)


def _stops(channel: str) -> tuple[Any, ...]:
    return (_rows.c.tenant_id == current_tenant_id(), _rows.c.channel == channel, _rows.c.reason == Skip.STOP.value)
