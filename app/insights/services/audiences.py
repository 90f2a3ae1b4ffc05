"""Making, changing and deleting audiences."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from app.accounts.services import audit
from app.core import jobs
from app.core.db import after_commit, db, get_required
from app.core.errors import Conflict
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.insights.events import AudienceChanged
from app.insights.models import Audience, AudienceSegment, AudienceState, AudienceStep, Step, StepState
from app.insights.queries import list_steps
from app.insights.services.segments import close_ranks


def create(brief: dict[str, str], *, user_id: int | None) -> Audience:
    """Keep the brief and start the pipeline that makes its picture."""
    audience = Audience(**brief, user_id=user_id)
    db.session.add(audience)
    db.session.flush()
    for position, step in enumerate(Step):
        db.session.add(AudienceStep(audience_id=audience.id, name=step, position=position))
    _start(audience)
    return audience


def _start(audience: Audience) -> None:
    audience.state = AudienceState.QUEUED
    audience.error = None
    job = enqueue(
        "insights.generate_audience",
        unique_key=f"audience:{audience.id}",
        label=f"{audience.name}: new audience",
        url=f"/app/audiences/{audience.id}",
        audience_id=audience.id,
    )
    audience.job_id = job.id


def update(audience_id: int, changes: dict[str, str]) -> Audience:
    """Change the brief; what was made of it stays until it is made again."""
    audience = get_required(Audience, audience_id, for_update=True)
    for field, value in changes.items():
        setattr(audience, field, value)
    emit(AudienceChanged(current_tenant_id(), audience.id, "brief"))
    return audience


def edit_picture(audience_id: int, field: str, value: Any) -> Audience:
    """Correct by hand what the AI wrote: summary, market size, insights or recommendations."""
    audience = get_required(Audience, audience_id, for_update=True)
    if field not in ("summary", "total_addressable_market", "key_insights", "recommendations"):
        raise KeyError(field)
    setattr(audience, field, value)
    emit(AudienceChanged(current_tenant_id(), audience.id, field))
    return audience


def delete_audience(audience_id: int) -> None:
    """Remove an audience with everything in it; a job that is still making it stops by itself."""
    audience = get_required(Audience, audience_id, for_update=True)
    if audience.job_id:
        job_id = audience.job_id
        after_commit(lambda: jobs.request_cancel(job_id))
    audit.record("audience.deleted", audience, before={"name": audience.name})
    db.session.delete(audience)


def retry(audience_id: int) -> Audience:
    """Go on after the last step that ended well; refused while the audience is being made."""
    audience = get_required(Audience, audience_id, for_update=True)
    _refuse_while_live(audience)
    for step in list_steps(audience.id):
        if step.state != StepState.DONE:
            step.state, step.error = StepState.WAITING, None
    _start(audience)
    emit(AudienceChanged(current_tenant_id(), audience.id, "retry"))
    return audience


def make_again(audience_id: int) -> Audience:
    """Make the picture anew from the brief: segments and personas that the AI made are replaced, others stay."""
    audience = get_required(Audience, audience_id, for_update=True)
    _refuse_while_live(audience)
    db.session.execute(
        delete(AudienceSegment).where(AudienceSegment.audience_id == audience.id, AudienceSegment.is_generated)
    )
    for step in list_steps(audience.id):
        step.state, step.error, step.text, step.citations = StepState.WAITING, None, "", []
        step.started_at = step.finished_at = None
        step.provider = step.model = step.note = ""
        step.input_tokens = step.output_tokens = 0
        step.cost_micros, step.is_repaired, step.fallbacks = None, False, []
    close_ranks(audience.id)
    _start(audience)
    emit(AudienceChanged(current_tenant_id(), audience.id, "again"))
    return audience


def _refuse_while_live(audience: Audience) -> None:
    job = jobs.find_job(audience.job_id) if audience.job_id else None
    if job is not None and job.is_live:
        raise Conflict("This audience is being made right now. Wait until it is done.")
