"""Making simulations, changing what they are called, stopping, resuming and deleting them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete

from app.accounts.services import audit
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.insights.events import SimulationChanged
from app.insights.models import Audience, PanelReply, Simulation, SimulationState
from app.insights.services import simulation_panel
from app.insights.services.simulation_estimates import estimate
from app.insights.services.simulation_run import LIVE, summarize

FIRST_SEED = 1
LAST_SEED = 2**31 - 1
LONGEST_NAME = 200
_SEED_SUFFIX = re.compile(r", seed \d+$")


@dataclass(frozen=True)
class Draft:
    """What a new simulation is to be. Empty ids mean everyone; without question and message a plain one is asked."""

    audience_id: int
    name: str
    description: str = ""
    type: str = "default"
    segment_ids: Sequence[int] = field(default_factory=tuple)
    persona_ids: Sequence[int] = field(default_factory=tuple)
    question: str = ""
    message: str = ""
    seed: int | None = None


def create(draft: Draft, *, user_id: int | None) -> Simulation:
    """Keep the simulation and start it; refuses an audience without personas and people of another audience."""
    audience = get_required(Audience, draft.audience_id)
    panel = simulation_panel.choose(audience.id, draft.segment_ids, draft.persona_ids)
    question = draft.question or ("" if draft.message else default_question(audience, draft.type))
    simulation = Simulation(
        audience_id=audience.id,
        user_id=user_id,
        name=draft.name,
        description=draft.description,
        type=draft.type,
        segment_ids=list(dict.fromkeys(draft.segment_ids)),
        persona_ids=list(dict.fromkeys(draft.persona_ids)),
        question=question,
        message=draft.message,
        seed=FIRST_SEED if draft.seed is None else draft.seed,
        estimate=estimate(panel, question, draft.message).as_json(),
    )
    db.session.add(simulation)
    db.session.flush()
    _start(simulation)
    return simulation


def nobody_chosen() -> ValidationFailed:
    """The refusal of a panel without people."""
    return ValidationFailed("Choose at least one person to ask.", field="persona_ids")


def default_question(audience: Audience, kind: str) -> str:
    """What is asked when nothing was said: whether the offer meets the audience's need."""
    offer = _sentence(audience.business_description) or audience.name
    need = f" It is meant for this need: {_sentence(audience.core_need)}." if audience.core_need else ""
    ask = "What would have to change for you to choose this" if kind == "optimization" else "Would you choose this"
    return f"{ask}: {offer}?{need}"


def _sentence(text: str, longest: int = 300) -> str:
    """The beginning of a text on one line, without its full stop."""
    line = " ".join(text.split())
    return (line if len(line) <= longest else line[:longest].rsplit(" ", 1)[0] + "…").rstrip(".")


def _start(simulation: Simulation) -> None:
    """Queue the run. The row names the job that owns it: an older one stops when it sees that."""
    simulation.state = SimulationState.QUEUED
    simulation.error, simulation.finished_at = None, None
    job = enqueue(
        "insights.run_simulation",
        label=f"Simulation: {simulation.name}",
        url=f"/app/simulations/{simulation.id}",
        simulation_id=simulation.id,
    )
    simulation.job_id = job.id
    _changed(simulation)


def _changed(simulation: Simulation) -> None:
    emit(SimulationChanged(current_tenant_id(), simulation.id, simulation.state))


def rename(simulation_id: int, *, name: str | None = None, description: str | None = None) -> Simulation:
    """Change what it is called; None leaves a field as it is."""
    simulation = get_required(Simulation, simulation_id, for_update=True)
    simulation.name = simulation.name if name is None else name
    simulation.description = simulation.description if description is None else description
    _changed(simulation)
    return simulation


def delete_simulation(simulation_id: int) -> None:
    """Remove it with its replies and talks; a run under way stops by itself."""
    simulation = get_required(Simulation, simulation_id, for_update=True)
    audit.record("simulation.deleted", simulation, before={"name": simulation.name})
    db.session.delete(simulation)


def cancel(simulation_id: int) -> Simulation:
    """Stop a run; the answers that came stay. Refused when nothing is running."""
    simulation = get_required(Simulation, simulation_id, for_update=True)
    if simulation.state not in LIVE:
        raise Conflict("This simulation is not running.")
    simulation.state = SimulationState.CANCELLED
    summarize(simulation)
    _changed(simulation)
    return simulation


def resume(simulation_id: int) -> Simulation:
    """Ask those who have not answered; refused while it runs or when everybody has."""
    simulation = get_required(Simulation, simulation_id, for_update=True)
    if simulation.state in LIVE:
        raise Conflict("This simulation is running already.")
    failed = delete(PanelReply).where(PanelReply.simulation_id == simulation.id, PanelReply.error.is_not(None))
    removed = db.session.execute(failed).rowcount  # type: ignore[attr-defined]
    if simulation.state == SimulationState.DONE and not removed:
        raise Conflict("Everybody has answered. Run it again with another seed instead.")
    _start(simulation)
    return simulation


def run_again(simulation_id: int, *, user_id: int | None) -> Simulation:
    """The same panel and question once more with the next seed, as a simulation of its own."""
    old = get_required(Simulation, simulation_id)
    seed = old.seed + 1 if old.seed < LAST_SEED else FIRST_SEED
    suffix = f", seed {seed}"
    name = _SEED_SUFFIX.sub("", old.name)[: LONGEST_NAME - len(suffix)] + suffix
    choice = simulation_panel.remaining(old.audience_id, old.segment_ids, old.persona_ids)
    draft = Draft(
        audience_id=old.audience_id, name=name, description=old.description, type=old.type,
        segment_ids=choice.segment_ids, persona_ids=choice.persona_ids,
        question=old.question, message=old.message, seed=seed,
    )  # fmt: skip
    return create(draft, user_id=user_id)
