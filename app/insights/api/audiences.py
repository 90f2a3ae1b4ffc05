"""`/audience` of the insight contract."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.errors import ProviderFailed
from app.core.http import read_json, read_query
from app.core.jobs import LIVE
from app.core.jobs_wait import wait_for
from app.insights.models import Audience, AudienceReport, StepState
from app.insights.queries import list_audience_personas, list_audiences, list_segments, list_steps
from app.insights.schemas import AudienceChange, AudienceIn, GenerateIn, audience_out
from app.insights.schemas.outgoing import (
    AudienceMade,
    AudienceRow,
    AudienceWhole,
    Generated,
    GenerationStarted,
    InsightShown,
)
from app.insights.schemas.queries import SliceQuery
from app.insights.services import audiences, picture, reports

bp = Blueprint("audience_api", __name__)
GENERATE_SECONDS = 25.0


@bp.get("/audience")
@describe("List audiences", "Audiences", query=SliceQuery, answers={200: list[AudienceRow]})
@require_permission("insights.read")
def index() -> Response:
    """All audiences, newest first, at most 500; `limit` and `offset` page on."""
    query = read_query(SliceQuery)
    return jsonify([audience_out(row, whole=False) for row in list_audiences(query.limit, query.offset)])


@bp.get("/audience/<int:audience_id>")
@describe("Show an audience", "Audiences", answers={200: AudienceWhole})
@require_permission("insights.read")
def show(audience_id: int) -> Response:
    return jsonify(audience_out(get_required(Audience, audience_id), whole=True))


@bp.post("/audience")
@describe("Describe a business", "Audiences", body=AudienceIn, answers={201: AudienceMade})
@require_permission("insights.write")
def create() -> Response:
    body = read_json(AudienceIn)
    ratelimit.check("audience.create", f"user:{current_user().id}")
    with unit_of_work():
        audience = audiences.create(body.model_dump(), user_id=current_user().id)
    return make_response(jsonify(message="Audience created successfully", audience_id=audience.id), 201)


@bp.put("/audience/<int:audience_id>")
@describe("Change the brief", "Audiences", body=AudienceChange, answers={200: Message})
@require_permission("insights.write")
def update(audience_id: int) -> Response:
    get_required(Audience, audience_id)
    body = read_json(AudienceChange)
    with unit_of_work():
        audiences.update(audience_id, body.changes())
    return jsonify(message="Audience updated successfully")


@bp.delete("/audience/<int:audience_id>")
@describe("Delete an audience", "Audiences", answers={200: Message})
@require_permission("insights.write")
def delete(audience_id: int) -> Response:
    with unit_of_work():
        audiences.delete_audience(audience_id)
    return jsonify(message="Audience deleted successfully")


@bp.get("/audience/<int:audience_id>/insight")
@describe("Show the picture", "Audiences", answers={200: InsightShown})
@require_permission("insights.read")
def insight(audience_id: int) -> Response:
    """Ours beyond the contract: the AudienceInsight document, with the state of its making."""
    audience = get_required(Audience, audience_id)
    document = picture.audience_insight(audience, list_segments(audience_id), list_audience_personas(audience_id))
    steps = [{"name": step.name, "state": step.state, "provider": step.provider} for step in list_steps(audience_id)]
    return jsonify(state=audience.state, error=audience.error, steps=steps, insight=document)


@bp.post("/audience/<int:audience_id>/generate")
@describe(
    "Have a text written",
    "Audiences",
    body=GenerateIn,
    answers={200: Generated, 202: GenerationStarted},
    errors=(409, 502),
)
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
