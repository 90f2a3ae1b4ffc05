"""A campaign as it goes: how far it is and how fast, who sleeps, what is left; each part asks for itself again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, render_template

from app.accounts.guards import current_tenant, may, require_permission
from app.core.clock import utc_now
from app.messaging.models import Campaign, CampaignState, MessageChannel, MessageState
from app.messaging.pages import campaign_view
from app.messaging.pages.template_view import price
from app.messaging.queries import campaign_log, campaign_minutes
from app.messaging.queries import campaigns as queries
from app.messaging.queries.campaigns import Row
from app.messaging.services import accounts, campaigns, forecasts, held_people, rules

bp = Blueprint("campaign_now_pages", __name__, url_prefix="/app/campaigns/<int:campaign_id>")


@bp.get("/live")
@require_permission("messaging.read")
def live(campaign_id: int) -> str:
    """The part that moves while it sends."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_run.html", **common(row), **run_context(row))


@bp.get("/minutes")
@require_permission("messaging.read")
def minutes(campaign_id: int) -> str:
    """The numbers the chart of what was sent a minute is drawn from."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_minutes.html", **common(row), **minutes_context(row))


@bp.get("/held")
@require_permission("messaging.read")
def held(campaign_id: int) -> str:
    """Whose night it is, by where they are."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_held.html", **common(row), **held_context(row))


def common(row: Row) -> dict[str, Any]:
    """What every part of a campaign's pages needs."""
    in_force, one = rules.load(), row.campaign
    return {
        "row": row, "campaign": one, "figures": row.figures, "can_send": may("messaging.send"),
        "can_write": may("messaging.write"), "url": f"/app/campaigns/{one.id}",
        "quiet": (one.quiet_start or in_force.quiet_start, one.quiet_end or in_force.quiet_end),
        "caps": [cap for cap in in_force.caps if cap.channel == one.channel] if one.keeps_caps else [],
        "is_live": campaign_view.is_live(one.state, row.figures), "is_sms": one.channel == MessageChannel.SMS,
        "zone": current_tenant().timezone or "UTC", "price": price,
        **campaign_view.FUNCTIONS,
    }  # fmt: skip


def whole(row: Row) -> dict[str, Any]:
    """Everything of a run that moves."""
    return run_context(row) | minutes_context(row) | held_context(row)


def run_context(row: Row) -> dict[str, Any]:
    campaign, figures = row.campaign, row.figures
    rate = _rate_of(row)
    retries, retried_at = campaign_log.find_retries(campaign.id) if figures.waiting > figures.held else (0, None)
    left = max(0, figures.waiting - figures.held - retries)
    pace = rate or campaign.rate_per_second
    return {
        "bar": campaign_view.bar_of(figures), "rate": rate, "left": left, "retries": retries, "retried_at": retried_at,
        "ends_at": forecasts.remaining(left, pace) if campaign.state == CampaignState.RUNNING else None,
        "skips": campaign_view.reasons_of_skips(dict(figures.reasons((MessageState.SKIPPED,)))),
        "failures": campaign_view.reasons_of_failures(
            dict(figures.reasons((MessageState.FAILED, MessageState.UNDELIVERED)))
        ),
        "pausing": campaign_view.what_pausing_means(figures),
        "cancelling": campaign_view.what_cancelling_means(figures, campaign.state),
    }  # fmt: skip


def minutes_context(row: Row) -> dict[str, Any]:
    """Up to now while it runs, else up to what left last."""
    campaign = row.campaign
    since = campaign.started_at or campaign.created_at
    until = utc_now() if campaign.state == CampaignState.RUNNING else None
    found = campaign_minutes.last_minutes(campaign.id, since, until)
    return {
        "minutes": [(campaign_view.minute_of(at), n) for at, n in found], "pace_a_minute": _pace(campaign) * 60,
        "last_at": found[-1][0] if found else None,
    }  # fmt: skip


def _pace(campaign: Campaign) -> float:
    """Messages a second the campaign and its sender allow; 0 where neither says so."""
    sender = accounts.find_sender(campaign.channel, campaign.sender_id)
    return min((one for one in (campaign.rate_per_second, sender.per_second if sender else 0.0) if one), default=0.0)


def held_context(row: Row) -> dict[str, Any]:
    lines, more = held_people.list_held(row.campaign, row.figures.held) if row.figures.held else ([], 0)
    return {"held": lines, "held_later": more}


def _rate_of(row: Row) -> float:
    """Messages a second over the last half minute, or since the start when that is less ago; on average of all the
    time it took once it is over."""
    campaign = row.campaign
    if campaign.started_at is None:
        return 0.0
    if campaign.completed_at is not None:
        return row.figures.handed_over / max(1.0, (campaign.completed_at - campaign.started_at).total_seconds())
    if campaign.state != CampaignState.RUNNING:
        return 0.0
    return campaign_log.count_lately(campaign.id) / _seconds_since(campaign.started_at)


def _seconds_since(moment: datetime) -> float:
    lasted = (utc_now() - moment) / timedelta(seconds=1)
    return max(1.0, min(float(campaign_log.RATE_SECONDS), lasted))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
