"""Who a campaign writes to: everyone of the segment as it is at launch gets a row, with the reason where none goes out.

The set of people is kept first, so that a segment that changes, or a worker that is killed, changes nothing of it.
Then rows are made by the database itself, so many people a transaction.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    union_all,
)  # fmt: skip

from app.cdp.queries.lists import ids_in
from app.cdp.services import refresh, segments
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.shares import FINEST, bucket_of
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.tenancy import current_tenant_id
from app.messaging.models import (
    Campaign,
    CampaignAudience,
    CampaignState,
    CampaignVariant,
    Message,
    MessageState,
    Skip,
    Suppression,
)  # fmt: skip
from app.messaging.services import rules, tallies
from app.messaging.services.tallies import Shift

AT_ONCE = 20_000
_messages: Any = Message.__table__
_suppressed: Any = Suppression.__table__
_people = table("profiles", *map(column, ("id", "tenant_id", "phone", "merged_into_id")))
_consents = table("consent_states", *map(column, ("profile_id", "tenant_id", "channel", "state", "source")))
COLUMNS = ("tenant_id", "campaign_id", "variant_id", "profile_id", "channel", "address", "sender", "state", "reason",
           "due_at", "attempts", "segments", "created_at")  # fmt: skip


def renew(campaign_id: int) -> None:
    """Before anything is kept: ask the segment again, so that who came a moment ago is in it. No transaction open."""
    campaign = get_required(Campaign, campaign_id, label="Campaign")
    if campaign.frozen_at is None and campaign.frozen_count == 0:
        segment_id = campaign.segment_id
        db.session.rollback()
        refresh.refresh_segment(segment_id)


def freeze_step(campaign_id: int) -> bool:
    """Make the rows of the next people, in the current unit of work; False when all have theirs or it was stopped."""
    campaign = get_required(Campaign, campaign_id, for_update=True, label="Campaign")
    if campaign.frozen_at is not None or campaign.state not in (CampaignState.RUNNING, CampaignState.PAUSED):
        return False
    people = _kept(campaign_id) if campaign.frozen_count else _keep(campaign)
    ids = people.page(campaign.frozen_count, AT_ONCE)
    if ids:
        _insert(campaign, ids)
        campaign.frozen_count += len(ids)
    if campaign.frozen_count >= campaign.segment_count:
        campaign.frozen_at = utc_now()
        kept: Any = CampaignAudience.__table__
        db.session.execute(
            delete(kept).where(kept.c.campaign_id == campaign_id, kept.c.tenant_id == campaign.tenant_id)
        )
    db.session.flush()
    return campaign.frozen_at is None


def _keep(campaign: Campaign) -> IdSet:
    people = segments.members_of(campaign.segment_id)
    campaign.segment_count = len(people)
    db.session.add_all(
        CampaignAudience(campaign_id=campaign.id, shard=shard, ids=bitmap.serialize())
        for shard, bitmap in people.shards.items()
    )
    return people


def _kept(campaign_id: int) -> IdSet:
    rows = db.session.scalars(select(CampaignAudience).where(CampaignAudience.campaign_id == campaign_id))
    return IdSet({row.shard: BitMap.deserialize(row.ids) for row in rows})


def _insert(campaign: Campaign, ids: list[int]) -> None:
    """One statement for all of them; those who are gone meanwhile get a row as well, so that the counts add up.

    The new rows are counted where they are: they have the highest ids, and handing each back would cost more than
    making it.
    """
    last = _last_id(campaign)
    db.session.execute(insert(_messages).from_select(COLUMNS, _rows(campaign, ids)))
    of_campaign = _messages.c.campaign_id + 0 if last else _messages.c.campaign_id  # a sum: to be found by their ids
    new = and_(_messages.c.id > last, of_campaign == campaign.id, _messages.c.tenant_id + 0 == campaign.tenant_id)
    by = (_messages.c.variant_id, _messages.c.state, _messages.c.reason)
    counts: Counter[tuple[int, str, str]] = Counter()
    for variant_id, state, reason, n in db.session.execute(select(*by, func.count()).where(new).group_by(*by)):
        counts[variant_id, state, reason] += n
    if counts.total() < len(ids):
        gone = sorted(set(ids) - set(db.session.scalars(select(_messages.c.profile_id).where(new))))
        _insert_gone(campaign, gone)
        counts[0, MessageState.SKIPPED, Skip.GONE] += len(gone)
    tallies.shift(
        Shift(campaign.id, variant_id, None, "", state, reason, n) for (variant_id, state, reason), n in counts.items()
    )


def _last_id(campaign: Campaign) -> int:
    """The highest id of the campaign's rows so far, by one look into an index for each state."""
    highest = (
        select(func.max(_messages.c.id).label("id")).where(
            _messages.c.campaign_id == campaign.id,
            _messages.c.state == state.value,
            _messages.c.tenant_id + 0 == campaign.tenant_id,
        )
        for state in MessageState
    )
    return db.session.scalar(select(func.max(union_all(*highest).subquery().c.id))) or 0


def _insert_gone(campaign: Campaign, ids: list[int]) -> None:
    now = utc_now()
    row = {
        "tenant_id": campaign.tenant_id, "campaign_id": campaign.id, "variant_id": 0, "channel": campaign.channel,
        "address": "", "sender": "", "state": MessageState.SKIPPED, "reason": Skip.GONE, "due_at": now, "attempts": 0,
        "segments": 0, "created_at": now,
    }  # fmt: skip
    db.session.execute(insert(_messages), [row | {"profile_id": one} for one in ids])


def _rows(campaign: Campaign, ids: list[int]) -> Select[Any]:
    """The rows as a select."""
    decided = decide(campaign, ids).subquery()
    goes, now = decided.c.reason == "", literal(utc_now(), _messages.c.due_at.type)
    return select(
        literal(campaign.tenant_id),
        literal(campaign.id),
        case((goes, _variant(campaign, decided.c.id)), else_=0),
        decided.c.id,
        literal(campaign.channel),
        func.coalesce(decided.c.phone, ""),
        literal(""),
        case((goes, MessageState.PENDING.value), else_=MessageState.SKIPPED.value),
        decided.c.reason,
        now,
        literal(0),
        literal(0),
        now,
    ).order_by(decided.c.id)


def decide(campaign: Campaign, ids: list[int]) -> Select[Any]:
    """For each person id, phone and why they are not written to, if so: reasons in the order a person would give them,
    the hold-out drawn from whoever is left. Forecasts ask the same, so they say what will happen."""
    person = _judged(campaign, ids).subquery()
    twin = func.row_number().over(partition_by=(person.c.phone, person.c.reason), order_by=person.c.id)
    placed = select(person, twin.label("place")).subquery()
    reason = case(
        (placed.c.reason != "", placed.c.reason),
        (or_(placed.c.place > 1, _is_taken(campaign, placed.c.phone)), Skip.DUPLICATE_NUMBER.value),
        (_is_held_out(campaign, placed.c.id), Skip.HOLDOUT.value),
        else_="",
    )
    return select(placed.c.id, placed.c.phone, reason.label("reason"))


def count(campaign: Campaign, ids: list[int]) -> Counter[str]:
    """How many of these people would be written to (reason "") and how many not for each reason: what `decide` says of
    a campaign that has no rows yet, asked so that the database sorts only numbers that may be twins."""
    person = _judged(campaign, ids).cte("judged")
    free = person.c.reason == ""
    nothing = literal(0)
    others = select(person.c.reason, func.count(), nothing, nothing).where(not_(free)).group_by(person.c.reason)
    firsts = select(func.min(person.c.id).label("id"), func.count().label("n")).where(free).group_by(person.c.phone)
    each = firsts.subquery()
    held = func.coalesce(func.sum(case((_is_held_out(campaign, each.c.id), 1), else_=0)), 0)
    chosen = select(literal(""), func.count(), held, func.coalesce(func.sum(each.c.n - 1), 0))
    found: Counter[str] = Counter()
    for reason, n, held_out, twins in db.session.execute(union_all(others, chosen)):
        found[reason] += int(n) - int(held_out)
        found[Skip.HOLDOUT] += int(held_out)
        found[Skip.DUPLICATE_NUMBER] += int(twins)
    return found


def _judged(campaign: Campaign, ids: list[int]) -> Select[Any]:
    """Each person with their number and the first thing that stands against writing to them.

    The sum keeps SQLite from reading all of the tenant's people by an index instead of these by their ids.
    """
    tenant_id, channel = campaign.tenant_id, campaign.channel
    agreed = and_(
        _consents.c.profile_id == _people.c.id, _consents.c.channel == channel, _consents.c.tenant_id == tenant_id
    )
    marked = and_(
        _suppressed.c.tenant_id == tenant_id,
        _suppressed.c.channel == channel,
        _suppressed.c.address == _people.c.phone,
    )
    denied, stopped = _consents.c.state == "denied", _suppressed.c.reason == Skip.STOP.value
    reasons: list[tuple[Any, Any]] = [
        (func.coalesce(_people.c.phone, "") == "", Skip.NO_PHONE.value),
        (or_(stopped, and_(denied, _consents.c.source.in_(("stop", "carrier")))), Skip.STOP.value),
        (func.coalesce(_consents.c.state, "unknown") != "granted", Skip.NO_CONSENT.value),
        (_suppressed.c.address.is_not(None), Skip.BAD_NUMBER.value),
        *((_is_reached(cap, channel), Skip.CAP_REACHED.value) for cap in caps_of(campaign)),
    ]
    return (
        select(_people.c.id, _people.c.phone, case(*reasons, else_="").label("reason"))
        .select_from(_people.outerjoin(_consents, agreed).outerjoin(_suppressed, marked))
        .where(_people.c.tenant_id + 0 == tenant_id, _people.c.merged_into_id.is_(None), _people.c.id.in_(ids_in(ids)))
    )


def caps_of(campaign: Campaign) -> list[rules.Cap]:
    """The caps that hold for this campaign."""
    if not campaign.keeps_caps:
        return []
    return [cap for cap in rules.load().caps if cap.channel == campaign.channel]


def _is_reached(cap: rules.Cap, channel: str) -> ColumnElement[bool]:
    sent = (
        select(func.count())
        .select_from(_messages)
        .where(
            _messages.c.profile_id == _people.c.id,
            _messages.c.channel == channel,
            _messages.c.sent_at >= utc_now() - timedelta(days=cap.days),
            _messages.c.tenant_id + 0 == current_tenant_id(),  # the sum: to be found by the person, not the tenant
        )
    )
    return sent.scalar_subquery() >= cap.most


def _is_taken(campaign: Campaign, phone: Any) -> ColumnElement[bool]:
    """Whether the number has its row in this campaign already; worded as the index that answers it is."""
    return exists().where(
        _messages.c.campaign_id == campaign.id,
        _messages.c.campaign_id.is_not(None),
        _messages.c.state != literal_column("'skipped'"),
        _messages.c.address != literal_column("''"),
        _messages.c.address == phone,
    )


def _is_held_out(campaign: Campaign, person_id: Any) -> ColumnElement[bool]:
    share = round(campaign.holdout_percent * FINEST / 100)
    if share <= 0:
        return not_(literal(True))
    found: ColumnElement[bool] = bucket_of(cast(person_id, BigInteger), f"holdout:{campaign.uuid}") < share
    return found


def _variant(campaign: Campaign, person_id: Any) -> Any:
    """Which text a person gets: drawn by the campaign, in proportion to the weights."""
    variants = list_variants(campaign.id)
    if len(variants) == 1:
        return literal(variants[0].id)
    total, bucket = sum(one.weight for one in variants), bucket_of(cast(person_id, BigInteger), campaign.uuid)
    choices, through = [], 0
    for one in variants[:-1]:
        through += one.weight
        choices.append((bucket < round(through * FINEST / total), one.id))
    return case(*choices, else_=variants[-1].id)


def list_variants(campaign_id: int) -> list[CampaignVariant]:
    """The campaign's texts in the order of their labels."""
    statement = select(CampaignVariant).where(CampaignVariant.campaign_id == campaign_id)
    return list(db.session.scalars(statement.order_by(CampaignVariant.label)))
