"""Caps as a message is about to leave: what a person got, and what other workers have in hand for them.

One worker at a time asks and claims under a tenant's caps of a channel, so that two cannot both find the last place
free. The questions are a fixed number of statements for a batch, none where no cap holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text

from app.cdp.queries.lists import ids_in, is_sqlite
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Message
from app.messaging.services.plans import Plan

_messages: Any = Message.__table__
_IN_HAND = text("messages.state IN ('claimed', 'unknown')")  # as the index that finds them says it
LOCK_SPACE = {"sms": 7306, "whatsapp": 7307}  # any numbers, as long as no other lock of ours has them


class Room(Enum):
    """`UNSURE`: the last place may be taken by a message that is in hand; its answer says so."""

    FREE = "free"
    UNSURE = "unsure"
    NONE = "none"


@dataclass(frozen=True)
class Counts:
    """For each cap the messages people got in its days, and those in hand for them, by person."""

    sent: list[tuple[int, Counter[int]]] = field(default_factory=list)
    in_hand: Counter[int] = field(default_factory=Counter)

    def room(self, profile_id: int) -> Room:
        """Whether one more may go to the person. A message that got its answer between the questions counts twice,
        which makes it wait and never leave too many."""
        if any(sent[profile_id] >= most for most, sent in self.sent):
            return Room.NONE
        held = self.in_hand[profile_id]
        return Room.UNSURE if any(sent[profile_id] + held >= most for most, sent in self.sent) else Room.FREE


def lock(plan: Plan) -> bool:
    """Before anything is claimed: whether no other worker claims under these caps until our commit. It is not waited
    for, since other campaigns would wait along; asking again soon is the caller's. SQLite has one writer anyway."""
    if not plan.caps or is_sqlite():
        return True
    place = {"space": LOCK_SPACE[plan.channel], "tenant": current_tenant_id()}
    return bool(db.session.scalar(text("SELECT pg_try_advisory_xact_lock(:space, :tenant)"), place))


def counts_of(plan: Plan, owner: Mapping[int, int]) -> Counts:
    """What counts against the plan's caps. `owner` is who each profile is now: what went to one that was merged into a
    person went to that person."""
    if not plan.caps:
        return Counts()
    in_hand = _summed(_in_hand(plan, owner), owner)  # first: what leaves the hand meanwhile is found as sent
    return Counts([(cap.most, _summed(_sent(plan, owner, cap.days), owner)) for cap in plan.caps], in_hand)


def _summed(rows: Any, owner: Mapping[int, int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for profile_id, n in rows:
        found[owner[profile_id]] += n
    return found


def _sent(plan: Plan, ids: Iterable[int], days: int) -> Any:
    return _by_person(plan, ids, _messages.c.sent_at >= utc_now() - timedelta(days=days))


def _in_hand(plan: Plan, ids: Iterable[int]) -> Any:
    """Messages that are about to leave, or may have left, and do not count as sent yet. Few are at any time."""
    is_other = or_(_messages.c.campaign_id.is_(None), _messages.c.campaign_id != plan.campaign_id)
    return _by_person(plan, ids, _IN_HAND, is_other)


def _by_person(plan: Plan, ids: Iterable[int], *which: Any) -> Any:
    is_ours: ColumnElement[bool] = _messages.c.tenant_id + 0 == current_tenant_id()  # a sum: other indexes lead
    return db.session.execute(
        select(_messages.c.profile_id, func.count())
        .where(*which, is_ours, _messages.c.profile_id.in_(ids_in(ids)), _messages.c.channel == plan.channel)
        .group_by(_messages.c.profile_id)
    )
