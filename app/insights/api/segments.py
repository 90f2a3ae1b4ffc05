"""`/segments` of the insight contract."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.core.db import get_required, unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.http import read_json
from app.insights.models import Audience, AudienceSegment
from app.insights.queries import list_segments
from app.insights.schemas import SegmentChange, SegmentIn, segment_out
from app.insights.schemas.outgoing import SegmentMade, SegmentRow, SegmentWhole
from app.insights.services import segments

bp = Blueprint("segment_api", __name__)


@bp.get("/audience/<int:audience_id>/segments")
@describe("List an audience's segments", "Segments", answers={200: list[SegmentRow]})
@require_permission("insights.read")
def index(audience_id: int) -> Response:
    get_required(Audience, audience_id)
    return jsonify([segment_out(row, whole=False) for row in list_segments(audience_id)])


@bp.post("/audience/<int:audience_id>/segments")
@describe("Add a segment", "Segments", body=SegmentIn, answers={201: SegmentMade}, errors=(409,))
@require_permission("insights.write")
def create(audience_id: int) -> Response:
    get_required(Audience, audience_id)
    body = read_json(SegmentIn)
    with unit_of_work():
        segment = segments.create(audience_id, body.name, body.description)
    return make_response(jsonify(message="Segment created successfully", segment_id=segment.id), 201)


@bp.get("/segments/<int:segment_id>")
@describe("Show a segment", "Segments", answers={200: SegmentWhole})
@require_permission("insights.read")
def show(segment_id: int) -> Response:
    return jsonify(segment_out(get_required(AudienceSegment, segment_id, label="Segment"), whole=True))


@bp.put("/segments/<int:segment_id>")
@describe("Change a segment", "Segments", body=SegmentChange, answers={200: Message})
@require_permission("insights.write")
def update(segment_id: int) -> Response:
    get_required(AudienceSegment, segment_id, label="Segment")
    body = read_json(SegmentChange)
    with unit_of_work():
        segments.update(segment_id, body.model_dump(exclude_none=True))
    return jsonify(message="Segment updated successfully")


@bp.delete("/segments/<int:segment_id>")
@describe("Delete a segment", "Segments", answers={200: Message})
@require_permission("insights.write")
def delete(segment_id: int) -> Response:
    with unit_of_work():
        segments.delete_segment(segment_id)
    return jsonify(message="Segment deleted successfully")


def init_app(app: Flask) -> None:
    register_dialect("/segments", insight_dialect)
    app.register_blueprint(bp)
