"""Reports: messages over a stretch of days, and how one campaign went."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, render_template, request

from app.accounts.guards import require_permission
from app.messaging.models import LOST, REACHED, MessageState
from app.messaging.queries import campaigns as campaign_queries
from app.messaging.services import alarms, campaigns, period_reports, reporting, variant_reports, words
from app.messaging.services.period_reports import SORTS, Stretch

bp = Blueprint("message_report_pages", __name__, url_prefix="/app/reports/messages")
of_campaign = Blueprint("campaign_report_pages", __name__, url_prefix="/app/campaigns/<int:campaign_id>/report")
PRESETS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"))
MOST_REASONS = 8
MEASURES = {variant_reports.GOAL: "the goal", variant_reports.CLICKS: "links followed",
            variant_reports.REPLIES: "answers"}  # fmt: skip


@bp.get("")
@require_permission("messaging.read")
def index() -> str:
    """Days and order stand in the address: `days`, or `from` and `to`."""
    stretch, sort = _stretch(), _sort()
    report = period_reports.report_of(stretch, sort)
    reasons = [(words.of_failure(reason), n) for reason, n in report.totals.reasons.most_common(MOST_REASONS) if n > 0]
    return render_template(
        "messaging/report.html", stretch=stretch, report=report, sort=sort, presets=PRESETS, reasons=reasons,
        chosen=request.args.get("days", "") or ("" if _has_dates() else "30"), address=_address,
        chart=[(f"{day:%-d %b}", _parts(totals)) for day, totals in report.by_day.items()],
    )  # fmt: skip


@bp.get("/campaigns.csv")
@require_permission("messaging.read")
def export() -> Response:
    """The table by campaign, as the page has it."""
    stretch = _stretch()
    response = Response(period_reports.as_csv(period_reports.campaign_lines(stretch, _sort())), mimetype="text/csv")
    name = f"messages-{stretch.first}-{stretch.last}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@of_campaign.get("")
@require_permission("messaging.read")
def show(campaign_id: int) -> str:
    """How far people came, which text won, links, what the hold-out says, and why messages failed."""
    campaign = campaigns.get(campaign_id)
    figures = campaign_queries.figures_of([campaign.id]).get(campaign.id, campaign_queries.Figures())
    report = reporting.variant_report(campaign.id)
    followed = sum(row.clicks.hits for row in report.variants)
    answered = sum(row.replies.hits for row in report.variants)
    return render_template(
        "messaging/campaign_report.html", campaign=campaign, state=words.CAMPAIGN_STATES[campaign.state],
        figures=figures, report=report, links=reporting.link_report(campaign.id), measure=MEASURES[report.measure],
        summary=reporting.summary_of(campaign), alarms=[(one, alarms.sentence(one)) for one in
                                                        alarms.list_alarms(campaign.id)],
        failures=[(words.of_failure(reason), n) for reason, n in figures.reasons(LOST)],
        skips=[(words.of_skip(reason), n) for reason, n in figures.reasons((MessageState.SKIPPED,))],
        funnel=_funnel(figures, followed if report.measure != variant_reports.REPLIES else None, answered, report),
        value_of=variant_reports.value_of,
    )  # fmt: skip


def _funnel(figures: Any, followed: int | None, answered: int, report: Any) -> list[tuple[str, int, str]]:
    """What, how many, and of what its share is told."""
    steps = [
        ("In the segment", figures.people, ""), ("To be written to", figures.wanted, "in the segment"),
        ("Sent", figures.sent, "to be written to"), ("Delivered", figures.count(REACHED), "sent"),
    ]  # fmt: skip
    if followed is not None:
        steps.append(("Followed a link", followed, "sent"))
    steps.append(("Answered", answered, "sent"))
    if report.measure == variant_reports.GOAL:
        steps.append(("Did the goal", report.treated.hits, "sent"))
    return steps


def _parts(totals: Any) -> list[int]:
    """Delivered, lost, and what is not known yet of what was handed over that day."""
    return [max(0, totals.delivered), max(0, totals.lost), max(0, totals.tried - totals.ended)]


def _stretch() -> Stretch:
    preset = request.args.get("days", "")
    if preset in dict(PRESETS):
        return period_reports.stretch_of(None, None, int(preset))
    return period_reports.stretch_of(_day("from"), _day("to"))


def _day(name: str) -> date | None:
    """A day of the address; what is none counts as not given."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _has_dates() -> bool:
    return _day("from") is not None or _day("to") is not None


def _sort() -> str:
    sort = request.args.get("sort", "")
    return sort if sort in SORTS else "sent"


def _address(path: str = "", **changed: str) -> str:
    """This page's address with something else in it."""
    given = {name: request.args[name] for name in ("days", "from", "to", "sort") if request.args.get(name)}
    if "days" in changed:
        given = {name: value for name, value in given.items() if name not in ("from", "to")}
    given |= changed
    return f"{bp.url_prefix}{path}" + (f"?{urlencode(given)}" if given else "")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(of_campaign)
