"""Numbers that said no and whose person is gone: kept so that the no is obeyed when the number comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

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


def lift_stop(channel: str, number: str) -> bool:
    """Somebody said that this number may be written to again; whether a STOP was remembered."""
    done: Any = db.session.execute(
        delete(_rows).where(
            _rows.c.tenant_id == current_tenant_id(), _rows.c.channel == channel, _rows.c.address == number,
            _rows.c.reason == Skip.STOP,
        )
    )  # fmt: skip
    return bool(done.rowcount)
