"""Watching running campaigns, and telling Slack what people should know."""

from __future__ import annotations

from sqlalchemy import select

from app.core.db import db, unit_of_work
from app.core.errors import ProviderFailed
from app.core.events import subscribe
from app.core.jobs import Queue, job
from app.core.logs import get_logger
from app.core.schedule import periodic
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.events import CampaignMoved
from app.messaging.models import Campaign, CampaignState
from app.messaging.services import alarms, slack_alerts, troubles

log = get_logger()


@periodic("messaging.watch_campaigns", every_seconds=60)
def watch_campaigns() -> None:
    """Across tenants: look at each running campaign's last ten minutes, whatever goes wrong with another. A few small
    statements for each."""
    with platform_scope():
        statement = select(Campaign.id, Campaign.tenant_id).where(Campaign.state == CampaignState.RUNNING)
        rows = db.session.execute(statement).all()
        db.session.rollback()
    for campaign_id, tenant_id in rows:
        with tenant_scope(tenant_id):
            _check(campaign_id)


def _check(campaign_id: int) -> None:
    def tell(error: Exception) -> None:
        log.error("campaign_not_watched", campaign_id=campaign_id, exc_info=error)

    with troubles.told(tell), unit_of_work():
        alarms.check(campaign_id)


@subscribe(CampaignMoved)
def tell_of_move(moved: CampaignMoved) -> None:
    """Heard of again after a crash, a pause may be told twice in Slack; better than not at all."""
    with unit_of_work():
        alarms.tell_of_move(moved.campaign_id, moved.state)


@job("messaging.tell_slack", queue=Queue.DEFAULT, max_attempts=5, timeout=60)
def tell_slack(activity_id: int) -> None:
    """Post a line of the bell. What is the matter with the webhook is noted for the settings page; it is tried again
    unless the webhook is gone."""
    try:
        slack_alerts.send(activity_id)
    except ProviderFailed as failure:
        with unit_of_work():
            slack_alerts.note_error(failure.message)
        raise
    with unit_of_work():
        slack_alerts.note_error("")
