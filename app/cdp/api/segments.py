"""`/api/v1/cdp/segments` of the contract, and who is in them, why, since when and how many over time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response
from sqlalchemy import func, select

from app.accounts.guards import current_caller, require_permission
from app.cdp.models import Profile, Segment, SegmentChange, SegmentKind, SegmentMember
from app.cdp.queries import segment_pages
from app.cdp.schemas.segments import (
    ChangeOut,
    ConditionsIn,
    MemberOut,
    OverlapOut,
    OverlapQuery,
    PreviewOut,
    SegmentChangeIn,
    SegmentIn,
    SegmentOut,
    SegmentsQuery,
    SizeOut,
    SnapshotIn,
    WhyOut,
    person_out,
    segment_out,
    size_out,
)
from app.cdp.services import segment_preview, segments
from app.cdp.services.conditions import parse
from app.cdp.services.segment_rules import read_conditions
from app.core.clock import iso
from app.core.db import get_required, unit_of_work
from app.core.describe import describe
from app.core.errors import InvalidTransition, ValidationFailed
from app.core.http import read_json, read_query
from app.core.paging import PageOut, PageQuery, paginate

bp = Blueprint("cdp_segments_api", __name__, url_prefix="/api/v1/cdp/segments")
TAG = "CDP Segments"
MOST_DAYS = 730


@bp.get("")
@describe("List segments", TAG, query=SegmentsQuery, answers={200: PageOut[SegmentOut]})
@require_permission("cdp.read")
def index() -> Response:
    """By name."""
    asked = read_query(SegmentsQuery)
    named = func.lower(Segment.name).contains(asked.q.lower(), autoescape=True)
    statement = select(Segment).where(named).order_by(func.lower(Segment.name), Segment.id)
    return jsonify(paginate(statement, asked.page, asked.limit).out(_out))


@bp.get("/<int:segment_id>")
@describe("Get a segment", TAG, answers={200: SegmentOut}, errors=(404,))
@require_permission("cdp.read")
def show(segment_id: int) -> Response:
    return jsonify(_out(_segment(segment_id)))


@bp.post("")
@describe("Create a segment", TAG, body=SegmentIn, answers={201: SegmentOut}, errors=(409, 503))
@require_permission("cdp.write")
def create() -> Response:
    """It is counted in the background: `member_count` is null until then."""
    body = read_json(SegmentIn)
    user = current_caller().user
    with unit_of_work():
        row = segments.create(body.name, body.description, body.conditions, user_id=user.id if user else None)
        answer = _out(row)
    return make_response(jsonify(answer), 201)


@bp.patch("/<int:segment_id>")
@describe("Update a segment", TAG, body=SegmentChangeIn, answers={200: SegmentOut}, errors=(404, 409, 503))
@require_permission("cdp.write")
def update(segment_id: int) -> Response:
    _segment(segment_id)
    body = read_json(SegmentChangeIn)
    with unit_of_work():
        row = segments.update(segment_id, name=body.name, description=body.description, conditions=body.conditions)
        answer = _out(row)
    return jsonify(answer)


@bp.delete("/<int:segment_id>")
@describe("Delete a segment", TAG, answers={204: None}, errors=(404, 409, 503))
@require_permission("cdp.write")
def delete(segment_id: int) -> Response:
    """Refused while something uses it, saying what."""
    with unit_of_work():
        segments.delete(segment_id)
    return make_response("", 204)


@bp.post("/<int:segment_id>/preview")
@describe("Preview a segment", TAG, answers={200: PreviewOut}, errors=(404, 409))
@require_permission("cdp.read")
def preview_saved(segment_id: int) -> Response:
    """Who its condition holds for now."""
    row = _segment(segment_id)
    if row.kind != SegmentKind.LIVE:
        raise InvalidTransition("A static segment has no condition to try out.")
    return jsonify(_preview(row.conditions))


@bp.post("/preview")
@describe("Preview a condition", TAG, body=ConditionsIn, answers={200: PreviewOut})
@require_permission("cdp.read")
def preview_unsaved() -> Response:
    """A condition that is not saved."""
    body = read_json(ConditionsIn)
    read_conditions(body.conditions)
    return jsonify(_preview(body.conditions))


@bp.get("/<int:segment_id>/members")
@describe("List members", TAG, query=PageQuery, answers={200: PageOut[MemberOut]}, errors=(404,))
@require_permission("cdp.read")
def members(segment_id: int) -> Response:
    """Who was in at the last refresh."""
    _segment(segment_id)
    asked = read_query(PageQuery)
    statement: Any = (
        select(Profile, SegmentMember.entered_at)
        .join(SegmentMember, SegmentMember.profile_id == Profile.id)
        .where(SegmentMember.segment_id == segment_id, Profile.merged_into_id.is_(None))
        .order_by(SegmentMember.profile_id)
    )
    page = paginate(statement, asked.page, asked.limit, rows=True)
    return jsonify(page.out(lambda row: person_out(row[0]) | {"entered_at": iso(row[1])}))


@bp.get("/<int:segment_id>/changes")
@describe("List who entered and left", TAG, query=PageQuery, answers={200: PageOut[ChangeOut]}, errors=(404,))
@require_permission("cdp.read")
def changes(segment_id: int) -> Response:
    """The newest first."""
    _segment(segment_id)
    asked = read_query(PageQuery)
    statement = select(SegmentChange).where(SegmentChange.segment_id == segment_id).order_by(SegmentChange.id.desc())
    page = paginate(statement, asked.page, asked.limit)
    return jsonify(
        page.out(lambda row: {"profile_id": row.profile_id, "has_entered": row.has_entered, "at": iso(row.at)})
    )


@bp.get("/<int:segment_id>/sizes")
@describe("Sizes over time", TAG, answers={200: list[SizeOut]}, errors=(404,))
@require_permission("cdp.read")
def sizes(segment_id: int) -> Response:
    """At the end of each day it was counted on, the oldest first, two years at most."""
    _segment(segment_id)
    return jsonify([size_out(*row) for row in segment_pages.list_sizes(segment_id, 0)[-MOST_DAYS:]])


@bp.post("/<int:segment_id>/snapshot")
@describe("Keep the members as a static segment", TAG, body=SnapshotIn, answers={201: SegmentOut}, errors=(404, 503))
@require_permission("cdp.write")
def snapshot(segment_id: int) -> Response:
    _segment(segment_id)
    body = read_json(SnapshotIn)
    user = current_caller().user
    with unit_of_work():
        row = segments.snapshot(segment_id, body.name, user_id=user.id if user else None)
        answer = _out(row)
    return make_response(jsonify(answer), 201)


@bp.get("/overlap")
@describe("Overlap of two segments", TAG, query=OverlapQuery, answers={200: OverlapOut}, errors=(404,))
@require_permission("cdp.read")
def overlap() -> Response:
    """How many people are in each, in both, and in either."""
    asked = read_query(OverlapQuery)
    return jsonify(segments.overlap(asked.first, asked.second))


@bp.get("/<int:segment_id>/explain/<int:profile_id>")
@describe("Why someone is in, or not", TAG, answers={200: WhyOut}, errors=(404,))
@require_permission("cdp.read")
def explain(segment_id: int, profile_id: int) -> Response:
    return jsonify(segments.explain(segment_id, profile_id))


def _segment(segment_id: int) -> Segment:
    return get_required(Segment, segment_id, label="Segment")


def _out(row: Segment) -> dict[str, Any]:
    return segment_out(row, _sentence(row))


def _sentence(row: Segment) -> str:
    if row.kind == SegmentKind.STATIC:
        return "was chosen"
    try:
        return segment_preview.sentence(parse(row.conditions))
    except ValidationFailed:  # saved by an earlier release
        return ""


def _preview(conditions: Any) -> dict[str, Any]:
    found = segment_preview.preview(conditions, people=10)
    people = segment_pages.load_people(found.sample)
    return {
        "count": found.count, "share": found.count / found.total if found.total else 0.0,
        "sample": [person_out(row) for row in people], "took_ms": found.took_ms,
        "reach": found.reach.channels, "sentence": found.sentence,
    }  # fmt: skip


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
