"""Changing an audience by hand: its brief, parts of its picture, segments of one's own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to, is_htmx, toast
from app.core.http import validate
from app.insights.models import Audience
from app.insights.pages import audience_view
from app.insights.pages.audience_forms import Field, as_lines, as_text, field_errors, known_field, segment_values
from app.insights.schemas import AudienceChange, PictureChange, SegmentEdit
from app.insights.services import audiences, segments

bp = Blueprint("edits", __name__, url_prefix="/<int:audience_id>")


@bp.get("/brief")
@require_permission("insights.read")
def brief(audience_id: int) -> str:
    audience = get_required(Audience, audience_id)
    return _brief_page(audience, dict(audience.brief()), {})


def _brief_page(audience: Audience, values: dict[str, str], errors: dict[str, str]) -> str:
    view = audience_view.frame(audience, "brief")
    return render_template("audiences/brief.html", values=values, errors=errors, **view)


@bp.post("/brief")
@require_permission("insights.write")
def save_brief(audience_id: int) -> Response:
    """Save, and with `again` make the picture anew from what was saved."""
    audience = get_required(Audience, audience_id)
    values, again = request.form.to_dict(), "again" in request.form
    try:
        body = validate(AudienceChange, values)
        if again:
            ratelimit.check("audience.create", f"user:{current_user().id}")
        with unit_of_work():
            audiences.update(audience_id, body.changes())
            if again:
                audiences.make_again(audience_id)
    except AppError as error:
        return make_response(_brief_page(audience, values, field_errors(error)), error.status)
    flash("The brief is saved; the picture is being made anew." if again else "The brief is saved.", "ok")
    return go_to(_page_of(audience_id) if again else url_for(".brief", audience_id=audience_id))


def _page_of(audience_id: int) -> str:
    return url_for("audience_pages.show", audience_id=audience_id)


@bp.get("/fields/<field>")
@require_permission("insights.read")
def show(audience_id: int, field: str) -> str:
    """A part of the picture as it reads, e.g. after an edit was left."""
    audience = get_required(Audience, audience_id)
    return render_template("audiences/_field.html", audience=audience, field=known_field(field), is_fresh=True)


@bp.get("/fields/<field>/edit")
@require_permission("insights.write")
def edit(audience_id: int, field: str) -> str:
    audience, known = get_required(Audience, audience_id), known_field(field)
    return _editor(audience, known, as_text(getattr(audience, field)), "")


@bp.post("/fields/<field>/edit")
@require_permission("insights.write")
def save(audience_id: int, field: str) -> Any:
    audience, known = get_required(Audience, audience_id), known_field(field)
    text = request.form.get(field, "")
    value: Any = as_lines(text) if known.is_list else text.strip()
    try:
        body = validate(PictureChange, {field: value})
    except ValidationFailed as error:
        return make_response(_editor(audience, known, text, _why(error)), error.status)
    with unit_of_work():
        audience = audiences.edit_picture(audience_id, field, getattr(body, field))
    if not is_htmx():
        flash(f"{known.label}: saved.", "ok")
        return go_to(_page_of(audience_id))
    toast(f"{known.label}: saved.")
    return render_template("audiences/_field.html", audience=audience, field=known, is_fresh=True)


def _why(error: ValidationFailed) -> str:
    """One sentence; for a list with the line it is about."""
    first = error.details["errors"][0]
    line = first["field"].split(".")[-1]
    said = next(iter(field_errors(error).values()))
    return f"Line {int(line) + 1}: {said}" if line.isdecimal() else said


def _editor(audience: Audience, known: Field, text: str, error: str) -> str:
    template = "audiences/_field_form.html" if is_htmx() else "audiences/edit_field.html"
    return render_template(template, audience=audience, field=known, text=text, error=error)


@bp.get("/segments/new")
@require_permission("insights.write")
def new_segment(audience_id: int) -> str:
    audience = get_required(Audience, audience_id)
    return render_template("audiences/segment_form.html", audience=audience, segment=None, values={}, errors={})


@bp.post("/segments/new")
@require_permission("insights.write")
def create_segment(audience_id: int) -> Response:
    audience = get_required(Audience, audience_id)
    values = request.form.to_dict()
    try:
        body = validate(SegmentEdit, segment_values(values))
        with unit_of_work():
            segment = segments.create(audience_id, body.name, body.description)
            segments.update(segment.id, body.model_dump())
    except AppError as error:
        context = {"audience": audience, "segment": None, "values": values, "errors": field_errors(error)}
        return make_response(render_template("audiences/segment_form.html", **context), error.status)
    flash(f"{body.name} is added.", "ok")
    return go_to(url_for("segment_pages.show", segment_id=segment.id))
