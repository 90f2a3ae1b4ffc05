"""What people did after a campaign's message: links followed, answers, opt-outs, and the goal.

The work grows with what came back, not with how many were written to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, column, func, or_, select, table

from app.core.db import UtcDateTime, db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, InboundKind, InboundMessage, LinkClick, Message, MessageState, Skip
from app.messaging.models import TrackedLink as _Link

_clicks: Any = LinkClick.__table__
_inbound: Any = InboundMessage.__table__
_messages: Any = Message.__table__
_names = table("event_names", column("id"), column("tenant_id"), column("name"))
_events = table(
    "events", column("profile_id"), column("tenant_id"), column("name_id"), column("day"), column("at", UtcDateTime)
)
ANSWERS_WITHIN = timedelta(days=7)  # as the inbox links an answer to the message it answers
HELD_OUT = -1
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Responses:
    """People by variant. `goals` has those held out under HELD_OUT."""

    clicks: Counter[int] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    opt_outs: Counter[int] = field(default_factory=Counter)
    goals: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class LinkFigures:
    """A link, how many people followed it and how often."""

    link: _Link
    people: int
    clicks: int
    last_at: datetime | None


def responses_of(campaign: Campaign) -> Responses:
    """What came back of a campaign, in at most four statements."""
    replies, opt_outs = _answers(campaign)
    return Responses(_followers(campaign.id), replies, opt_outs, _goals(campaign))


def links_of(campaign_id: int) -> list[LinkFigures]:
    """A campaign's links in the order of its texts. Visits are counted in the index; of each link the last is read."""
    links = list(db.session.scalars(select(_Link).where(_Link.campaign_id == campaign_id).order_by(_Link.position)))
    rows = db.session.execute(
        select(_clicks.c.link_id, _clicks.c.is_first, func.count(), func.max(_clicks.c.id))
        .where(_clicks.c.link_id.in_([link.id for link in links]), _clicks.c.tenant_id + 0 == current_tenant_id())
        .group_by(_clicks.c.link_id, _clicks.c.is_first)
    )
    people: Counter[int] = Counter()
    visits: Counter[int] = Counter()
    last: dict[int, int] = {}
    for link_id, is_first, count, last_id in rows:
        visits[link_id] += count
        people[link_id] += count if is_first else 0
        last[link_id] = max(last_id, last.get(link_id, 0))
    times = select(LinkClick.link_id, LinkClick.at).where(LinkClick.id.in_(last.values()))
    at = {link_id: moment for link_id, moment in db.session.execute(times)}  # noqa: C416 (typed by its parts)
    return [LinkFigures(link, people[link.id], visits[link.id], at.get(link.id)) for link in links]


def has_links(campaign_id: int) -> bool:
    return db.session.scalar(select(_Link.id).where(_Link.campaign_id == campaign_id).limit(1)) is not None


def _followers(campaign_id: int) -> Counter[int]:
    rows = db.session.execute(
        select(_clicks.c.variant_id, func.count(_clicks.c.message_id.distinct()))
        .where(_clicks.c.tenant_id == current_tenant_id(), _clicks.c.campaign_id == campaign_id)
        .group_by(_clicks.c.variant_id)
    )
    return Counter(dict(tuple(row) for row in rows))


def _answers(campaign: Campaign) -> tuple[Counter[int], Counter[int]]:
    """Who wrote back, and who said STOP, by variant: inbound texts since the start, each led to its message."""
    replies: Counter[int] = Counter()
    opt_outs: Counter[int] = Counter()
    if campaign.started_at is None:
        return replies, opt_outs
    tenant_id, since = current_tenant_id(), campaign.started_at
    window = [_inbound.c.tenant_id == tenant_id, _inbound.c.received_at >= since]
    if campaign.completed_at is not None:
        window.append(_inbound.c.received_at < campaign.completed_at + ANSWERS_WITHIN)
    kinds = (InboundKind.TEXT, InboundKind.STOP)
    rows = db.session.execute(
        select(_messages.c.variant_id, _inbound.c.kind, func.count(_messages.c.id.distinct()))
        .join(_messages, _messages.c.id == _inbound.c.message_id)
        .where(
            *window, _inbound.c.kind.in_(kinds), _messages.c.campaign_id + 0 == campaign.id,
            _messages.c.tenant_id + 0 == tenant_id,  # the sums: each message is found by its id
        )
        .group_by(_messages.c.variant_id, _inbound.c.kind)
    )  # fmt: skip
    for variant_id, kind, count in rows:
        (opt_outs if kind == InboundKind.STOP else replies)[variant_id] += count
    return replies, opt_outs


def _goals(campaign: Campaign) -> Counter[int]:
    """Who did the goal within its days after the message, by variant: the first event after it is what counts.

    Events of that name in the days of the campaign, each led to the person's message by a unique key.
    """
    found: Counter[int] = Counter()
    if not campaign.goal_event or campaign.started_at is None:
        return found
    tenant_id = current_tenant_id()
    name_id = db.session.scalar(
        select(_names.c.id).where(_names.c.tenant_id == tenant_id, _names.c.name == campaign.goal_event)
    )
    if name_id is None:
        return found
    window = timedelta(days=campaign.goal_days)
    is_held_out = and_(_messages.c.state == MessageState.SKIPPED, _messages.c.reason == Skip.HOLDOUT)
    began = case((is_held_out, _messages.c.created_at), else_=_messages.c.sent_at)
    first = func.min(_events.c.at, type_=UtcDateTime)
    rows = db.session.execute(
        select(case((is_held_out, HELD_OUT), else_=_messages.c.variant_id), began, first)
        .select_from(_events)
        .join(
            _messages,
            and_(
                _messages.c.profile_id == _events.c.profile_id,
                _messages.c.campaign_id == campaign.id,
                _messages.c.campaign_id.is_not(None),
                _messages.c.profile_id.is_not(None),
            ),
        )
        .where(
            _events.c.tenant_id == tenant_id, _events.c.name_id == name_id, *_days(campaign, window),
            _messages.c.tenant_id + 0 == tenant_id, or_(is_held_out, _messages.c.sent_at.is_not(None)),
            _events.c.at >= began,
        )
        .group_by(_messages.c.id, _messages.c.variant_id, _messages.c.state, _messages.c.reason,
                  _messages.c.created_at, _messages.c.sent_at)
    )  # fmt: skip
    for variant_id, at, done_at in rows:
        if done_at - _aware(at, done_at) <= window:
            found[variant_id] += 1
    return found


def _days(campaign: Campaign, window: timedelta) -> list[Any]:
    """The whole days, of any zone, in which an event could count."""
    assert campaign.started_at is not None
    found = [_events.c.day >= campaign.started_at.toordinal() - EPOCH - 1]
    if campaign.completed_at is not None:
        found.append(_events.c.day <= (campaign.completed_at + window).toordinal() - EPOCH + 1)
    return found


def _aware(at: datetime, like: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=like.tzinfo)
