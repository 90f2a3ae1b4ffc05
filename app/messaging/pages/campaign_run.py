"""One campaign: what it would do or did, its messages one by one, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, render_template, request, stream_with_context

from app.accounts.guards import current_tenant, current_user, require, require_permission
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to, is_htmx
from app.core.http import int_argument
from app.messaging.models import EDITABLE, CampaignState
from app.messaging.pages import campaign_form, campaign_now, campaign_view
from app.messaging.pages.template_view import plain_error
from app.messaging.queries import campaign_log
from app.messaging.queries import campaigns as queries
from app.messaging.queries.campaign_log import Cursor, Wanted
from app.messaging.queries.campaigns import Row
from app.messaging.services import (
    campaign_exports,
    campaigns,
    forecasts,
    phones,
    reporting,
    trials,
)

bp = Blueprint("campaign_run_pages", __name__, url_prefix="/app/campaigns/<int:campaign_id>")
TOLD = (400, 402, 409, 422)  # refusals that are told on the page


@bp.get("")
@require_permission("messaging.read")
def show(campaign_id: int) -> str:
    """A draft or scheduled campaign shows what it would do, a started one what it does."""
    row = queries.row_of(campaigns.get(campaign_id))
    if row.campaign.state in EDITABLE or row.campaign.started_at is None:
        return render_template("messaging/campaign_draft.html", **campaign_now.common(row), **_foretold(row))
    context = campaign_now.common(row) | campaign_now.whole(row) | _results(row) | _log(row)
    return render_template("messaging/campaign.html", **context)


@bp.get("/results")
@require_permission("messaging.read")
def results(campaign_id: int) -> str:
    """What its texts and links brought."""
    row = queries.row_of(campaigns.get(campaign_id))
    return render_template("messaging/_campaign_results.html", **campaign_now.common(row), **_results(row))


@bp.get("/messages")
@require_permission("messaging.read")
def messages(campaign_id: int) -> str:
    """The log: by state, reason, text and person, page by page."""
    row = queries.row_of(campaigns.get(campaign_id))
    name = "_campaign_log.html" if is_htmx() else "campaign_log.html"
    return render_template(f"messaging/{name}", **campaign_now.common(row), **_log(row))


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
    """Only what never sent anything; a scheduled one by whoever may call it off."""
    row = campaigns.get(campaign_id)
    if row.state == CampaignState.SCHEDULED:
        require("messaging.send")
    said = f"{row.name} is deleted."
    return _act(campaign_id, lambda: campaigns.delete(campaign_id), said, lambda: "/app/campaigns")


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


def _foretold(row: Row) -> dict[str, Any]:
    contents = [(text.variant.label, text.version.content, text.variant.weight) for text in row.texts]
    found = forecasts.forecast(row.campaign, contents, row.campaign.schedule_at)
    problem = campaign_form.find_obstacle(row.campaign, [text.version for text in row.texts])
    return {"forecast": found, "problem": problem, "skips": campaign_view.reasons_of_skips(found.reach.skipped)}


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
