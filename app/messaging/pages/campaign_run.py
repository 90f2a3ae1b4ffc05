"""One campaign: how it goes while it goes, why some are left out, its messages one by one, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, render_template, request, stream_with_context

from app.accounts.guards import current_tenant, current_user, may, require_permission
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to, is_htmx
from app.core.http import int_argument
from app.messaging.models import EDITABLE, Campaign, CampaignState, MessageChannel, MessageState
from app.messaging.pages import campaign_form, campaign_view
from app.messaging.pages.template_view import plain_error, price
from app.messaging.queries import campaign_log
from app.messaging.queries import campaigns as queries
from app.messaging.queries.campaign_log import Cursor, Wanted
from app.messaging.queries.campaigns import Row
from app.messaging.services import campaign_exports, campaigns, forecasts, phones, reporting, rules, trials

bp = Blueprint("campaign_run_pages", __name__, url_prefix="/app/campaigns/<int:campaign_id>")
TOLD = (400, 402, 409, 422)  # refusals that are told on the page


@bp.get("")
@require_permission("messaging.read")
def show(campaign_id: int) -> str:
    """A draft or scheduled campaign shows what it would do, a started one what it does."""
    row = queries.row_of(campaigns.get(campaign_id))
    if row.campaign.state in EDITABLE or row.campaign.started_at is None:
        return render_template("messaging/campaign_draft.html", **_common(row), **_foretold(row))
    return render_template("messaging/campaign.html", **_common(row), **_run(row), **_results(row), **_log(row))


@bp.get("/live")
@require_permission("messaging.read")
def live(campaign_id: int) -> str:
    """The part that moves while it sends."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_run.html", **_common(row), **_run(row))


@bp.get("/results")
@require_permission("messaging.read")
def results(campaign_id: int) -> str:
    """What its texts and links brought."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_results.html", **_common(row), **_results(row))


@bp.get("/messages")
@require_permission("messaging.read")
def messages(campaign_id: int) -> str:
    """The log: by state, reason, text and person, page by page."""
    row = queries.row_of(campaigns.get(campaign_id))
    name = "_campaign_log.html" if is_htmx() else "campaign_log.html"
    return render_template(f"messaging/{name}", **_common(row), **_log(row))


@bp.get("/messages.csv")
@require_permission("messaging.read")
def export(campaign_id: int) -> Response:
    """Everything the filters leave, sent while it is read."""
    campaign = campaigns.get(campaign_id)
    lines = campaign_exports.as_csv(current_tenant().id, campaign.id, _wanted())
    response = Response(stream_with_context(lines), mimetype="text/csv")
    name = f"campaign-{campaign.id}-{utc_now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.post("/launch")
@require_permission("messaging.send")
def launch(campaign_id: int) -> Response:
    return _act(campaign_id, lambda: campaigns.launch(campaign_id, user_id=current_user().id), "It is on its way.")


@bp.post("/pause")
@require_permission("messaging.send")
def pause(campaign_id: int) -> Response:
    return _act(campaign_id, lambda: campaigns.pause(campaign_id), "Paused. What was on its way arrives.")


@bp.post("/resume")
@require_permission("messaging.send")
def resume(campaign_id: int) -> Response:
    return _act(campaign_id, lambda: campaigns.resume(campaign_id), "It goes on where it stopped.")


@bp.post("/cancel")
@require_permission("messaging.send")
def cancel(campaign_id: int) -> Response:
    return _act(campaign_id, lambda: campaigns.cancel(campaign_id), "Cancelled. Nobody else is written to.")


@bp.post("/unschedule")
@require_permission("messaging.send")
def unschedule(campaign_id: int) -> Response:
    return _act(campaign_id, lambda: campaigns.unschedule(campaign_id), "It is a draft again and starts by nobody.")


@bp.post("/duplicate")
@require_permission("messaging.write")
def duplicate(campaign_id: int) -> Response:
    campaigns.get(campaign_id)
    made: list[int] = []
    return _act(
        campaign_id, lambda: made.append(campaigns.duplicate(campaign_id, user_id=current_user().id).id),
        "A copy is made, as a draft.", lambda: f"/app/campaigns/{made[0]}/edit",
    )  # fmt: skip


@bp.post("/delete")
@require_permission("messaging.write")
def delete(campaign_id: int) -> Response:
    """Only what never sent anything."""
    name = campaigns.get(campaign_id).name
    return _act(campaign_id, lambda: campaigns.delete(campaign_id), f"{name} is deleted.", lambda: "/app/campaigns")


@bp.post("/test")
@require_permission("messaging.send")
def send_test(campaign_id: int) -> Response:
    """One of its texts to one phone."""
    campaigns.get(campaign_id)
    variant = request.form.get("variant", "")
    variant_id = int(variant) if variant.isascii() and variant.isdecimal() and len(variant) < 10 else None

    def act() -> None:
        trials.send(campaign_id, phones.read(request.form.get("phone", ""), "phone"), variant_id)

    return _act(campaign_id, act, "The test is on its way to the phone.")


def _act(campaign_id: int, action: Callable[[], Any], said: str, to: Callable[[], str] | None = None) -> Response:
    """Do it and say so; a refusal is told on the campaign's page."""
    campaigns.get(campaign_id)
    here = f"/app/campaigns/{campaign_id}"
    try:
        with unit_of_work():
            action()
    except AppError as error:
        if error.status not in TOLD:
            raise
        flash(plain_error(error.message, str(error.details.get("field", ""))), "warn")
        return go_to(here)
    flash(said, "ok")
    return go_to(to() if to else here)


def _common(row: Row) -> dict[str, Any]:
    in_force, one = rules.load(), row.campaign
    return {
        "row": row, "campaign": one, "figures": row.figures, "can_send": may("messaging.send"),
        "can_write": may("messaging.write"), "url": f"/app/campaigns/{one.id}",
        "quiet": (one.quiet_start or in_force.quiet_start, one.quiet_end or in_force.quiet_end),
        "caps": [cap for cap in in_force.caps if cap.channel == one.channel] if one.keeps_caps else [],
        "is_sms": one.channel == MessageChannel.SMS, "zone": current_tenant().timezone or "UTC", "price": price,
        **campaign_view.FUNCTIONS,
    }  # fmt: skip


def _foretold(row: Row) -> dict[str, Any]:
    contents = [(text.variant.label, text.version.content, text.variant.weight) for text in row.texts]
    found = forecasts.forecast(row.campaign, contents, row.campaign.schedule_at)
    problem = campaign_form.find_obstacle(row.campaign, [text.version for text in row.texts])
    return {"forecast": found, "problem": problem, "skips": campaign_view.reasons_of_skips(found.reach.skipped)}


def _run(row: Row) -> dict[str, Any]:
    campaign, figures = row.campaign, row.figures
    rate = _rate_now(campaign)
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
        "held": campaign_log.list_held(campaign.id) if figures.held else [],
        "is_live": campaign_view.is_live(campaign.state, figures),
        "pausing": campaign_view.what_pausing_means(figures),
        "cancelling": campaign_view.what_cancelling_means(figures),
    }  # fmt: skip


def _rate_now(campaign: Campaign) -> float:
    """Messages a second over the last half minute, or since the start when that is less ago."""
    if campaign.state != CampaignState.RUNNING or campaign.started_at is None:
        return 0.0
    seconds = _seconds_since(campaign.started_at)
    return campaign_log.count_lately(campaign.id) / seconds


def _seconds_since(moment: datetime) -> float:
    lasted = (utc_now() - moment) / timedelta(seconds=1)
    return max(1.0, min(float(campaign_log.RATE_SECONDS), lasted))


def _results(row: Row) -> dict[str, Any]:
    return {"report": reporting.variant_report(row.campaign.id), "links": reporting.link_report(row.campaign.id)}


def _wanted() -> Wanted:
    group = request.args.get("state", "")
    return Wanted(
        group if group in campaign_log.GROUPS else "", request.args.get("reason", "")[:40],
        int_argument("variant", 0, low=0) or 0, request.args.get("q", "").strip()[:100],
    )  # fmt: skip


def _log(row: Row) -> dict[str, Any]:
    wanted = _wanted()
    lines, more = campaign_log.page_of(row.campaign.id, wanted, Cursor.read(request.args.get("after", "")))
    asked = {"state": wanted.group, "reason": wanted.reason, "variant": wanted.variant_id, "q": wanted.q}
    given = {key: value for key, value in asked.items() if value}
    here = f"/app/campaigns/{row.campaign.id}/messages"
    return {
        "lines": lines, "wanted": wanted, "groups": campaign_log.GROUPS, "asked": given,
        "reason_label": _label_of(wanted), "is_first": (is_first := "after" not in request.args),
        "follow_url": f"{here}?{urlencode(given)}" if is_first and _moves(row) else "",
        "more_url": f"{here}?{urlencode({**given, 'after': str(more)})}" if more else "",
        "csv_url": f"{here}.csv" + (f"?{urlencode(given)}" if given else ""),
    }  # fmt: skip


def _moves(row: Row) -> bool:
    return campaign_view.is_live(row.campaign.state, row.figures)


def _label_of(wanted: Wanted) -> str:
    if not wanted.reason:
        return ""
    reasons = campaign_view.reasons_of_skips if wanted.group == "skipped" else campaign_view.reasons_of_failures
    return reasons({wanted.reason: 1})[0].words.label


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
