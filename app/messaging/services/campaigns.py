"""Campaigns: drafted, scheduled, started, paused, ended; one table says what may follow what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import column, func, select, table

from app.accounts.services import audit
from app.cdp.services import segments
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import EntitlementExceeded, InvalidTransition, NotFound
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.messaging.events import CampaignMoved
from app.messaging.models import (
    EDITABLE,
    ENDED,
    TRANSITIONS,
    Campaign,
    CampaignState,
)
from app.messaging.services import campaign_parts as parts
from app.messaging.services import campaign_rules as rules
from app.messaging.services import links, tallies
from app.messaging.services.campaign_rules import CampaignIn, VariantIn
from app.messaging.services.recipients import list_variants

_tenants = table("tenants", *map(column, ("id", "max_campaigns")))


def create(wanted: CampaignIn, *, user_id: int | None = None, uuid: str | None = None) -> Campaign:
    """A draft, or a scheduled campaign when it has a time. `uuid` is the maker's own: a form sent twice is one."""
    _refuse_too_many()
    row = Campaign(created_by=user_id, segment_id=wanted.segment_id, name="", state=CampaignState.DRAFT)
    if uuid is not None:
        row.uuid = uuid
    values, versions = parts.checked(wanted)
    _set(row, values)
    row.state = CampaignState.SCHEDULED if row.schedule_at else CampaignState.DRAFT
    db.session.add(row)
    db.session.flush()
    parts.set_variants(row, wanted.variants, versions)
    audit.record("campaign.created", row, after={"name": row.name, "segment": row.segment_id, "state": row.state})
    _tell(row)
    return row


def update(campaign_id: int, wanted: CampaignIn) -> Campaign:
    """Change a draft or a scheduled campaign; nothing else can be changed."""
    row = get(campaign_id, for_update=True)
    if row.state not in EDITABLE:
        raise InvalidTransition(f"A campaign that is {row.state} cannot be changed. Make a copy of it.")
    values, versions = parts.checked(wanted)
    before, after = audit.changed(row, values)
    row.state = CampaignState.SCHEDULED if row.schedule_at else CampaignState.DRAFT
    for old in list_variants(row.id):
        db.session.delete(old)
    db.session.flush()
    parts.set_variants(row, wanted.variants, versions)
    if after:
        audit.record("campaign.changed", row, before=before, after=after)
    _tell(row)
    return row


def get(campaign_id: int, *, for_update: bool = False) -> Campaign:
    return get_required(Campaign, campaign_id, for_update=for_update, label="Campaign")


def get_by_uuid(uuid: str, *, for_update: bool = False) -> Campaign:
    """The campaign by the id the messaging contract gives it."""
    statement = select(Campaign.id).where(Campaign.uuid == uuid)
    found = db.session.scalar(statement)
    if found is None:
        raise NotFound("Campaign not found.")
    return get(found, for_update=for_update)


def launch(campaign_id: int, *, user_id: int | None = None) -> Campaign:
    """Start sending: whoever is in the segment now is written to. Refused where it could not work; twice is once. One
    that failed after its start goes on where it stopped."""
    row = get(campaign_id, for_update=True)
    _check_move(row, CampaignState.RUNNING)
    if row.started_at is not None and row.state == CampaignState.FAILED:
        return _go_on(row)
    if row.started_at is not None:
        raise InvalidTransition("It was started already. Resume it.", provided=row.state, expected=list(EDITABLE))
    versions = parts.versions_of(row)
    parts.refuse_unsendable(row, versions)
    links.prepare(row.id, [one.content for one in versions])
    row.started_at, row.schedule_at, row.error = utc_now(), None, ""
    _move(row, CampaignState.RUNNING, "campaign.launched")
    enqueue("messaging.freeze", unique_key=f"messaging.freeze:{row.id}", label=f"Send {row.name}"[:200],
            url=f"/app/campaigns/{row.id}", campaign_id=row.id)  # fmt: skip
    return row


def pause(campaign_id: int, reason: str = "") -> Campaign:
    """Stop sending for now; what is in the air is not called back."""
    row = get(campaign_id, for_update=True)
    _check_move(row, CampaignState.PAUSED)
    row.paused_at, row.pause_reason = utc_now(), reason
    return _move(row, CampaignState.PAUSED, "campaign.paused")


def pause_by_itself(campaign_id: int, reason: str) -> None:
    """Pause a campaign that cannot go on, and say so; one that does not run is left alone."""
    row = get(campaign_id, for_update=True)
    if row.state == CampaignState.RUNNING:
        pause(campaign_id, reason)
        record_activity("campaign", f"{row.name} was paused", reason, f"/app/campaigns/{row.id}", is_failure=True)


def resume(campaign_id: int) -> Campaign:
    """Go on sending where it stopped."""
    row = get(campaign_id, for_update=True)
    if row.state not in (CampaignState.PAUSED, CampaignState.FAILED):
        raise InvalidTransition(f"A campaign that is {row.state} cannot be resumed.")
    return _go_on(row) if row.started_at is not None else launch(campaign_id)


def cancel(campaign_id: int) -> Campaign:
    """End it for good: whoever was not written to by now is not written to. One that is over, as long as something of
    it is to be tried again; when it was over stays."""
    row = get(campaign_id, for_update=True)
    _check_move(row, CampaignState.CANCELLED)
    if row.state == CampaignState.COMPLETED and not tallies.count_open(row.id):
        raise InvalidTransition("It is over. Nothing of it waits to be tried again.", provided=row.state, expected=[])
    row.completed_at, row.schedule_at = row.completed_at or utc_now(), None
    enqueue("messaging.cancel_rest", unique_key=f"messaging.cancel_rest:{row.id}", campaign_id=row.id)
    return _move(row, CampaignState.CANCELLED, "campaign.cancelled")


def unschedule(campaign_id: int) -> Campaign:
    """Back to a draft."""
    row = get(campaign_id, for_update=True)
    _check_move(row, CampaignState.DRAFT)
    row.schedule_at = None
    return _move(row, CampaignState.DRAFT, "campaign.unscheduled")


def schedule(campaign_id: int, at: datetime) -> Campaign:
    """Start it by itself at a time to come; a scheduled one may be moved to another time."""
    row = get(campaign_id, for_update=True)
    if row.state != CampaignState.SCHEDULED:
        _check_move(row, CampaignState.SCHEDULED)
    row.schedule_at = rules.schedule(at)
    return _move(row, CampaignState.SCHEDULED, "campaign.scheduled")


def duplicate(campaign_id: int, *, user_id: int | None = None) -> Campaign:
    """A draft with the same settings, the newest version of each template, and no time."""
    row = get(campaign_id)
    wanted = replace(as_given(row), name=f"{row.name[:190]}, copy", schedule_at=None)
    copy = create(wanted, user_id=user_id)
    copy.copied_from_id = row.id
    return copy


def as_given(row: Campaign) -> CampaignIn:
    """A campaign as one would ask for it again."""
    return CampaignIn(
        name=row.name, description=row.description, segment_id=row.segment_id,
        variants=[VariantIn(parts.template_of(one), one.weight) for one in list_variants(row.id)],
        sender_id=row.sender_id, schedule_at=row.schedule_at, rate_per_second=row.rate_per_second or None,
        quiet_start=row.quiet_start or None, quiet_end=row.quiet_end or None, keeps_caps=row.keeps_caps,
        holdout_percent=row.holdout_percent, tracks_links=row.tracks_links, goal_event=row.goal_event,
        goal_days=row.goal_days,
    )  # fmt: skip


def delete(campaign_id: int) -> None:
    """Forget a campaign that never sent anything."""
    row = get(campaign_id, for_update=True)
    if row.started_at is not None:
        raise InvalidTransition("A campaign that was started stays, with what it sent.")
    audit.record("campaign.deleted", row, before={"name": row.name})
    db.session.delete(row)
    db.session.flush()


def launch_due(campaign_id: int) -> None:
    """Start a scheduled campaign whose time has come; raises what keeps it from starting."""
    row = get(campaign_id, for_update=True)
    if row.state != CampaignState.SCHEDULED or row.schedule_at is None or row.schedule_at > utc_now():
        return
    launch(campaign_id)


def fail(campaign_id: int, reason: str) -> None:
    """A campaign that could not start, or whose people could not be gathered, has failed and says why; one that is
    neither scheduled nor running is left alone."""
    row = get(campaign_id, for_update=True)
    if CampaignState.FAILED not in TRANSITIONS[CampaignState(row.state)]:
        return
    what = "has stopped" if row.state == CampaignState.RUNNING else "could not start"
    row.error = reason
    _move(row, CampaignState.FAILED, "campaign.failed")
    record_activity("campaign", f"{row.name} {what}", reason, f"/app/campaigns/{row.id}", is_failure=True)


def _set(row: Campaign, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def find_by_uuid(uuid: str) -> Campaign | None:
    """The acting tenant's campaign of this id, if it is there."""
    return db.session.scalars(select(Campaign).where(Campaign.uuid == uuid)).one_or_none()


def _go_on(row: Campaign) -> Campaign:
    row.paused_at, row.pause_reason, row.error = None, "", ""
    _move(row, CampaignState.RUNNING, "campaign.resumed")
    if row.frozen_at is None:
        enqueue("messaging.freeze", unique_key=f"messaging.freeze:{row.id}", label=f"Send {row.name}"[:200],
                url=f"/app/campaigns/{row.id}", campaign_id=row.id)  # fmt: skip
    enqueue("messaging.wake_senders", unique_key="messaging.wake_senders")
    return row


def _check_move(row: Campaign, to: CampaignState) -> None:
    if to not in TRANSITIONS[CampaignState(row.state)]:
        raise InvalidTransition(f"A campaign that is {row.state} cannot become {to}.", provided=row.state,
                                expected=sorted(TRANSITIONS[CampaignState(row.state)]))  # fmt: skip


def _move(row: Campaign, to: CampaignState, said: str) -> Campaign:
    before, row.state = row.state, to
    audit.record(said, row, before={"state": before}, after={"state": to})
    db.session.flush()
    _tell(row)
    return row


def _tell(row: Campaign) -> None:
    emit(CampaignMoved(row.tenant_id, row.id, row.uuid, row.name, row.state))


def _refuse_too_many() -> None:
    most = db.session.scalar(select(_tenants.c.max_campaigns).where(_tenants.c.id == current_tenant_id()))
    if most is None:
        return
    live = db.session.scalar(select(func.count(Campaign.id)).where(Campaign.state.not_in(ENDED))) or 0
    if live >= most:
        raise EntitlementExceeded(f"Your plan has room for {most:,} campaigns that are not over.", limit=most)


@segments.register_user
def name_users_of_segment(segment_id: int) -> Iterable[str]:
    """Campaigns that still need a segment: it cannot be deleted."""
    rows = db.session.execute(select(Campaign.name).where(Campaign.segment_id == segment_id).limit(5))
    return [f"campaign {row.name}" for row in rows]
