"""What is tried again of a campaign, though the campaign may be over: until when, and what becomes of it in trouble."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, or_, select, update

from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import AppError
from app.messaging.models import Campaign, CampaignState, Message, MessageState
from app.messaging.providers.base import ErrorClass
from app.messaging.services import tallies, without_account
from app.messaging.services.delivery_claims import PENDING
from app.messaging.services.tallies import Shift

AFTER_END = timedelta(days=7)  # a later report is the last word
LOOK_BACK = AFTER_END + timedelta(days=3)  # the longest wait for another try, a night, and hours of trouble fit between
_LIVE = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.FAILED)  # go on, or may be told to
_messages: Any = Message.__table__


def still_open(campaign_ids: Iterable[int | None]) -> set[int]:
    """Those of the acting tenant's campaigns that may still send something again."""
    named = {one for one in campaign_ids if one is not None}
    if not named:
        return set()
    is_just_over = and_(Campaign.state == CampaignState.COMPLETED, Campaign.completed_at > utc_now() - AFTER_END)
    may_go_on = or_(Campaign.state.in_(_LIVE), is_just_over)
    return set(db.session.scalars(select(Campaign.id).where(Campaign.id.in_(ids_in(named)), may_go_on)))


def are_waiting() -> Any:
    """A condition on campaigns: it is over, and something of it is to be tried again. One look into an index each."""
    waits = exists().where(_messages.c.campaign_id == Campaign.id, _messages.c.state == PENDING)
    return and_(Campaign.state == CampaignState.COMPLETED, waits)


def meet(campaign_id: int, error: Exception) -> None:
    """What an error makes of that which waits of a campaign that is over, which nobody can resume: where somebody can
    mend it, what is due waits for that a while; after a fault of ours all of it has failed. In the current unit of
    work; nothing for a campaign that is not over."""
    campaign = db.session.get(Campaign, campaign_id)
    if campaign is None or campaign.state != CampaignState.COMPLETED:
        return
    if isinstance(error, AppError):
        without_account.wait_or_end(_messages.c.campaign_id == campaign_id, error)
    else:
        _end(campaign_id, str(ErrorClass.UNKNOWN))


def _end(campaign_id: int, reason: str, most: int = 20_000) -> None:
    messages = _messages
    rows = db.session.execute(
        select(messages.c.id, messages.c.variant_id, messages.c.reason, messages.c.address)
        .where(messages.c.campaign_id == campaign_id, messages.c.state == PENDING)
        .order_by(messages.c.due_at, messages.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    ended = update(messages).where(messages.c.id.in_(ids_in(sorted(row.id for row in rows))))
    db.session.execute(ended.values(state=MessageState.FAILED, reason=reason, ended_at=utc_now()))
    waited, failed = MessageState.PENDING, MessageState.FAILED
    tallies.shift(
        Shift(campaign_id, row.variant_id, waited, row.reason, failed, reason, address=row.address) for row in rows
    )
