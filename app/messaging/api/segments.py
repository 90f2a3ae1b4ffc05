"""`/messaging/api/v1/segments` of the messaging contract."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require_permission
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json
from app.messaging.schemas.segments import (
    EvaluationOut,
    MessagingSegmentCreated,
    MessagingSegmentIn,
    MessagingSegmentsOut,
    evaluation_out,
    segment_out,
)
from app.messaging.services import segments

bp = Blueprint("messaging_segments_api", __name__, url_prefix="/messaging/api/v1/segments")
TAG = "Segments"


@bp.get("")
@describe("List segments", TAG, answers={200: MessagingSegmentsOut})
@require_permission("messaging.read")
def index() -> Response:
    """By name; those made in the console or by the CDP's API are among them."""
    return jsonify(segments=[segment_out(row) for row in segments.list_segments()])


@bp.post("")
@describe("Create a segment", TAG, body=MessagingSegmentIn, answers={201: MessagingSegmentCreated}, errors=(409, 503))
@require_permission("messaging.write")
def create() -> Response:
    """A condition that is wrong is refused with the path of its node."""
    body = read_json(MessagingSegmentIn)
    user = current_caller().user
    with unit_of_work():
        row = segments.create(body.name, body.description, body.filter_criteria, user_id=user.id if user else None)
        answer = segment_out(row)
    return make_response(jsonify(answer | {"message": "Segment created successfully"}), 201)


@bp.post("/<segment_uuid>/evaluate")
@describe("Evaluate a segment", TAG, answers={200: EvaluationOut}, errors=(404, 503))
@require_permission("messaging.read")
def evaluate(segment_uuid: str) -> Response:
    """Whom it holds now, whatever the last count was."""
    known = segment_uuid.lower()
    return jsonify(evaluation_out(known, segments.evaluate(known)))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
