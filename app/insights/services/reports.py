"""Texts an AI writes about an audience on request."""

from __future__ import annotations

from typing import Any

from app.ai.services.prompts import all_prompts, get_prompt
from app.ai.services.requests import Task
from app.core.activity import record_activity
from app.core.db import db, find_row, get_required, unit_of_work
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.insights.events import AudienceChanged
from app.insights.models import Audience, AudienceReport, StepState
from app.insights.queries import list_audience_personas, list_segments
from app.insights.services import instructions, picture
from app.insights.services.asking import PROMPT_OF, ask_text
from app.insights.services.pipeline import note_answer

TASKS = {
    "perplexity": Task.RESEARCH,
    "expert_reflection": Task.REFLECTION,
    "simulation": Task.MARKET_SIMULATION,
    "optimization": Task.OPTIMIZATION,
}
TITLES = {
    "perplexity": "Research",
    "expert_reflection": "Expert reflection",
    "simulation": "Market simulation",
    "optimization": "Optimization",
}
PROVIDER_NAMES = {"anthropic": "claude"}


def request_report(audience_id: int, prompt_type: str, *, deep: bool | None = None) -> AudienceReport:
    """Ask for a text; one of a kind at a time, so a second click joins the first."""
    audience = get_required(Audience, audience_id, for_update=True)
    is_deep = bool(all_prompts()["deep_research"]) if deep is None else deep
    report = AudienceReport(audience_id=audience.id, prompt_type=prompt_type, is_deep=is_deep, state=StepState.WAITING)
    report.prompt_used = get_prompt(PROMPT_OF[TASKS[prompt_type]]).text
    db.session.add(report)
    db.session.flush()
    job = enqueue(
        "insights.generate_report",
        unique_key=f"report:{audience.id}:{prompt_type}:{is_deep}",
        label=f"{audience.name}: {TITLES[prompt_type].lower()}",
        url=f"/app/audiences/{audience.id}",
        report_id=report.id,
    )
    if job.arguments["report_id"] != report.id:
        db.session.delete(report)
        return get_required(AudienceReport, job.arguments["report_id"])
    report.job_id = job.id
    emit(AudienceChanged(current_tenant_id(), audience.id, "reports"))
    return report


def write(report_id: int) -> None:
    """Write the text. Nothing happens when it is written already or its audience is gone."""
    with unit_of_work():
        report = find_row(AudienceReport, report_id)
        if report is None or report.state == StepState.DONE:
            return
        report.state = StepState.RUNNING
        emit(AudienceChanged(current_tenant_id(), report.audience_id, "reports"))
        task, deep = TASKS[report.prompt_type], report.is_deep
        facts = _facts(get_required(Audience, report.audience_id)) | {"deep": deep}
    instruction = instructions.REPORTS[task] + (instructions.DEEP if deep else "")
    answer = ask_text(task, facts, instruction, deep=deep)
    with unit_of_work():
        _keep(report_id, answer)


def _facts(audience: Audience) -> dict[str, Any]:
    return {
        "brief": audience.brief(),
        "insight": picture.insight_facts(audience),
        "segments": [segment.as_facts() for segment in list_segments(audience.id)],
        "personas": [
            {"name": place.persona.name, "data": dict(place.persona.data), "segment": place.segment.name}
            for place in list_audience_personas(audience.id)[:30]
        ],
    }


def _keep(report_id: int, answer: Any) -> None:
    report = find_row(AudienceReport, report_id)
    if report is None or report.state == StepState.DONE:
        return
    note_answer(report, answer)
    report.text, report.state, report.latency_ms = answer.text, StepState.DONE, answer.latency_ms
    report.citations, report.error = picture.citations_json(answer), None
    audience = get_required(Audience, report.audience_id)
    field = picture.RESPONSE_FIELDS.get(answer.provider)
    if field:
        setattr(audience, field, answer.text)
    title = f"{TITLES[report.prompt_type]} of {audience.name} is written"
    record_activity("report", title, url=f"/app/audiences/{audience.id}")
    emit(AudienceChanged(current_tenant_id(), report.audience_id, "reports"))


def fail(report_id: int, error: str) -> None:
    """Say that the text could not be written."""
    report = find_row(AudienceReport, report_id)
    if report is None or report.state == StepState.DONE:
        return
    report.state, report.error = StepState.FAILED, error
    emit(AudienceChanged(current_tenant_id(), report.audience_id, "reports"))


def provider_label(provider: str) -> str:
    """A provider as the contract's messages name it."""
    return PROVIDER_NAMES.get(provider, provider)
