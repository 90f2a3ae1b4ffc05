"""What a lost message asks for besides being counted: consent withdrawn, a number marked, a campaign paused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import column, select, table, true
from sqlalchemy.dialects import postgresql, sqlite

from app.cdp.queries.lists import ids_in, is_sqlite
from app.cdp.services.consent import Statement
from app.core.activity import record_activity
from app.core.db import db
from app.core.events import emit
from app.core.tenancy import current_tenant_id
from app.messaging.events import CampaignMoved
from app.messaging.models import Campaign, CampaignState, Skip, Suppression
from app.messaging.providers.errors import Reaction, Remedy
from app.messaging.services import opt_outs
from app.messaging.services.receipt_rules import Fate

OF_THE_CAMPAIGN = (Reaction.CONFIGURE, Reaction.PAUSE)
OF_THE_ACCOUNT = (Reaction.STOP, Reaction.RECONNECT)  # every message of the tenant would meet the same
_suppressed: Any = Suppression.__table__
_people = table("profiles", column("id"), column("tenant_id"), column("merged_into_id"))


@dataclass(frozen=True)
class Loss:
    """A message that will not arrive, and why."""

    fate: Fate
    remedy: Remedy
    code: int | None
    sid: str


def react(fates: Iterable[Fate], at: datetime) -> None:
    """Do what the errors of these messages ask for, in a fixed number of statements."""
    losses = [Loss(fate, *failure) for fate in fates for failure in fate.failures]
    if losses:
        _withdraw([one for one in losses if one.remedy.reaction == Reaction.SUPPRESS], at)
        _mark([one for one in losses if one.remedy.reaction == Reaction.MARK_NUMBER], at)
        _pause(losses, at)


def _withdraw(losses: Sequence[Loss], at: datetime) -> None:
    """The carrier says that they want nothing from us: consent is withdrawn, with the code as evidence."""
    there = _lock({one.fate.profile_id for one in losses if one.fate.profile_id is not None})
    statements = [
        Statement(one.fate.profile_id, one.fate.channel, "denied", opt_outs.CARRIER, at,
                  {"code": one.code, "sid": one.sid, "number": one.fate.address})
        for one in losses
        if one.fate.profile_id in there
    ]  # fmt: skip
    opt_outs.withdraw_many(statements, _by_channel(losses), at)


def _lock(profile_ids: set[int]) -> set[int]:
    """Those who are still there, kept from being merged or erased until the commit."""
    if not profile_ids:
        return set()
    statement = (
        select(_people.c.id)
        .where(
            _people.c.tenant_id == current_tenant_id(),
            _people.c.id.in_(ids_in(sorted(profile_ids))),
            _people.c.merged_into_id.is_(None),
        )
        .order_by(_people.c.id + 0)
        .with_for_update()
    )
    return set(db.session.scalars(statement))


def _mark(losses: Sequence[Loss], at: datetime) -> None:
    """Nobody can be reached at these numbers: they are not tried again, by no campaign."""
    numbers = {(one.fate.channel, one.fate.address): one for one in losses if one.fate.address}
    if not numbers:
        return
    rows = [
        {"tenant_id": current_tenant_id(), "channel": channel, "address": address, "code": one.code,
         "reason": Skip.BAD_NUMBER.value, "at": at}
        for (channel, address), one in sorted(numbers.items())
    ]  # fmt: skip
    make = sqlite.insert if is_sqlite() else postgresql.insert
    db.session.connection().execute(make(_suppressed).on_conflict_do_nothing(), rows)
    for channel, addresses in _by_channel(losses).items():
        opt_outs.skip_pending(channel, addresses, (), Skip.BAD_NUMBER, at)


def _by_channel(losses: Sequence[Loss]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in losses:
        if one.fate.address:
            found.setdefault(one.fate.channel, []).append(one.fate.address)
    return found


def _pause(losses: Sequence[Loss], at: datetime) -> None:
    """Pause what would meet the same error with its next message, and say why."""
    reasons = {
        one.fate.campaign_id: one.remedy.words
        for one in losses
        if one.remedy.reaction in OF_THE_CAMPAIGN and one.fate.campaign_id is not None
    }
    for_all = next((one.remedy.words for one in losses if one.remedy.reaction in OF_THE_ACCOUNT), "")
    if not reasons and not for_all:
        return
    meant = true() if for_all else Campaign.id.in_(ids_in(reasons))
    statement = select(Campaign).where(Campaign.state == CampaignState.RUNNING, meant)
    for campaign in db.session.scalars(
        statement.order_by(Campaign.id).with_for_update().execution_options(populate_existing=True)
    ):
        campaign.state, campaign.paused_at = CampaignState.PAUSED, at
        campaign.pause_reason = for_all or reasons[campaign.id]
        record_activity("campaign", f"{campaign.name} was paused", campaign.pause_reason,
                        f"/app/campaigns/{campaign.id}", is_failure=True)  # fmt: skip
        emit(CampaignMoved(campaign.tenant_id, campaign.id, campaign.uuid, campaign.name, campaign.state))
    db.session.flush()
