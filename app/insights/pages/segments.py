"""Pages of the segments of an audience."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import require_permission
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import validate
from app.insights import queries
from app.insights.models import Audience, AudienceSegment
from app.insights.pages.audience_forms import as_text, field_errors, segment_values
from app.insights.schemas import SegmentEdit
from app.insights.services import audience_lists, segments

bp = Blueprint("segment_pages", __name__, url_prefix="/app/described-segments")


def get_segment(segment_id: int) -> tuple[AudienceSegment, Audience]:
    segment = get_required(AudienceSegment, segment_id, label="Segment")
    return segment, get_required(Audience, segment.audience_id)


@bp.get("/<int:segment_id>")
@require_permission("insights.read")
def show(segment_id: int) -> str:
    segment, audience = get_segment(segment_id)
    people = [queries.PersonaPlace(p, segment, audience) for p in queries.list_personas(segment_id)]
    extent = audience_lists.segment_extent(segment_id)
    return render_template("audiences/segment.html", audience=audience, segment=segment, people=people, extent=extent)


@bp.get("/<int:segment_id>/edit")
@require_permission("insights.write")
def edit(segment_id: int) -> str:
    segment, audience = get_segment(segment_id)
    values = segment.as_facts() | {"key_characteristics": as_text(segment.key_characteristics)}
    return render_template("audiences/segment_form.html", audience=audience, segment=segment, values=values, errors={})


@bp.post("/<int:segment_id>/edit")
@require_permission("insights.write")
def save(segment_id: int) -> Response:
    segment, audience = get_segment(segment_id)
    values = request.form.to_dict()
    try:
        body = validate(SegmentEdit, segment_values(values))
        with unit_of_work():
            segments.update(segment_id, body.model_dump())
    except AppError as error:
        context = {"audience": audience, "segment": segment, "values": values, "errors": field_errors(error)}
        return make_response(render_template("audiences/segment_form.html", **context), error.status)
    flash(f"{body.name} is saved.", "ok")
    return go_to(url_for(".show", segment_id=segment_id))


@bp.post("/<int:segment_id>/delete")
@require_permission("insights.write")
def delete(segment_id: int) -> Response:
    name = get_segment(segment_id)[0].name
    with unit_of_work():
        audience_id = segments.delete_segment(segment_id)
    flash(f"{name} is deleted.", "ok")
    return go_to(url_for("audience_pages.show", audience_id=audience_id))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
