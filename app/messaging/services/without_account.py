"""What is due while no account can send it: it waits a while, and has failed then, so that an account that is connected
later sends nothing old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update

from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import AppError
from app.core.events import emit
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id
from app.messaging.events import ThreadMoved
from app.messaging.models import Message, MessageState
from app.messaging.providers.base import ErrorClass
from app.messaging.services import accounts, tallies
from app.messaging.services.delivery_claims import PENDING
from app.messaging.services.tallies import Shift

log = get_logger()
WAITS = timedelta(hours=2)  # from when it was due; then nobody expects it any more
LOOK_AGAIN = timedelta(minutes=1)
_messages: Any = Message.__table__
# A claim names an account. Waiting without one is a claim of nobody's: its time is since when, for `due_at` moves on.
_waits_since = func.coalesce(case((_messages.c.account.is_(None), _messages.c.claimed_at)), _messages.c.due_at)


def wait_or_end(which: Any, error: AppError, most: int = 20_000) -> None:
    """Put off by a minute those of the acting tenant's messages that are due, and fail those that were due two hours
    ago, in the current unit of work. `which` says whose; what waits for a later time is left alone."""
    now = utc_now()
    rows = _due(which, now, most)
    over = [row for row in rows if row.since < now - WAITS]
    waiting = sorted({row.id for row in rows} - {row.id for row in over})
    if waiting:
        log.info("sending_waits_for_an_account", messages=len(waiting), reason=error.message)
        later = {"due_at": now + LOOK_AGAIN, "claimed_at": _waits_since, "account": None}
        db.session.execute(update(_messages).where(_messages.c.id.in_(ids_in(waiting))).values(later))
    if over:
        _end(over, _reason_of(error), now)


def _due(which: Any, now: datetime, most: int) -> Sequence[Any]:
    of = _messages.c
    return db.session.execute(
        select(of.id, of.campaign_id, of.variant_id, of.thread_id, of.reason, of.address, _waits_since.label("since"))
        .where(of.tenant_id + 0 == current_tenant_id(), which, of.state == PENDING, of.due_at <= now)
        .order_by(of.due_at, of.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def _reason_of(error: AppError) -> str:
    is_unreadable = error.code == accounts.UNREADABLE_CODE
    return str(ErrorClass.CREDENTIALS if is_unreadable else ErrorClass.CONFIGURATION)


def _end(rows: Sequence[Any], reason: str, now: datetime) -> None:
    ended = update(_messages).where(_messages.c.id.in_(ids_in(sorted(row.id for row in rows))))
    db.session.execute(ended.values(state=MessageState.FAILED, reason=reason, ended_at=now))
    waited, failed = MessageState.PENDING, MessageState.FAILED
    tallies.shift(
        Shift(row.campaign_id, row.variant_id, waited, row.reason, failed, reason, address=row.address) for row in rows
    )
    for thread_id in sorted({row.thread_id for row in rows if row.thread_id is not None}):
        emit(ThreadMoved(current_tenant_id(), thread_id))
