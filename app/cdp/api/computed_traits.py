"""`/api/v1/cdp/computed-traits`: figures counted from events under a name."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.cdp.schemas.settings import ComputedTraitIn, ComputedTraitOut, computed_trait_out
from app.cdp.services import computed_traits
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json

bp = Blueprint("cdp_computed_traits_api", __name__, url_prefix="/api/v1/cdp/computed-traits")
TAG = "CDP"


@bp.get("")
@describe("Computed traits", TAG, answers={200: list[ComputedTraitOut]})
@require_permission("cdp.read")
def index() -> Response:
    return jsonify([computed_trait_out(one) for one in computed_traits.list_definitions()])


@bp.post("")
@describe("Define a computed trait", TAG, body=ComputedTraitIn, answers={201: ComputedTraitOut}, errors=(409, 503))
@require_permission("cdp.write")
def create() -> Response:
    body = read_json(ComputedTraitIn)
    with unit_of_work():
        row = computed_traits.create(body.name, body.function, body.event, body.property)
    return make_response(jsonify(computed_trait_out(row)), 201)


@bp.delete("/<int:trait_id>")
@describe("Delete a computed trait", TAG, answers={204: None}, errors=(404, 503))
@require_permission("cdp.write")
def delete(trait_id: int) -> Response:
    with unit_of_work():
        computed_traits.delete(trait_id)
    return make_response("", 204)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
