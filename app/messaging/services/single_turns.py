"""Whose turn it is among the single messages of a sender: one that comes soon is taken at once and waited for, whoever
would wait longer is asked for again later, so that a slow sender holds hardly a worker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import func, select

from app.core.clock import utc_now
from app.core.db import db
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id
from app.messaging.models import Message
from app.messaging.services import gate
from app.messaging.services.delivery_claims import PENDING, Ready

log = get_logger()
PATIENCE = 1.0  # seconds a worker waits for a turn
FARTHEST = timedelta(minutes=10)
_messages: Any = Message.__table__


@dataclass(frozen=True)
class Turn:
    """`goes`: it may leave now; False: they said STOP; None: it has to be claimed anew, after `wait_seconds`."""

    goes: bool | None
    wait_seconds: float = 0.0


def take(ready: Ready, paces: Sequence[gate.Pace]) -> Turn:
    """Its turn, waited for if it comes within a second."""
    if ready.is_late:
        return Turn(None)
    outgoing = ready.outgoing
    try:
        decision = gate.take(paces, outgoing.channel, [outgoing.to], ready.epoch, ahead_seconds=PATIENCE)
    except (RedisError, OSError) as error:
        log.warning("sending_waits_for_the_store", reason=str(error))
        return Turn(None)
    if not decision.goes:
        return Turn(None, decision.wait_seconds)
    if decision.goes[0]:
        time.sleep(decision.wait_seconds)
    return Turn(decision.goes[0])


def place(ready: Ready, wait_seconds: float, paces: Sequence[gate.Pace]) -> datetime:
    """When to ask again for one whose turn is not soon: behind those of its sender that wait already. One statement,
    which looks at those that are due within ten minutes."""
    now = utc_now()
    ahead = select(func.count()).where(
        *_waiting(ready.outgoing.channel, ready.outgoing.sender),
        _messages.c.due_at > now,
        _messages.c.due_at <= now + FARTHEST,
    )
    interval = max((1 / one.per_second for one in paces if one.per_second > 0), default=0.0)
    wait = wait_seconds + interval * int(db.session.scalar(ahead) or 0)
    return now + min(timedelta(seconds=wait), FARTHEST)


def find_next(ready: Ready) -> int | None:
    """The next message of the same sender, where its turn comes before somebody would ask for it."""
    soon = _messages.c.due_at <= utc_now() + timedelta(seconds=PATIENCE)
    waiting = select(_messages.c.id).where(*_waiting(ready.outgoing.channel, ready.outgoing.sender), soon)
    return db.session.scalar(waiting.order_by(_messages.c.due_at, _messages.c.id).limit(1))


def _waiting(channel: str, sender: str) -> tuple[Any, ...]:
    return (
        _messages.c.campaign_id.is_(None), _messages.c.state == PENDING, _messages.c.channel == channel,
        _messages.c.sender == sender, _messages.c.tenant_id + 0 == current_tenant_id(),  # a sum: what is due leads
    )  # fmt: skip
