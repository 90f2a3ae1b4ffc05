"""Running simulations in the background."""

from __future__ import annotations

from app.core.db import unit_of_work
from app.core.jobs import Queue, job
from app.core.jobs_run import progress
from app.insights.services import simulation_run


@job("insights.run_simulation", queue=Queue.AI, max_attempts=4, timeout=3600, on_failure=simulation_run.fail)
def run_simulation(simulation_id: int) -> None:
    """Ask everyone on the panel who has not answered yet, then add the answers up."""
    with unit_of_work():
        panel = simulation_run.begin(simulation_id)
    if panel is None:
        return
    progress(panel.done, panel.total)
    for done, seat in enumerate(panel.waiting, start=panel.done + 1):
        heard = simulation_run.ask(seat)
        with unit_of_work():
            goes_on = simulation_run.record(simulation_id, seat, heard)
        if not goes_on:
            return
        progress(done, panel.total, f"{seat.persona_name} answered")
    with unit_of_work():
        simulation_run.finish(simulation_id)
