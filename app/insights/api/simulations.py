"""`/simulations` of the insight contract, and renaming, stopping and resuming beyond it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.http import read_json, read_query
from app.insights.models import Audience, Simulation
from app.insights.schemas import SimulationChange, SimulationIn, panel_reply_out, simulation_out
from app.insights.schemas.queries import SimulationsQuery
from app.insights.schemas.simulation_answers import (
    SimulationAnswered,
    SimulationChanged,
    SimulationReport,
    SimulationRow,
)
from app.insights.services import simulation_lists, simulation_report, simulations

bp = Blueprint("simulation_api", __name__)


@bp.get("/simulations")
@describe("List simulations", "Simulations", query=SimulationsQuery, answers={200: list[SimulationRow]}, errors=(404,))
@require_permission("insights.read")
def index() -> Response:
    """All simulations, newest first, at most 500; `audience_id` filters, `limit` and `offset` page on."""
    query = read_query(SimulationsQuery)
    if query.audience_id is not None:
        get_required(Audience, query.audience_id)
    rows = simulation_lists.list_simulations(query.audience_id, query.limit, query.offset)
    return jsonify([simulation_out(row, whole=False) for row in rows])


@bp.post("/simulations")
@describe("Ask a panel", "Simulations", body=SimulationIn, answers={201: SimulationAnswered}, errors=(404, 409))
@require_permission("insights.write")
def create() -> Response:
    body = read_json(SimulationIn)
    ratelimit.check("simulation.create", f"user:{current_user().id}")
    with unit_of_work():
        simulation = simulations.create(simulations.Draft(**body.model_dump()), user_id=current_user().id)
    return make_response(jsonify(message="Simulation created", simulation=simulation_out(simulation, whole=True)), 201)


@bp.get("/simulations/<int:simulation_id>")
@describe("Show a simulation", "Simulations", answers={200: SimulationReport})
@require_permission("insights.read")
def show(simulation_id: int) -> Response:
    return jsonify(_whole(get_required(Simulation, simulation_id)))


@bp.put("/simulations/<int:simulation_id>")
@describe("Rename a simulation", "Simulations", body=SimulationChange, answers={200: SimulationChanged})
@require_permission("insights.write")
def change(simulation_id: int) -> Response:
    get_required(Simulation, simulation_id)
    body = read_json(SimulationChange)
    with unit_of_work():
        simulation = simulations.rename(simulation_id, **body.model_dump())
    return jsonify(message="Simulation updated", simulation=simulation_out(simulation, whole=False))


@bp.delete("/simulations/<int:simulation_id>")
@describe("Delete a simulation", "Simulations", answers={200: Message})
@require_permission("insights.write")
def delete(simulation_id: int) -> Response:
    with unit_of_work():
        simulations.delete_simulation(simulation_id)
    return jsonify(message="Simulation deleted")


@bp.post("/simulations/<int:simulation_id>/cancel")
@describe("Stop a simulation", "Simulations", answers={200: SimulationAnswered}, errors=(409,))
@require_permission("insights.write")
def cancel(simulation_id: int) -> Response:
    """Ours beyond the contract: stop a run, keeping the answers that came."""
    with unit_of_work():
        simulation = simulations.cancel(simulation_id)
    return jsonify(message="Simulation stopped", simulation=simulation_out(simulation, whole=True))


@bp.post("/simulations/<int:simulation_id>/retry")
@describe("Go on with a simulation", "Simulations", answers={202: SimulationAnswered}, errors=(409,))
@require_permission("insights.write")
def retry(simulation_id: int) -> Response:
    """Ours beyond the contract: ask those who have not answered."""
    with unit_of_work():
        simulation = simulations.resume(simulation_id)
    return make_response(jsonify(message="Simulation started", simulation=simulation_out(simulation, whole=True)), 202)


def _whole(simulation: Simulation) -> dict[str, Any]:
    replies = simulation_lists.list_replies(simulation.id)
    usage = asdict(simulation_report.usage_of(replies))
    usage["models"] = [{"provider": provider, "model": model} for provider, model in usage["models"]]
    return simulation_out(simulation, whole=True) | {
        "usage": usage,
        "replies": [panel_reply_out(reply) for reply in replies],
    }


def init_app(app: Flask) -> None:
    register_dialect("/simulations", insight_dialect)
    app.register_blueprint(bp)
