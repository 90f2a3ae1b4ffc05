"""When too many of a campaign's messages fail: noted, told, and the campaign paused where the rules say so."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.core.activity import list_activity, record_activity
from app.core.clock import utc_now
from app.core.db import db, find_row
from app.core.formats import number
from app.messaging.models import Campaign, CampaignAlarm, CampaignState
from app.messaging.queries import deliveries
from app.messaging.queries.deliveries import Totals
from app.messaging.services import campaigns, reporting, rules, slack_alerts, words
from app.messaging.services.delivery_counts import bucket_of

WINDOW = timedelta(minutes=10)
QUIET = timedelta(hours=1)  # a campaign raises no second alarm before this has passed
SHOWN = 20


def check(campaign_id: int) -> CampaignAlarm | None:
    """Raise an alarm for a running campaign, in the current unit of work, when there is reason to.

    Looked at is what happened in the last ten minutes, to whole five minutes. The row is locked, so two checks at once
    raise one.
    """
    campaign = campaigns.get(campaign_id, for_update=True)
    now, limits = utc_now(), rules.load()
    if campaign.state != CampaignState.RUNNING or (campaign.alarmed_at and campaign.alarmed_at > now - QUIET):
        return None
    found = deliveries.totals(bucket_of(now - WINDOW), None, campaign.id)
    if found.ended < limits.alarm_least or 100 * found.lost <= limits.alarm_percent * found.ended:
        return None
    return _raise(campaign, found, pauses=limits.alarm_pauses)


def _raise(campaign: Campaign, found: Totals, *, pauses: bool) -> CampaignAlarm:
    top = max(found.reasons, key=lambda reason: found.reasons[reason])
    row = CampaignAlarm(campaign_id=campaign.id, failed=found.lost, total=found.ended, top_error=top)
    campaign.alarmed_at = utc_now()
    db.session.add(row)
    db.session.flush()
    url = _url(campaign)
    if pauses:
        campaigns.pause_by_itself(campaign.id, sentence(row))  # says so itself, in the bell and to whoever listens
    else:
        title = f"Many messages of {campaign.name} fail"
        record_activity("campaign", title, sentence(row), url, is_failure=True)
        slack_alerts.tell_newest(url)
    return row


def sentence(alarm: CampaignAlarm) -> str:
    """`62 of the last 100 failed (62.0 %), most often: number is no good.`"""
    share = 100 * alarm.failed / alarm.total if alarm.total else 0.0
    label = words.of_failure(alarm.top_error).label
    return (
        f"{number(alarm.failed)} of the last {number(alarm.total)} failed ({share:.1f} %), "
        f"most often: {label[:1].lower()}{label[1:]}."
    )


def list_alarms(campaign_id: int) -> list[CampaignAlarm]:
    """The campaign's last alarms, the newest first."""
    statement = select(CampaignAlarm).where(CampaignAlarm.campaign_id == campaign_id)
    return list(db.session.scalars(statement.order_by(CampaignAlarm.id.desc()).limit(SHOWN)))


def tell_of_move(campaign_id: int, state: str) -> None:
    """Have it told in Slack that a campaign paused or stopped by itself, could not start, or is done, with its figures;
    that it is done, in the bell as well. Of the rest the bell knows already."""
    campaign = find_row(Campaign, campaign_id)
    if campaign is None or campaign.state != state:
        return
    is_by_itself = state == CampaignState.FAILED or (state == CampaignState.PAUSED and campaign.pause_reason)
    if is_by_itself:
        slack_alerts.tell_newest(_url(campaign))
    elif state == CampaignState.COMPLETED:
        _tell_done(campaign)


def _tell_done(campaign: Campaign) -> None:
    title, url = f"{campaign.name} is done", f"{_url(campaign)}/report"
    if any(line.title == title for line in list_activity(url=url)):
        return
    record_activity("campaign", title, result_of(campaign), url)
    slack_alerts.tell_newest(url)


def result_of(campaign: Campaign) -> str:
    """`950 of 1,000 messages delivered (95.0 %), 50 failed.`"""
    summary = reporting.summary_of(campaign)
    if not summary.sent:
        return "Nobody was written to."
    share = 100 * summary.delivered / summary.sent
    text = f"{number(summary.delivered)} of {number(summary.sent)} messages delivered so far ({share:.1f} %)"
    return f"{text}, {number(summary.failed)} failed." if summary.failed else f"{text}."


def _url(campaign: Campaign) -> str:
    return f"/app/campaigns/{campaign.id}"
