"""`/personas` of the insight contract."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.core.db import get_required, unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.http import read_json
from app.insights.models import AudienceSegment, Persona
from app.insights.queries import list_personas
from app.insights.schemas import PersonaChange, PersonaIn, persona_out
from app.insights.schemas.outgoing import PersonaMade, PersonaRow, PersonaWhole
from app.insights.services import personas

bp = Blueprint("persona_api", __name__)


@bp.get("/segments/<int:segment_id>/personas")
@describe("List a segment's personas", "Personas", answers={200: list[PersonaRow]})
@require_permission("insights.read")
def index(segment_id: int) -> Response:
    get_required(AudienceSegment, segment_id, label="Segment")
    return jsonify([persona_out(row, whole=False) for row in list_personas(segment_id)])


@bp.post("/segments/<int:segment_id>/personas")
@describe("Add a persona", "Personas", body=PersonaIn, answers={201: PersonaMade}, errors=(409,))
@require_permission("insights.write")
def create(segment_id: int) -> Response:
    get_required(AudienceSegment, segment_id, label="Segment")
    body = read_json(PersonaIn)
    with unit_of_work():
        persona = personas.create(segment_id, body.name, body.data)
    return make_response(jsonify(message="Persona created successfully", persona_id=persona.id), 201)


@bp.get("/personas/<int:persona_id>")
@describe("Show a persona", "Personas", answers={200: PersonaWhole})
@require_permission("insights.read")
def show(persona_id: int) -> Response:
    return jsonify(persona_out(get_required(Persona, persona_id), whole=True))


@bp.put("/personas/<int:persona_id>")
@describe("Change a persona", "Personas", body=PersonaChange, answers={200: Message})
@require_permission("insights.write")
def update(persona_id: int) -> Response:
    get_required(Persona, persona_id)
    body = read_json(PersonaChange)
    with unit_of_work():
        personas.update(persona_id, name=body.name, data=body.data)
    return jsonify(message="Persona updated successfully")


@bp.delete("/personas/<int:persona_id>")
@describe("Delete a persona", "Personas", answers={200: Message})
@require_permission("insights.write")
def delete(persona_id: int) -> Response:
    with unit_of_work():
        personas.delete_persona(persona_id)
    return jsonify(message="Persona deleted successfully")


def init_app(app: Flask) -> None:
    register_dialect("/personas", insight_dialect)
    app.register_blueprint(bp)
