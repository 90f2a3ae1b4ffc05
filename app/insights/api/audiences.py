"""`/audience` of the insight contract."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.dialects import insight_dialect, register_dialect
from app.core.errors import ProviderFailed
from app.core.http import int_argument, read_json
from app.core.jobs import LIVE
from app.core.jobs_wait import wait_for
from app.insights.models import Audience, AudienceReport, StepState
from app.insights.queries import list_audience_personas, list_audiences, list_segments, list_steps
from app.insights.schemas import AudienceChange, AudienceIn, GenerateIn, audience_out
from app.insights.services import audiences, picture, reports

bp = Blueprint("audience_api", __name__)
GENERATE_SECONDS = 25.0


@bp.get("/audience")
@require_permission("insights.read")
def index() -> Response:
    """All audiences, newest first, at most 500; `limit` and `offset` page on."""
    limit = int_argument("limit", 500, low=1, high=500) or 500
    offset = int_argument("offset", 0, low=0, high=10**7) or 0
    return jsonify([audience_out(row, whole=False) for row in list_audiences(limit, offset)])


@bp.get("/audience/<int:audience_id>")
@require_permission("insights.read")
def show(audience_id: int) -> Response:
    return jsonify(audience_out(get_required(Audience, audience_id), whole=True))


@bp.post("/audience")
@require_permission("insights.write")
def create() -> Response:
    body = read_json(AudienceIn)
    ratelimit.check("audience.create", f"user:{current_user().id}")
    with unit_of_work():
        audience = audiences.create(body.model_dump(), user_id=current_user().id)
    return make_response(jsonify(message="Audience created successfully", audience_id=audience.id), 201)


@bp.put("/audience/<int:audience_id>")
@require_permission("insights.write")
def update(audience_id: int) -> Response:
    get_required(Audience, audience_id)
    body = read_json(AudienceChange)
    with unit_of_work():
        audiences.update(audience_id, body.changes())
    return jsonify(message="Audience updated successfully")


@bp.delete("/audience/<int:audience_id>")
@require_permission("insights.write")
def delete(audience_id: int) -> Response:
    with unit_of_work():
        audiences.delete_audience(audience_id)
    return jsonify(message="Audience deleted successfully")


@bp.get("/audience/<int:audience_id>/insight")
@require_permission("insights.read")
def insight(audience_id: int) -> Response:
    """Ours beyond the contract: the AudienceInsight document, with the state of its making."""
    audience = get_required(Audience, audience_id)
    document = picture.audience_insight(audience, list_segments(audience_id), list_audience_personas(audience_id))
    steps = [{"name": step.name, "state": step.state, "provider": step.provider} for step in list_steps(audience_id)]
    return jsonify(state=audience.state, error=audience.error, steps=steps, insight=document)


@bp.post("/audience/<int:audience_id>/generate")
@require_permission("insights.write")
def generate(audience_id: int) -> Response:
    """The finished text when it is there within 25 s, else 202 with the job to ask for."""
    get_required(Audience, audience_id)
    body = read_json(GenerateIn)
    ratelimit.check("generate", f"user:{current_user().id}")
    with unit_of_work():
        report = reports.request_report(audience_id, body.prompt_type, deep=body.deep_research)
        report_id, job_id = report.id, str(report.job_id)
    state = wait_for(job_id, GENERATE_SECONDS)
    if state in LIVE:
        return make_response(jsonify(message="Generation started", job_id=job_id), 202)
    return jsonify(_finished(get_required(AudienceReport, report_id)))


def _finished(report: AudienceReport) -> dict[str, Any]:
    if report.state != StepState.DONE:
        raise ProviderFailed(report.error or "The text could not be written.", retryable=True)
    return {
        "message": f"Audience response generated successfully using {reports.provider_label(report.provider)}",
        "response": report.text,
        "prompt_used": report.prompt_used,
        "deep_research": report.is_deep,
    }


def init_app(app: Flask) -> None:
    register_dialect("/audience", insight_dialect)
    app.register_blueprint(bp)
