"""Freezing who a campaign writes to, and giving up the rest of one that was cancelled."""

from __future__ import annotations

from sqlalchemy import select

from app.core.clock import utc_now
from app.core.db import db, get_required, unit_of_work
from app.core.jobs import Queue, enqueue, job
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.models import Campaign, CampaignState
from app.messaging.services import campaigns, lanes, recipients, sending, troubles

NOT_STARTED = (
    "A fault of ours kept it from starting, and nobody was written to. Resume it; if it fails again, tell support."
)


NOT_GATHERED = (
    "Its people could not be gathered, for a fault of ours. Whoever was not written to yet waits. "
    "Resume it; if it fails again, tell support."
)


def _not_frozen(error: str, campaign_id: int) -> None:
    campaigns.fail(campaign_id, NOT_GATHERED)


@job("messaging.freeze", queue=Queue.DEFAULT, max_attempts=10, timeout=3600, on_failure=_not_frozen)
def freeze(campaign_id: int) -> None:
    """Make a row for everyone of the segment; goes on where it stopped. Sending begins with the first rows."""
    recipients.renew(campaign_id)
    goes_on = True
    while goes_on:
        with unit_of_work():
            goes_on = recipients.freeze_step(campaign_id)
        sending.wake()
        row = get_required(Campaign, campaign_id)
        done, total = row.frozen_count, row.segment_count
        db.session.rollback()
        progress(done, max(total, done + goes_on), f"{done:,} people")


@job("messaging.cancel_rest", queue=Queue.DEFAULT, max_attempts=10, timeout=3600)
def cancel_rest(campaign_id: int) -> None:
    """Cancel what still waits of a cancelled campaign."""
    goes_on = True
    while goes_on:
        with unit_of_work():
            goes_on = lanes.cancel_some(campaign_id) > 0


@job("messaging.wake_senders", queue=Queue.CRITICAL)
def wake_senders() -> None:
    """Sending goes on at once where a campaign was resumed."""
    sending.wake()


@periodic("messaging.launch_due", every_seconds=5)
def launch_due() -> None:
    """Across tenants: start scheduled campaigns whose time has come; one that cannot start has failed, says why, and
    keeps no other waiting."""
    with platform_scope():
        rows = db.session.execute(
            select(Campaign.id, Campaign.tenant_id)
            .where(Campaign.state == CampaignState.SCHEDULED, Campaign.schedule_at <= utc_now())
            .order_by(Campaign.schedule_at)
            .limit(200)
        ).all()
        db.session.rollback()
    for campaign_id, tenant_id in rows:
        with tenant_scope(tenant_id):
            _launch(campaign_id)


def _launch(campaign_id: int) -> None:
    def tell(error: Exception) -> None:
        with unit_of_work():
            campaigns.fail(campaign_id, troubles.reason_of(error, campaign_id, NOT_STARTED))

    with troubles.told(tell), unit_of_work():
        campaigns.launch_due(campaign_id)


@periodic("messaging.tidy_cancelled", every_seconds=60)
def tidy_cancelled() -> None:
    """Across tenants: what came back to a campaign after it was cancelled (a worker gave it back, a look-up found that
    it never left) is cancelled with it."""
    with platform_scope():
        rows = db.session.execute(lanes.cancelled_with_rest()).all()
        db.session.rollback()
    for campaign_id, tenant_id in rows:
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("messaging.cancel_rest", unique_key=f"messaging.cancel_rest:{campaign_id}", campaign_id=campaign_id)
