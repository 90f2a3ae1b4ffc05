"""Messages one by one, page by page, read in the order of an index however deep the page is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, select

from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, Message, MessageState
from app.messaging.queries.monitoring import IS_LOST

_messages: Any = Message.__table__
_campaigns: Any = Campaign.__table__
ORDER = (
    MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.QUEUED, MessageState.SENT, MessageState.UNDELIVERED,
    MessageState.FAILED, MessageState.DELIVERED, MessageState.READ, MessageState.PENDING, MessageState.CANCELLED,
    MessageState.SKIPPED,
)  # fmt: skip
"""How a campaign's messages are listed: what moves or went wrong before what is settled."""


RARE = (MessageState.QUEUED, MessageState.SENT, MessageState.READ, MessageState.CANCELLED)
IS_RARE: Any = literal_column("messages.state IN ('queued', 'sent', 'read', 'cancelled')")  # as the index has it
MOST_READ_WHOLE = 50_000  # messages of a campaign that are sorted in one go


@dataclass(frozen=True)
class LoggedMessage:
    """A message as lists show it. Its campaign's name and uuid are None when it is of none."""

    id: int
    address: str
    state: str
    reason: str
    sent_at: datetime | None
    delivered_at: datetime | None
    error_code: int | None
    campaign_id: int | None
    campaign_name: str | None
    campaign_uuid: str | None


def list_of_campaign(
    campaign_id: int, states: Sequence[str], counts: Mapping[str, int], offset: int, limit: int
) -> list[LoggedMessage]:
    """From the campaign's messages in these states, state after state, the newest of each first.

    `counts` say how many there are in each, so that whole states are passed over without being read; inside one the
    index alone is. A count that has just changed moves the page by as much.
    """
    ids: list[int] = []
    for state in states:
        if offset >= counts.get(state, 0):
            offset -= counts.get(state, 0)
            continue
        ids += db.session.scalars(_ids_in_state(campaign_id, state).offset(offset).limit(limit - len(ids)))
        offset = 0
        if len(ids) >= limit:
            break
    return _load(ids)


def count_claimed(campaign_id: int) -> int:
    """How many are with a worker just now: some hundreds at most."""
    return db.session.scalar(_ids_in_state(campaign_id, MessageState.CLAIMED).with_only_columns(func.count())
                             .order_by(None)) or 0  # fmt: skip


def list_sent(
    since: datetime | None, until: datetime | None, states: Sequence[str], offset: int, limit: int
) -> list[LoggedMessage]:
    """Messages that were sent in the stretch, the newest first: as many index entries as the page is deep.

    Of the delivered it passes over those that are not; the other states have an index of their own.
    """
    where = [_messages.c.tenant_id == current_tenant_id(), _messages.c.sent_at.is_not(None), *_between(since, until)]
    if states:
        where.append(_messages.c.state.in_(states))
        where += [IS_RARE] if set(states) <= set(RARE) else []
    return _newest(where, offset, limit)


def list_sent_of_campaign(
    campaign_id: int, total: int, since: datetime | None, until: datetime | None, states: Sequence[str], offset: int,
    limit: int,
) -> list[LoggedMessage]:  # fmt: skip
    """The same of a campaign of `total` messages.

    A small one is read whole; of a large one the dates lead, from its own start to its end, so that what is passed over
    is what other campaigns sent meanwhile. Sums keep the other index out of it.
    """
    of_campaign, of_tenant = _messages.c.campaign_id, _messages.c.tenant_id
    if total <= MOST_READ_WHOLE:
        where = [of_campaign == campaign_id, of_campaign.is_not(None), of_tenant + 0 == current_tenant_id()]
    else:
        where = [of_campaign + 0 == campaign_id, of_tenant == current_tenant_id()]
        where += [IS_RARE] if states and set(states) <= set(RARE) else []
    where += [_messages.c.sent_at.is_not(None), *_between(since, until)]
    if states:
        where.append(_messages.c.state.in_(states))
    return _newest(where, offset, limit)


def _between(since: datetime | None, until: datetime | None) -> list[Any]:
    at = _messages.c.sent_at
    return [*([at >= since] if since else []), *([at < until] if until else [])]


def _newest(where: Sequence[Any], offset: int, limit: int) -> list[LoggedMessage]:
    ordered = select(_messages.c.id).where(*where).order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
    return _load(list(db.session.scalars(ordered.offset(offset).limit(limit))))


def list_lost(
    since: datetime | None, until: datetime | None, campaign_id: int | None, state: str, offset: int, limit: int
) -> list[LoggedMessage]:
    """Messages that came to a bad end in the stretch, sent or refused, the newest first."""
    at = _messages.c.ended_at
    where = [_messages.c.tenant_id == current_tenant_id(), IS_LOST, at.is_not(None), _messages.c.state == state]
    if since is not None:
        where.append(at >= since)
    if until is not None:
        where.append(at < until)
    if campaign_id is not None:
        where.append(_messages.c.campaign_id + 0 == campaign_id)
    ordered = select(_messages.c.id).where(*where).order_by(at.desc(), _messages.c.id.desc())
    return _load(list(db.session.scalars(ordered.offset(offset).limit(limit))))


def _ids_in_state(campaign_id: int, state: str) -> Select[Any]:
    return (
        select(_messages.c.id)
        .where(
            _messages.c.campaign_id == campaign_id, _messages.c.campaign_id.is_not(None), _messages.c.state == state,
        )
        .order_by(_messages.c.id.desc())
    )  # fmt: skip


def _load(ids: Sequence[int]) -> list[LoggedMessage]:
    """These rows with their campaigns' names, in this order."""
    rows: Any = db.session.execute(
        select(
            _messages.c.id, _messages.c.address, _messages.c.state, _messages.c.reason, _messages.c.sent_at,
            _messages.c.delivered_at, _messages.c.error_code, _messages.c.campaign_id, _campaigns.c.name,
            _campaigns.c.uuid,
        )
        .outerjoin(_campaigns, _campaigns.c.id == _messages.c.campaign_id)
        .where(_messages.c.id.in_(ids_in(ids)), _messages.c.tenant_id + 0 == current_tenant_id())
    )  # fmt: skip
    found: dict[int, LoggedMessage] = {row[0]: LoggedMessage(*row) for row in rows}
    return [found[one] for one in ids if one in found]
