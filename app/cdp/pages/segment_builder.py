"""The builder: a new segment, another condition for one there is, and the preview beside it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, render_template, request

from app.accounts.guards import current_tenant, current_user, require_permission
from app.cdp.models import Segment, SegmentKind
from app.cdp.pages import segment_view
from app.cdp.pages.segment_examples import BY_KEY, EXAMPLES
from app.cdp.queries import profiles as profile_queries
from app.cdp.queries import segment_words
from app.cdp.services import segment_preview, segments
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to
from app.core.http import read_json_object

bp = Blueprint("builder", __name__)
EMPTY: dict[str, Any] = {"operator": "and", "conditions": []}


@bp.get("/new")
@require_permission("cdp.write")
def new() -> str:
    """An example's key in the address fills it in."""
    example = BY_KEY.get(request.args.get("example", ""))
    first = {"operator": "and", "conditions": [_first_condition()]}
    values = {
        "name": example.name if example else "", "description": example.description if example else "",
        "conditions": segment_view.as_json(example.conditions if example else first),
    }  # fmt: skip
    return _page(None, values)


def _first_condition() -> dict[str, Any]:
    events = segment_words.list_events()
    if not events:
        return {"type": "identifier", "kind": "email", "operator": "present"}
    return {"type": "event", "event": "purchase" if "purchase" in events else events[0], "time_window": "last_90_days"}


@bp.post("/new")
@require_permission("cdp.write")
def create() -> Response | str:
    return _submitted(None)


@bp.get("/<int:segment_id>/edit")
@require_permission("cdp.write")
def edit(segment_id: int) -> str:
    segment = get_required(Segment, segment_id)
    values = {"name": segment.name, "description": segment.description}
    return _page(segment, values | {"conditions": segment_view.as_json(segment.conditions)})


@bp.post("/<int:segment_id>/edit")
@require_permission("cdp.write")
def update(segment_id: int) -> Response | str:
    """A static one has a name and a description to change, and no condition."""
    return _submitted(get_required(Segment, segment_id))


def _submitted(segment: Segment | None) -> Response | str:
    """Save, or (without scripts) count what the form holds."""
    values = {key: request.form.get(key, "") for key in ("name", "description", "conditions")}
    try:
        conditions = None if _is_static(segment) else _read(values["conditions"])
        if request.form.get("do") == "preview":
            return _page(segment, values, found=_preview(conditions, segment.id if segment else None))
        saved = _save(segment, values, conditions)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        return make_response(_page(segment, values, error=error), error.status)
    flash(f"{values['name'].strip()} is saved.", "ok")
    return go_to(f"/app/segments/{saved}")


def _is_static(segment: Segment | None) -> bool:
    return segment is not None and segment.kind == SegmentKind.STATIC


def _save(segment: Segment | None, values: dict[str, str], conditions: Any) -> int:
    with unit_of_work():
        if segment is None:
            made = segments.create(values["name"], values["description"], conditions, user_id=current_user().id)
            return made.id
        segments.update(segment.id, name=values["name"], description=values["description"], conditions=conditions)
        return segment.id


def _read(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ValidationFailed(f"The condition is not valid JSON: {error}.", field="conditions") from None


def _page(
    segment: Segment | None,
    values: dict[str, str],
    *,
    error: AppError | None = None,
    found: dict[str, Any] | None = None,
) -> str:
    field = str(error.details.get("field", "form")) if error else ""
    where = "conditions" if field.startswith("conditions") else field
    said = _plain(error.message, field) if error else ""
    if _is_static(segment):
        return render_template(
            "segments/static.html", segment=segment, values=values, errors={where: said} if error else {}
        )
    return render_template(
        "segments/builder.html", segment=segment, values=values, found=found, examples=EXAMPLES,
        errors={where: said} if error else {}, error_path=field if where == "conditions" else "",
        vocabulary=segment_view.vocabulary(segment.id if segment else None), zone=current_tenant().timezone,
        action=f"/app/segments/{segment.id}/edit" if segment else "/app/segments/new",
    )  # fmt: skip


@bp.post("/preview")
@require_permission("cdp.write")
def preview() -> Response:
    """Who `conditions` holds for now: JSON in and out, for the builder's script; 422 names the wrong node's path."""
    body = read_json_object()
    try:
        found = _preview(body.get("conditions"), _whole(body, "segment_id"), _whole(body, "seed") or 0)
    except ValidationFailed as error:
        path = str(error.details.get("field", ""))
        return make_response(jsonify(message=_plain(error.message, path), path=path), 422)
    return jsonify(found | {"waiting": profile_queries.index_lag()["waiting"]})


def _plain(message: str, field: str) -> str:
    """The message without the field it stands beside."""
    text = message.removeprefix(f"{field}: ")
    return text[:1].upper() + text[1:]


def _whole(body: dict[str, Any], name: str) -> int | None:
    """A number a program may leave out; anything else counts as left out."""
    value = body.get(name)
    return value if type(value) is int and 0 <= value < 2**31 else None


def _preview(conditions: Any, segment_id: int | None = None, seed: int = 0) -> dict[str, Any]:
    return segment_view.preview_out(segment_preview.preview(conditions, segment_id=segment_id, seed=seed))


@bp.get("/words")
@require_permission("cdp.read")
def words() -> Response:
    """What to complete with: values of a trait, properties of an event, or values of one of its properties."""
    trait, event, name = (request.args.get(key, "")[:200] for key in ("trait", "event", "property"))
    if trait:
        found = segment_words.list_trait_values(trait)
    elif event:
        found = segment_words.list_property_values(event, name) if name else segment_words.list_properties(event)
    else:
        found = []
    return jsonify(words=[asdict(word) for word in found])
