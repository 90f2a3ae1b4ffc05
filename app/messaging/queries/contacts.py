"""What people wrote and were sent, as lists of contacts and the page of a person ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.cdp.queries.lists import ids_in, texts_in
from app.core.db import db
from app.messaging.models import Campaign, InboundMessage, Message, Skip, Suppression
from app.messaging.queries.people import message_ids


def last_received(holders: Mapping[int, int]) -> dict[int, datetime]:
    """When each of these people wrote last; `holders` says whose each profile's messages are now. One statement."""
    rows = db.session.execute(
        select(InboundMessage.profile_id, func.max(InboundMessage.received_at))
        .where(InboundMessage.profile_id.in_(ids_in(holders)))
        .group_by(InboundMessage.profile_id)
    )
    found: dict[int, datetime] = {}
    for profile_id, at in rows:
        if profile_id is not None:
            owner = holders[profile_id]
            found[owner] = max(at, found.get(owner, at))
    return found


def stopped_numbers(channel: str, numbers: Iterable[str]) -> set[str]:
    """Those of these numbers that said STOP and are remembered for it, though nobody is known by them any more."""
    statement = select(Suppression.address).where(
        Suppression.channel == channel, Suppression.reason == Skip.STOP, Suppression.address.in_(texts_in(numbers))
    )
    return set(db.session.scalars(statement))


@dataclass(frozen=True)
class Talk:
    """One message to or from a person; `state` is empty for one they wrote."""

    is_ours: bool
    channel: str
    body: str
    at: datetime
    state: str = ""
    reason: str = ""
    campaign_id: int | None = None
    campaign: str = ""
    thread_id: int | None = None


def list_talk(profile_ids: Iterable[int], most: int) -> list[Talk]:
    """The newest messages to and from these profiles of one person, skipped ones among them, newest first."""
    ids = list(profile_ids)
    talk = [*_sent(ids, most), *_received(ids, most)]
    return sorted(talk, key=lambda one: one.at, reverse=True)[:most]


def _sent(ids: list[int], most: int) -> Iterator[Talk]:
    rows = db.session.execute(
        select(Message, Campaign.name)
        .outerjoin(Campaign, Campaign.id == Message.campaign_id)
        .where(Message.id.in_(message_ids(ids)))
        .order_by(Message.id.desc())
        .limit(most)
    )
    for row, campaign in rows:
        yield Talk(True, row.channel, row.body or "", row.sent_at or row.created_at, row.state, row.reason,
                   row.campaign_id, campaign or "", row.thread_id)  # fmt: skip


def _received(ids: list[int], most: int) -> Iterator[Talk]:
    theirs = select(InboundMessage).where(InboundMessage.profile_id.in_(ids_in(ids)))
    for row in db.session.scalars(theirs.order_by(InboundMessage.id.desc()).limit(most)):
        yield Talk(False, row.channel, row.body, row.received_at, thread_id=row.thread_id)
