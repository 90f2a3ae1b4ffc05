"""What pages and the API read of simulations, each in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from app.core.db import db, get_required
from app.insights.models import Audience, PanelReply, Persona, Simulation, SimulationState
from app.insights.queries import like
from app.insights.services.simulation_report import Compared

MOST_REPLIES = 500


@dataclass(frozen=True)
class SimulationRow:
    """A simulation in a list with the audience it is about."""

    simulation: Simulation
    audience: Audience


@dataclass(frozen=True)
class Moved(Compared):
    """One person's stance in two runs."""

    segment: str = ""


def list_simulations(audience_id: int | None = None, limit: int = 500, offset: int = 0) -> list[Simulation]:
    """The newest first."""
    statement = select(Simulation).order_by(Simulation.id.desc()).limit(limit).offset(offset)
    return list(db.session.scalars(_of(statement, audience_id)))


def list_rows(
    search: str = "", audience_id: int | None = None, limit: int = 24, offset: int = 0
) -> list[SimulationRow]:
    statement = select(Simulation, Audience).join(Audience, Audience.id == Simulation.audience_id)
    statement = _of(_matching(statement, search), audience_id).order_by(Simulation.id.desc())
    return [SimulationRow(*row) for row in db.session.execute(statement.limit(limit).offset(offset))]


def count(search: str = "", audience_id: int | None = None) -> int:
    statement = select(func.count(Simulation.id))
    return db.session.scalar(_of(_matching(statement, search), audience_id)) or 0


def _of(statement: Select, audience_id: int | None) -> Select:
    return statement.where(Simulation.audience_id == audience_id) if audience_id else statement


def _matching(statement: Select, search: str) -> Select:
    if not search:
        return statement
    pattern = like(search)
    columns = (Simulation.name, Simulation.description, Simulation.question, Simulation.message)
    return statement.where(or_(*(column.ilike(pattern, escape="\\") for column in columns)))


def get_row(simulation_id: int) -> SimulationRow:
    """The simulation with its audience, or NotFound."""
    simulation = get_required(Simulation, simulation_id)
    return SimulationRow(simulation, get_required(Audience, simulation.audience_id))


def list_replies(simulation_id: int) -> list[PanelReply]:
    """In the order they came."""
    statement = select(PanelReply).where(PanelReply.simulation_id == simulation_id).order_by(PanelReply.id)
    return list(db.session.scalars(statement.limit(MOST_REPLIES)))


def personas_by_id(replies: list[PanelReply]) -> dict[int, Persona]:
    """The people who replied and still exist."""
    ids = [reply.persona_id for reply in replies if reply.persona_id]
    return {row.id: row for row in db.session.scalars(select(Persona).where(Persona.id.in_(ids)))}


def list_comparable(simulation: Simulation, limit: int = 50) -> list[Simulation]:
    """Other finished runs over the same audience, newest first."""
    statement = (
        select(Simulation)
        .where(
            Simulation.audience_id == simulation.audience_id,
            Simulation.id != simulation.id,
            Simulation.state == SimulationState.DONE,
        )
        .order_by(Simulation.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def compare(before: list[PanelReply], after: list[PanelReply]) -> list[Moved]:
    """Everyone asked in either run, those whose mind moved most first, then as asked."""
    old = {_who(reply): reply for reply in before}
    new = {_who(reply): reply for reply in after}
    rows = [_moved(old.get(who), new.get(who)) for who in dict.fromkeys([*old, *new])]
    return sorted(rows, key=lambda row: (row.delta is None, -abs(row.delta or 0)))


def _who(reply: PanelReply) -> tuple[int | None, str]:
    return reply.persona_id, reply.persona_name


def _moved(old: PanelReply | None, new: PanelReply | None) -> Moved:
    either = new or old
    assert either is not None
    return Moved(either.persona_name, old.stance if old else None, new.stance if new else None, either.segment_name)
