"""People who were merged after a campaign's start: who has several messages in it gets one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Message, MessageState, Skip

_messages: Any = Message.__table__
_WAITING = (MessageState.PENDING, MessageState.CLAIMED)
_OUT = (MessageState.SKIPPED, MessageState.CANCELLED)


def doubles_of(campaign_id: int, owner: Mapping[int, int]) -> set[int]:
    """Messages of these people that are one too many, in one statement where anybody was merged. One stays: that which
    left already, else that of a hold-out (who stays one, whoever is merged with them), else the person's own before
    those of the profiles merged into them, the oldest first.

    `owner` is who each profile is now. Every worker finds the same one, so two at once do not drop both.
    """
    merged = {one for profile_id, one in owner.items() if profile_id != one}
    if not merged:
        return set()
    theirs = [profile_id for profile_id, one in owner.items() if one in merged]
    rows = db.session.execute(
        select(*(_messages.c[name] for name in ("id", "profile_id", "state", "reason"))).where(
            _messages.c.campaign_id == campaign_id,
            _messages.c.profile_id.in_(ids_in(theirs)),
            or_(_messages.c.state.not_in(_OUT), _messages.c.reason == Skip.HOLDOUT),
            _messages.c.tenant_id + 0 == current_tenant_id(),  # a sum: to be found by the person
        )
    ).all()
    first: dict[int, int] = {}
    for row in sorted(rows, key=lambda one: (_rank(one), one.profile_id != owner[one.profile_id], one.id)):
        first.setdefault(owner[row.profile_id], row.id)
    return {row.id for row in rows} - set(first.values())


def _rank(row: Any) -> int:
    """What left, then who is held out, then what waits."""
    return 1 if row.reason == Skip.HOLDOUT else 2 if row.state in _WAITING else 0
