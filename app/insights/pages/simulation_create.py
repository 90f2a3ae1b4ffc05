"""The page that makes a simulation: whom to ask, what to ask, what it will cost, go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.ai.services import budget
from app.core import ratelimit
from app.core.db import find_row, get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import int_argument, validate
from app.insights.models import Audience, AudienceSegment, Simulation
from app.insights.pages.simulation_views import form_errors
from app.insights.queries import PersonaPlace, get_place, list_audience_personas, list_audience_rows
from app.insights.schemas import SimulationIn
from app.insights.services import simulation_estimates, simulation_panel, simulations

bp = Blueprint("simulation_create_pages", __name__, url_prefix="/app/simulations/new")
MOST_AUDIENCES = 200
EXAMPLE_QUESTION = "Would you try this in the next month, and what would stop you?"
EXAMPLE_MESSAGE = "Try it for a month at half price. No contract: stop with one click whenever you like."


@dataclass(frozen=True)
class Ticked:
    """Whose boxes are ticked on the form."""

    everyone: list[PersonaPlace]
    persona_ids: set[int]

    @property
    def panel(self) -> list[PersonaPlace]:
        return [place for place in self.everyone if place.persona.id in self.persona_ids]

    @property
    def by_segment(self) -> list[tuple[AudienceSegment, list[PersonaPlace]]]:
        segments = simulation_panel.segments_of(self.everyone)
        return [(s, [p for p in self.everyone if p.segment.id == s.id]) for s in segments]

    def has_all(self, places: list[PersonaPlace]) -> bool:
        return _ids(places) <= self.persona_ids

    def line(self, place: PersonaPlace) -> str:
        """Who someone is, in a line; persona data is free-form, so anything may be missing or of another type."""
        known = (place.persona.data.get(key) for key in ("age", "occupation", "location"))
        return ", ".join(str(value)[:60] for value in known if isinstance(value, str | int) and value)


@bp.get("")
@require_permission("insights.write")
def show() -> str:
    """`audience`, `segment`, `persona` choose whom; `copy` takes everything from another run."""
    values, ticked = _beginning()
    return _page(values, ticked, {})


def _beginning() -> tuple[dict[str, Any], Ticked]:
    copied = int_argument("copy")
    if copied is not None:
        return _from_copy(get_required(Simulation, copied))
    persona_id, segment_id, audience_id = int_argument("persona"), int_argument("segment"), int_argument("audience")
    if persona_id is not None:
        place = get_place(persona_id)
        return _blank(place.audience.id), Ticked(list_audience_personas(place.audience.id), {persona_id})
    if segment_id is not None:
        segment = get_required(AudienceSegment, segment_id)
        everyone = list_audience_personas(segment.audience_id)
        return _blank(segment.audience_id), Ticked(everyone, _ids(p for p in everyone if p.segment.id == segment_id))
    if audience_id is not None:
        audience_id = get_required(Audience, audience_id).id
    everyone = list_audience_personas(audience_id) if audience_id else []
    return _blank(audience_id), Ticked(everyone, _ids(everyone))


def _from_copy(old: Simulation) -> tuple[dict[str, Any], Ticked]:
    everyone = list_audience_personas(old.audience_id)
    panel = simulation_panel.pick(everyone, old.segment_ids, old.persona_ids)
    fields = ("audience_id", "description", "type", "question", "message", "seed")
    name = f"{old.name[:190]}, changed"
    return {field: getattr(old, field) for field in fields} | {"name": name}, Ticked(everyone, _ids(panel))


def _blank(audience_id: int | None) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(("name", "description", "question", "message"), "")
    return values | {"audience_id": audience_id or "", "type": "default", "seed": simulations.FIRST_SEED}


def _ids(places: Any) -> set[int]:
    return {place.persona.id for place in places}


def _page(values: dict[str, Any], ticked: Ticked, errors: dict[str, str], status: int = 200) -> Any:
    audiences = list_audience_rows(limit=MOST_AUDIENCES)
    page = render_template(
        "simulations/new.html", values=values, ticked=ticked, errors=errors, audiences=audiences,
        examples={"question": EXAMPLE_QUESTION, "message": EXAMPLE_MESSAGE},
        audience=find_row(Audience, values["audience_id"]) if values["audience_id"] else None,
        **_estimate_context(ticked, values),
    )  # fmt: skip
    return make_response(page, status) if errors else page


def _estimate_context(ticked: Ticked, values: dict[str, Any]) -> dict[str, Any]:
    panel = ticked.panel
    if not panel:
        return {"estimate": None}
    found = simulation_estimates.estimate(panel, values["question"], values["message"])
    left = budget.state().remaining_micros
    return {"estimate": found, "budget_left": left, "is_over": (found.first.cost_micros or 0) > left}


@bp.get("/panel")
@require_permission("insights.write")
def panel() -> str:
    """The people of the audience just chosen, all ticked, with the estimate beside."""
    audience_id = int_argument("audience_id")
    audience = get_required(Audience, audience_id) if audience_id else None
    everyone = list_audience_personas(audience.id) if audience else []
    ticked, values = Ticked(everyone, _ids(everyone)), _blank(audience_id)
    return render_template(
        "simulations/_panel.html", ticked=ticked, errors={}, audience=audience, is_update=True,
        **_estimate_context(ticked, values),
    )  # fmt: skip


@bp.post("/estimate")
@require_permission("insights.write")
def show_estimate() -> str:
    """Cost and time of what is ticked and written right now."""
    values = _sent()
    return render_template("simulations/_estimate.html", **_estimate_context(_ticked(values), values))


def _sent() -> dict[str, Any]:
    """The form as it was sent, to be shown again or validated."""
    names = ("name", "description", "type", "question", "message", "seed")
    values: dict[str, Any] = {name: request.form.get(name, "")[:20_000] for name in names}
    return values | {"audience_id": _whole(request.form.get("audience_id", "")) or ""}


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _ticked(values: dict[str, Any]) -> Ticked:
    everyone = list_audience_personas(values["audience_id"]) if values["audience_id"] else []
    sent = {_whole(text) for text in request.form.getlist("persona_ids")}
    return Ticked(everyone, _ids(everyone) & {number for number in sent if number})


@bp.post("")
@require_permission("insights.write")
def create() -> Any:
    values = _sent()
    ticked = _ticked(values)
    try:
        draft = _draft(values, ticked)
        ratelimit.check("simulation.create", f"user:{current_user().id}")
        with unit_of_work():
            simulation = simulations.create(draft, user_id=current_user().id)
    except AppError as error:
        return _page(values, ticked, form_errors(error), error.status)
    return _to(simulation)


def _draft(values: dict[str, Any], ticked: Ticked) -> simulations.Draft:
    """The form through the same schema as the API's; nobody ticked is refused, where the API would take everyone."""
    if ticked.everyone and not ticked.persona_ids:
        raise simulations.nobody_chosen()
    choice = simulation_panel.as_choice(ticked.everyone, ticked.persona_ids)
    seed = values["seed"].strip()
    body = validate(
        SimulationIn,
        values
        | {
            "name": values["name"].strip() or _name_from(values),
            "seed": None if not seed else _whole(seed) if _whole(seed) is not None else seed,
            "segment_ids": choice.segment_ids,
            "persona_ids": choice.persona_ids,
        },
    )
    return simulations.Draft(**body.model_dump())


def _name_from(values: dict[str, Any]) -> str:
    """A simulation without a name is called after what it asks."""
    asked = " ".join((values["question"] or values["message"]).split())
    short = asked if len(asked) <= 80 else asked[:80].rsplit(" ", 1)[0] + "…"
    audience = find_row(Audience, values["audience_id"]) if values["audience_id"] else None
    return short or (f"First impressions: {audience.name}"[:200] if audience else "")


def _to(simulation: Simulation) -> Response:
    return go_to(url_for("simulation_pages.show", simulation_id=simulation.id))
