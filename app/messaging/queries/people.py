"""Everything messages hold of one person, found by indexes however many messages there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select, text, union_all

from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import InboundMessage, LinkClick, Message, MessageThread

_messages: Any = Message.__table__
_threads: Any = MessageThread.__table__
# Said with the very words of the partial indexes, or SQLite would not use them.
_OF_CAMPAIGNS = text("messages.campaign_id IS NOT NULL AND messages.profile_id IS NOT NULL")
_ALONE = text("messages.campaign_id IS NULL AND messages.profile_id IS NOT NULL")
_OF_TALKS = text("messages.thread_id IS NOT NULL")


def message_ids(profile_ids: Iterable[int]) -> Select[tuple[int]]:
    """Ids of what these profiles were sent, or were to be: of campaigns, by itself, and in their talks."""
    ids = list(profile_ids)
    mine = select(_messages.c.id).where(_messages.c.tenant_id + 0 == current_tenant_id())
    theirs = _messages.c.profile_id.in_(ids_in(ids))
    talks = select(_threads.c.id).where(
        _threads.c.tenant_id + 0 == current_tenant_id(), _threads.c.profile_id.in_(ids_in(ids))
    )
    every = union_all(
        mine.where(theirs, _OF_CAMPAIGNS),
        mine.where(theirs, _ALONE),
        mine.where(_messages.c.thread_id.in_(talks), _OF_TALKS),
    ).subquery()
    return select(every.c.id)


def list_messages(profile_ids: Iterable[int]) -> list[Message]:
    """Every message to these profiles, oldest first, skipped ones among them."""
    statement = select(Message).where(Message.id.in_(message_ids(profile_ids)))
    return list(db.session.scalars(statement.order_by(Message.id)))


def list_inbound(profile_ids: Iterable[int]) -> list[InboundMessage]:
    """Everything these profiles wrote, oldest first."""
    statement = select(InboundMessage).where(InboundMessage.profile_id.in_(ids_in(profile_ids)))
    return list(db.session.scalars(statement.order_by(InboundMessage.id)))


def list_threads(profile_ids: Iterable[int]) -> list[MessageThread]:
    """The talks with these profiles, one for each channel and sender."""
    statement = select(MessageThread).where(MessageThread.profile_id.in_(ids_in(profile_ids)))
    return list(db.session.scalars(statement.order_by(MessageThread.id)))


def list_clicks(message_ids: Iterable[int]) -> list[LinkClick]:
    """Who followed a link is known by the message it stood in."""
    statement = select(LinkClick).where(LinkClick.message_id.in_(ids_in(message_ids)))
    return list(db.session.scalars(statement.order_by(LinkClick.id)))
