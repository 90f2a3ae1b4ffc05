"""`/api/v1/cdp/events`: events in, one or many."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.cdp.schemas.events import BatchIn, BatchTaken, EventIn, EventTaken
from app.cdp.services import ingestion, ingestion_rows
from app.cdp.services.identity_rules import load_rules
from app.cdp.services.ingestion_rows import EventRow, RowRefused
from app.core.clock import utc_now
from app.core.cross_origin import any_origin
from app.core.describe import describe
from app.core.errors import ValidationFailed
from app.core.http import read_json

bp = Blueprint("cdp_events_api", __name__, url_prefix="/api/v1/cdp/events")
TAG = "CDP"


@bp.post("")
@any_origin
@describe("Track an event", TAG, body=EventIn, answers={201: EventTaken}, errors=(503,))
@require_permission("events.write")
def track() -> Response:
    body = read_json(EventIn).model_dump()
    received_at, rules = utc_now(), load_rules()
    try:
        row = ingestion_rows.clean(body, rules, received_at)
    except RowRefused as error:
        raise ValidationFailed(f"{error.field}: {error.message}", field=error.field) from None
    taken = ingestion.in_turns(lambda: ingestion.accept([row], rules, received_at))[0]
    answer = {"success": True, "event_id": taken.event_id, "profile_id": taken.profile_id}
    return make_response(jsonify(**answer, duplicate=taken.is_duplicate), 201)


@bp.post("/batch")
@any_origin
@describe("Track up to 1,000 events", TAG, body=BatchIn, answers={200: BatchTaken}, errors=(503,))
@require_permission("events.write")
def track_batch() -> Response:
    """Good events are kept, each bad one is named with its index, field and reason."""
    events = read_json(BatchIn, refuses_unstorable=False).events  # a row with such a text is refused by itself
    received_at, rules = utc_now(), load_rules()
    rows: list[EventRow] = []
    errors: list[dict[str, Any]] = []
    for index, raw in enumerate(events):
        try:
            rows.append(ingestion_rows.clean(raw, rules, received_at))
        except RowRefused as error:
            errors.append({"index": index, "field": error.field, "message": error.message})
    taken = ingestion.in_turns(lambda: ingestion.accept(rows, rules, received_at)) if rows else []
    duplicates = sum(one.is_duplicate for one in taken)
    counts = {"accepted": len(taken) - duplicates, "rejected": len(errors), "duplicates": duplicates}
    return jsonify(**counts, errors=errors)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
