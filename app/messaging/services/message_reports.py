"""Messages one by one with the figures of all of them: by campaign, by dates, by state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.messaging.models import ACCEPTED, ENDED, LOST, OPEN, REACHED, Campaign, MessageState
from app.messaging.queries import deliveries, message_log
from app.messaging.queries.message_log import LoggedMessage
from app.messaging.services import campaigns, tallies
from app.messaging.services.delivery_counts import bucket_of
from app.messaging.services.retries import LOOK_BACK

_NEVER_SENT = {*OPEN, MessageState.SKIPPED}


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see; `status` is a state as the contract says it."""

    campaign_uuid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    page: int = 1
    limit: int = 50


@dataclass(frozen=True)
class StatusFigures:
    """`tried` were handed over; `pending` wait, are on their way, or are looked up."""

    total: int
    tried: int
    delivered: int
    failed: int
    pending: int


@dataclass(frozen=True)
class StatusPage:
    rows: list[LoggedMessage]
    figures: StatusFigures
    number: int
    limit: int
    has_next: bool


def status_page(asked: Asked) -> StatusPage:
    """A page and the figures of everything asked for but the status.

    A campaign's come from its tallies; with dates, from five-minute counts of what happened in them.
    """
    campaign = campaigns.get_by_uuid(asked.campaign_uuid) if asked.campaign_uuid else None
    states = _states(asked.status)
    offset, wanted = (asked.page - 1) * asked.limit, asked.limit + 1
    if campaign is not None and asked.since is None and asked.until is None:
        campaign_id, counts = campaign.id, tallies.by_state(campaign.id)
        claimed = message_log.count_claimed(campaign_id)  # tallies count them as pending
        known = counts | {MessageState.CLAIMED: claimed, MessageState.PENDING: counts.get("pending", 0) - claimed}
        order = [state for state in message_log.ORDER if not states or state in states]
        rows = message_log.list_of_campaign(campaign_id, order, known, offset, wanted)
        figures = _of_tallies(counts)
    else:
        rows = _by_date(asked, campaign, states)
        figures = _of_counts(asked, campaign.id if campaign else None)
    return StatusPage(rows[: asked.limit], figures, asked.page, asked.limit, len(rows) > asked.limit)


def _by_date(asked: Asked, campaign: Campaign | None, states: Sequence[str]) -> list[LoggedMessage]:
    """By when they were sent; the undelivered and the failed by when that was known, for some were never sent."""
    offset, wanted = (asked.page - 1) * asked.limit, asked.limit + 1
    if states and states[0] in LOST:
        campaign_id = campaign.id if campaign else None
        return message_log.list_lost(asked.since, asked.until, campaign_id, states[0], offset, wanted)
    if states and not set(states) - _NEVER_SENT:
        return []
    if campaign is None:
        return message_log.list_sent(asked.since, asked.until, states, offset, wanted)
    since = max(filter(None, (asked.since, campaign.started_at)), default=None)
    until = min(filter(None, (asked.until, _last_sent_by(campaign))), default=None)
    total = sum(tallies.by_state(campaign.id).values())
    return message_log.list_sent_of_campaign(campaign.id, total, since, until, states, offset, wanted)


def _last_sent_by(campaign: Campaign) -> datetime | None:
    """When the last of a campaign that is over can have left; None while it is not."""
    over = campaign.completed_at if campaign.state in ENDED else None
    return over + LOOK_BACK if over is not None else None


def _states(status: str) -> Sequence[str]:
    if not status:
        return ()
    if status == MessageState.PENDING.upper():
        return (MessageState.CLAIMED, MessageState.PENDING)
    return (MessageState(status.lower()),)


def _of_tallies(counts: dict[str, int]) -> StatusFigures:
    def add(states: Sequence[str]) -> int:
        return sum(counts.get(state, 0) for state in states)

    pending = add((*OPEN, MessageState.QUEUED, MessageState.SENT))
    tried = add((*ACCEPTED, MessageState.FAILED))
    return StatusFigures(sum(counts.values()), tried, add(REACHED), add(LOST), pending)


def _of_counts(asked: Asked, campaign_id: int | None) -> StatusFigures:
    since = bucket_of(asked.since) if asked.since else None
    found = deliveries.totals(since, asked.until, campaign_id)
    pending = max(0, found.tried - found.ended)
    return StatusFigures(found.tried, found.tried, found.delivered, found.lost, pending)
