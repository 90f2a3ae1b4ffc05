"""The reports of an audience, and the audience and its reports as files."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.accounts.services import audit
from app.core import ratelimit
from app.core.db import find_row, get_required, unit_of_work
from app.core.errors import NotFound
from app.core.htmx import go_to
from app.core.http import int_argument, validate
from app.insights import queries
from app.insights.models import Audience, AudienceReport
from app.insights.pages import audience_view
from app.insights.pages.audiences import is_gone
from app.insights.schemas import GenerateIn
from app.insights.services import audience_exports, picture, reports

bp = Blueprint("reports", __name__, url_prefix="/<int:audience_id>")


@bp.get("/reports")
@require_permission("insights.read")
def index(audience_id: int) -> str:
    """`report` chooses which one is read; without it the newest."""
    return render_template("audiences/reports.html", **_view(audience_id))


@bp.get("/reports/live")
@require_permission("insights.read")
def live(audience_id: int) -> str | Response:
    if find_row(Audience, audience_id) is None:
        return is_gone()
    return render_template("audiences/_reports.html", is_update=True, **_view(audience_id))


def _view(audience_id: int) -> dict[str, Any]:
    return audience_view.reports_view(get_required(Audience, audience_id), int_argument("report"))


@bp.post("/reports")
@require_permission("insights.write")
def write(audience_id: int) -> Response:
    form = request.form
    body = validate(GenerateIn, {"prompt_type": form.get("prompt_type"), "deep_research": "deep_research" in form})
    get_required(Audience, audience_id)
    ratelimit.check("generate", f"user:{current_user().id}")
    with unit_of_work():
        report = reports.request_report(audience_id, body.prompt_type, deep=body.deep_research)
    return go_to(url_for(".index", audience_id=audience_id, report=report.id))


@bp.get("/reports/<int:report_id>.md")
@require_permission("insights.read")
def export_report(audience_id: int, report_id: int) -> Response:
    report = get_required(AudienceReport, report_id, label="Report")
    if report.audience_id != audience_id or not report.text:
        raise NotFound("Report not found.")
    name = audience_exports.filename(reports.TITLES[report.prompt_type], report.id, "md")
    _note("report.exported", report, "md", label=reports.TITLES[report.prompt_type])
    return _file(audience_exports.report_markdown(report), "text/markdown", name)


@bp.get("/export.json")
@require_permission("insights.read")
def export_json(audience_id: int) -> Response:
    """The whole picture in the contract's shape."""
    audience = get_required(Audience, audience_id)
    people = queries.list_audience_personas(audience_id)
    insight = picture.audience_insight(audience, queries.list_segments(audience_id), people)
    text = json.dumps(insight, indent=2, ensure_ascii=False)
    _note("audience.exported", audience, "json")
    return _file(text, "application/json", audience_exports.filename(audience.name, audience.id, "json"))


@bp.get("/export.md")
@require_permission("insights.read")
def export_markdown(audience_id: int) -> Response:
    audience = get_required(Audience, audience_id)
    found = queries.list_steps(audience_id), queries.list_segments(audience_id)
    _note("audience.exported", audience, "md")
    text = audience_exports.audience_markdown(audience, *found, queries.list_audience_personas(audience_id))
    return _file(text, "text/markdown", audience_exports.filename(audience.name, audience.id, "md"))


def _note(action: str, row: Audience | AudienceReport, kind: str, label: str = "") -> None:
    """Who took what out is in the audit log."""
    with unit_of_work():
        audit.record(action, row, after={"format": kind}, label=label)


def _file(text: str, mimetype: str, name: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = f"{mimetype}; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
