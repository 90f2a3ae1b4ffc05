"""After a STOP or a START is committed: the gate closed or opened for every number of the person, in every workspace.

The store knows what is in the air, unless it is away or has forgotten. Then the rows say it: what was claimed before
the STOP was committed leaves within ten seconds or is given back, and whoever claims it later reads the STOP.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import db, release_connection
from app.core.errors import Unavailable
from app.core.logs import get_logger
from app.core.tenancy import platform_scope
from app.messaging.models import Message
from app.messaging.services import gate
from app.messaging.services.gate import Place

log = get_logger()
SHORTEST_LOOK, LONGEST_LOOK = 0.05, 0.5
_messages: Any = Message.__table__
_CLAIMED = text("messages.state IN ('claimed', 'unknown') AND messages.state = 'claimed'")  # for the partial index


def close_gates(places: Sequence[Place], channel: str, at: datetime) -> None:
    """Returns once nothing is on its way to these numbers any more, after ten seconds at the latest."""
    if not places:
        return
    deadline = time.monotonic() + gate.WAIT_SECONDS
    try:
        if gate.close(places, channel, at, deadline).remembers:
            return
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))
    _wait_for_claims(places, channel, deadline)


def open_gates(places: Sequence[Place], channel: str, at: datetime) -> None:
    """They want messages again."""
    gate.reopen(places, channel, at)


def _wait_for_claims(places: Sequence[Place], channel: str, deadline: float) -> None:
    pause = SHORTEST_LOOK
    while _is_claimed(places, channel):
        if time.monotonic() > deadline:
            log.warning("stop_answered_with_a_message_in_the_air", channel=channel)
            return
        time.sleep(pause)
        pause = min(LONGEST_LOOK, pause * 1.5)  # many may wait at once


def _is_claimed(places: Sequence[Place], channel: str) -> bool:
    """Whether somebody has one of these in hand; a database that does not say may hide one."""
    statement = select(_messages.c.id).where(
        _CLAIMED,
        _messages.c.channel == channel,
        _messages.c.tenant_id.in_({one.tenant_id for one in places}),
        _messages.c.address.in_({one.number for one in places}),
    )
    try:
        with platform_scope():
            return db.session.scalar(statement.limit(1)) is not None
    except (SQLAlchemyError, Unavailable):
        db.session.rollback()
        return True
    finally:
        release_connection()
