"""Pages of personas: list, one person, comparison; adding and changing them by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import int_argument, validate
from app.insights import queries
from app.insights.models import Audience
from app.insights.pages import persona_forms, persona_view
from app.insights.pages.audience_forms import field_errors
from app.insights.pages.audiences import page_count, search_argument
from app.insights.pages.persona_forms import PersonaForm
from app.insights.pages.segments import get_segment
from app.insights.schemas import PersonaChange, PersonaIn
from app.insights.services import audience_lists, personas

bp = Blueprint("persona_pages", __name__, url_prefix="/app")
PAGE = 24
MOST_COMPARED = 6


@bp.get("/personas")
@require_permission("insights.read")
def index() -> str:
    """By audience, the newest first; audience, search and page stand in the address."""
    search, audience_id = search_argument(), int_argument("audience_id")
    total = queries.count_personas(search, audience_id)
    pages = page_count(total, PAGE)
    page = min(int_argument("page", 1, high=100_000) or 1, pages)
    filters = {key: value for key, value in {"q": search, "audience_id": audience_id}.items() if value}
    return render_template(
        "personas/list.html", places=queries.search_personas(search, audience_id, PAGE, (page - 1) * PAGE),
        total=total, page=page, pages=pages, q=search, audience_id=audience_id, audiences=queries.list_audiences(),
        page_url="/app/personas?" + (urlencode(filters) + "&" if filters else "") + "page={page}",
    )  # fmt: skip


@bp.get("/personas/compare")
@require_permission("insights.read")
def compare() -> str:
    """Up to six side by side: those named by `ids`, or the first of an audience."""
    audience_id = int_argument("audience_id")
    audience = get_required(Audience, audience_id) if audience_id else None
    places = queries.list_audience_personas(audience.id) if audience else _asked_for()
    shown = places[:MOST_COMPARED]
    everyone = queries.list_audience_personas(shown[0].audience.id) if shown else []
    chosen = {place.persona.id for place in shown}
    return render_template(
        "personas/compare.html", audience=audience, places=shown, left_out=len(places) - len(shown),
        rows=persona_view.comparison([place.persona for place in shown]),
        others=[place for place in everyone if place.persona.id not in chosen] if len(shown) < MOST_COMPARED else [],
    )  # fmt: skip


def _asked_for() -> list[queries.PersonaPlace]:
    """In the order asked for; what is not a known persona's id is passed over."""
    texts = request.args.getlist("ids")[:50]
    ids = list(dict.fromkeys(int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 10))
    found = {place.persona.id: place for place in queries.find_places(ids)}
    return [found[persona_id] for persona_id in ids if persona_id in found]


@bp.get("/personas/<int:persona_id>")
@require_permission("insights.read")
def show(persona_id: int) -> str:
    place = queries.get_place(persona_id)
    return render_template(
        "personas/show.html", place=place, person=place.persona, view=persona_view,
        extent=audience_lists.persona_extent(persona_id),
        talks=audience_lists.list_talks(persona_id, current_user().id),
    )  # fmt: skip


@bp.get("/personas/<int:persona_id>/edit")
@require_permission("insights.write")
def edit(persona_id: int) -> str:
    place = queries.get_place(persona_id)
    form = persona_forms.from_data(place.persona.name, place.persona.data)
    return render_template("personas/form.html", place=place, segment=place.segment, form=form, errors={})


@bp.post("/personas/<int:persona_id>/edit")
@require_permission("insights.write")
def save(persona_id: int) -> Response:
    place = queries.get_place(persona_id)
    before, form = dict(place.persona.data), persona_forms.from_request(request.form)

    def keep(data: dict[str, Any]) -> int:
        body = validate(PersonaChange, {"name": form.name, "data": persona_forms.changes(before, data)})
        with unit_of_work():
            personas.update(persona_id, name=body.name, data=body.data)
        return persona_id

    context = {"place": place, "segment": place.segment}
    return _submit(form, before, keep, context, f"{form.name} is saved.")


@bp.get("/described-segments/<int:segment_id>/personas/new")
@require_permission("insights.write")
def new(segment_id: int) -> str:
    segment, audience = get_segment(segment_id)
    context = {"place": None, "segment": segment, "audience": audience, "segments": queries.list_segments(audience.id)}
    return render_template("personas/form.html", form=PersonaForm(), errors={}, **context)


@bp.post("/described-segments/<int:segment_id>/personas/new")
@require_permission("insights.write")
def create(segment_id: int) -> Response:
    """Into the segment of the address, or another of the same audience that the form names."""
    segment, audience = get_segment(segment_id)
    choices = queries.list_segments(audience.id)
    chosen = next((row for row in choices if str(row.id) == request.form.get("segment_id")), segment)
    form = persona_forms.from_request(request.form)

    def keep(data: dict[str, Any]) -> int:
        body = validate(PersonaIn, {"name": form.name, "data": data})
        with unit_of_work():
            return personas.create(chosen.id, body.name, body.data).id

    context = {"place": None, "segment": chosen, "audience": audience, "segments": choices}
    return _submit(form, {}, keep, context, f"{form.name} joins {chosen.name}.")


def _submit(
    form: PersonaForm, before: dict[str, Any], keep: Callable[[dict[str, Any]], int], context: dict[str, Any], said: str
) -> Response:
    """Keep what was typed and show the person, or show the form again with what is wrong beside it."""
    data, errors = persona_forms.read(form, before)
    status = 422
    if not form.name:
        errors = {"name": "Everyone has a name.", **errors}
    if not errors:
        try:
            persona_id = keep(data)
        except AppError as error:
            errors = {("form" if key == "data" else key): text for key, text in field_errors(error).items()}
            status = error.status
    if errors:
        return make_response(render_template("personas/form.html", form=form, errors=errors, **context), status)
    flash(said, "ok")
    return go_to(url_for(".show", persona_id=persona_id))


@bp.post("/personas/<int:persona_id>/delete")
@require_permission("insights.write")
def delete(persona_id: int) -> Response:
    name = queries.get_place(persona_id).persona.name
    with unit_of_work():
        audience_id = personas.delete_persona(persona_id)
    flash(f"{name} is deleted.", "ok")
    return go_to(url_for("audience_pages.show", audience_id=audience_id))


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        persona_headline=persona_view.headline,
        persona_quote=persona_view.quote,
        persona_facts=persona_view.card_facts,
        words=persona_view.words,
        field_label=persona_view.label_of,
        is_plain=persona_view.is_plain,
        is_lines=persona_view.is_lines,
    )
    app.register_blueprint(bp)
