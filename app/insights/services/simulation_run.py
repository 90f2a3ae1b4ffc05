"""One run of a panel: who is still to be asked, asking one of them, keeping the reply, closing the run.

Every step reads the rows anew, so a run can be resumed, run twice at once, stopped or deleted at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.ai.services.answers import Answer
from app.ai.services.prompts import Prompt, get_prompt
from app.ai.services.rendering import render_messages
from app.ai.services.requests import AIRequest, Task
from app.ai.services.structured import complete_structured
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.db import db, find_row
from app.core.errors import AppError
from app.core.events import emit
from app.core.jobs import current_job
from app.core.tenancy import current_tenant_id
from app.insights.events import SimulationChanged, SimulationFailed, SimulationFinished
from app.insights.models import PanelReply, Simulation, SimulationState
from app.insights.models.answers import PanelAnswer
from app.insights.queries import PersonaPlace, list_segments
from app.insights.services import simulation_report
from app.insights.services.facts import persona_context
from app.insights.services.simulation_panel import resolve

MOST_ANSWER_TOKENS = 1500
LIVE = (SimulationState.QUEUED, SimulationState.RUNNING)
_PROMPT_OF = {"default": "run_simulation_prompt", "optimization": "run_optimization_simulation_prompt"}


@dataclass(frozen=True)
class Seat:
    """One person to be asked, as plain values that need no database."""

    persona_id: int
    persona_name: str
    segment_id: int
    segment_name: str
    facts: Mapping[str, Any]
    prompt: Prompt
    seed: int


@dataclass(frozen=True)
class Heard:
    """What came of asking: an answer with who gave it, or why there is none."""

    value: PanelAnswer | None = None
    answer: Answer | None = None
    error: str | None = None


@dataclass(frozen=True)
class Round:
    """Who is still to be asked, and how many of how many have been."""

    waiting: list[Seat]
    done: int
    total: int


def begin(simulation_id: int) -> Round | None:
    """Mark the run as under way; None when it was deleted, stopped, finished or taken over."""
    simulation = _own(simulation_id)
    if simulation is None:
        return None
    if simulation.state == SimulationState.QUEUED:
        simulation.state = SimulationState.RUNNING
        simulation.started_at = simulation.started_at or utc_now()
        _changed(simulation)
    panel = resolve(simulation.audience_id, simulation.segment_ids, simulation.persona_ids)
    heard = {reply.persona_id for reply in _replies(simulation.id)}
    prompt = _prompt(simulation.type)
    waiting = [_seat(place, simulation, prompt) for place in panel if place.persona.id not in heard]
    return Round(waiting, len(panel) - len(waiting), len(panel))


def _own(simulation_id: int) -> Simulation | None:
    """The simulation while it is live and this job is the one that runs it."""
    simulation = find_row(Simulation, simulation_id, for_update=True)
    if simulation is None or simulation.state not in LIVE:
        return None
    job = current_job()
    return simulation if job is None or simulation.job_id in (None, job.id) else None


def _replies(simulation_id: int) -> list[PanelReply]:
    statement = select(PanelReply).where(PanelReply.simulation_id == simulation_id).order_by(PanelReply.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def _prompt(kind: str) -> Prompt:
    """How a panel is asked; a workspace's own wording of the simulation prompt is added to it."""
    panel, own = get_prompt("panel_prompt"), get_prompt(_PROMPT_OF[kind])
    if own.is_shipped:
        return panel
    return replace(own, text=f"{panel.text}\n\nThis workspace asks its simulations to heed as well:\n{own.text}")


def _seat(place: PersonaPlace, simulation: Simulation, prompt: Prompt) -> Seat:
    facts = persona_context(place.persona, place.segment, place.audience) | {
        "type": simulation.type,
        "question": simulation.question,
        "message": simulation.message,
        "seed": simulation.seed,
    }
    person, segment = place.persona, place.segment
    return Seat(person.id, person.name, segment.id, segment.name, facts, prompt, simulation.seed)


def ask(seat: Seat) -> Heard:
    """One person's answer. No unit of work may be open; a failure is an outcome, not an exception."""
    # Everything about the person, and the question too, is data: none of it can pose as an instruction.
    messages = render_messages(seat.prompt, data=seat.facts, question="Answer as this person, as the rules above say.")
    request = AIRequest(
        Task.PANEL, messages, seat.facts, PanelAnswer, max_tokens=MOST_ANSWER_TOKENS, seed=seat.seed
    )  # fmt: skip
    try:
        found = complete_structured(request, prompt_name=seat.prompt.name, prompt_version=seat.prompt.ref)
    except AppError as error:
        return Heard(error=error.message)
    assert isinstance(found.value, PanelAnswer)
    return Heard(found.value, found.answer)


def record(simulation_id: int, seat: Seat, heard: Heard) -> bool:
    """Keep one reply, once; false when the run is no longer ours to go on with."""
    simulation = find_row(Simulation, simulation_id, for_update=True)
    if simulation is None:
        return False
    _keep(_reply(simulation_id, seat, heard))
    if _own(simulation_id) is None:
        if simulation.state == SimulationState.CANCELLED:
            summarize(simulation)  # the answer under way when it was stopped counts too
            _changed(simulation)
        return False
    _changed(simulation)
    return True


def _keep(reply: PanelReply) -> None:
    """A second run of the same job may have been quicker, or the persona is gone: then nothing is kept."""
    try:
        with db.session.begin_nested():
            db.session.add(reply)
    except IntegrityError:
        return


def _reply(simulation_id: int, seat: Seat, heard: Heard) -> PanelReply:
    reply = PanelReply(
        simulation_id=simulation_id,
        persona_id=seat.persona_id,
        persona_name=seat.persona_name,
        segment_id=seat.segment_id,
        segment_name=seat.segment_name,
        error=heard.error,
    )
    if heard.value is not None and heard.answer is not None:
        for name, value in heard.value.model_dump().items():
            setattr(reply, name, value)
        answer = heard.answer
        reply.provider, reply.model, reply.latency_ms = answer.provider, answer.model, answer.latency_ms
        reply.input_tokens, reply.output_tokens = answer.usage.input_tokens, answer.usage.output_tokens
        reply.cost_micros = answer.usage.cost_micros
    return reply


def finish(simulation_id: int) -> None:
    """Add the replies up; failed when nobody could answer."""
    simulation = _own(simulation_id)
    if simulation is None:
        return
    replies = summarize(simulation)
    if any(reply.stance is not None for reply in replies):
        simulation.state, simulation.error = SimulationState.DONE, None
        headline = (simulation.results or {}).get("headline", "")
        record_activity("simulation", f"{simulation.name}: done", headline, _url(simulation))
        emit(SimulationFinished(*_who(simulation), headline=headline))
        _changed(simulation)
    elif replies:
        reason = next((reply.error for reply in replies if reply.error), "")
        _fail(simulation, f"Nobody could answer. {reason}".strip())
    else:
        _fail(simulation, "The people chosen for this panel are no longer in the audience, so nobody was asked.")


def summarize(simulation: Simulation) -> list[PanelReply]:
    """Store what the replies so far add up to; gives the replies."""
    replies = _replies(simulation.id)
    panel = resolve(simulation.audience_id, simulation.segment_ids, simulation.persona_ids)
    asked = max(len(panel), len(replies))
    simulation.results = simulation_report.build(replies, list_segments(simulation.audience_id), asked)
    simulation.finished_at = utc_now()
    return replies


def fail(*, error: str, simulation_id: int) -> None:
    """The job gave up: say so in the row; replies that came stay and a retry goes on after them."""
    simulation = find_row(Simulation, simulation_id, for_update=True)
    if simulation is not None and simulation.state in LIVE:
        summarize(simulation)
        _fail(simulation, error)


def _fail(simulation: Simulation, error: str) -> None:
    simulation.state, simulation.error, simulation.finished_at = SimulationState.FAILED, error, utc_now()
    record_activity("simulation", f"{simulation.name}: failed", error, _url(simulation), is_failure=True)
    emit(SimulationFailed(*_who(simulation), error=error))
    _changed(simulation)


def _who(simulation: Simulation) -> tuple[int, int, str, int]:
    return current_tenant_id(), simulation.id, simulation.name, simulation.audience_id


def _url(simulation: Simulation) -> str:
    return f"/app/simulations/{simulation.id}"


def _changed(simulation: Simulation) -> None:
    emit(SimulationChanged(current_tenant_id(), simulation.id, simulation.state))
