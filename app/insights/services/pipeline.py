"""Making the picture of an audience: research, insight, segments, personas; each kept as it ends.

Every step looks whether it is done before it asks and again before it saves, both under the write
lock, so a second worker, a repeat after a crash or a deletion in between changes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.ai.services.answers import Answer, Structured
from app.ai.services.prompts import all_prompts
from app.ai.services.requests import Task
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.db import db, find_row, unit_of_work
from app.core.events import emit
from app.core.tenancy import current_tenant_id
from app.insights.events import (
    AudienceChanged,
    AudienceProcessingComplete,
    AudienceProcessingError,
    AudienceProcessingStarted,
)
from app.insights.models import Audience, AudienceSegment, AudienceState, AudienceStep, Persona, Step, StepState
from app.insights.models.answers import InsightAnswer, PersonasAnswer, SegmentsAnswer
from app.insights.queries import list_audience_personas, list_segments, list_steps
from app.insights.services import instructions, picture
from app.insights.services.asking import ask_structured, ask_text

PERSONAS_EACH = 1
LARGE_SHARE = 30

Report = Callable[[int, int, str], None]


class AudienceGone(Exception):
    """The audience was deleted, or this step was done by someone else: nothing is left to do here."""


def run(audience_id: int, report: Report) -> None:
    """Take the audience through all its steps; `report(done, total, note)` hears of each."""
    try:
        _begin(audience_id)
        for number, step in enumerate(Step):
            report(number, len(Step), step.value)
            if _open_step(audience_id, step):
                _STEPS[step](audience_id)
        _complete(audience_id)
        report(len(Step), len(Step), "done")
    except AudienceGone:
        db.session.rollback()


def _audience(audience_id: int) -> Audience:
    audience = find_row(Audience, audience_id)
    if audience is None:
        raise AudienceGone
    return audience


def _step(audience_id: int, name: Step) -> AudienceStep:
    for step in list_steps(audience_id):
        if step.name == name:
            return step
    raise AudienceGone


def _begin(audience_id: int) -> None:
    with unit_of_work():
        audience = _audience(audience_id)
        if audience.state == AudienceState.PROCESSING:
            return  # resumed after a crash: it was announced then
        audience.state, audience.error = AudienceState.PROCESSING, None
        emit(AudienceProcessingStarted(current_tenant_id(), audience.id, audience.user_id, audience.name))


def _open_step(audience_id: int, name: Step) -> bool:
    """Mark the step as running; false when it is done already."""
    with unit_of_work():
        _audience(audience_id)
        step = _step(audience_id, name)
        if step.state == StepState.DONE:
            return False
        step.state, step.error, step.started_at, step.finished_at = StepState.RUNNING, None, utc_now(), None
        emit(AudienceChanged(current_tenant_id(), audience_id, name))
    return True


def _close_step(
    audience_id: int, name: Step, answer: Answer | None, note: str, *, repaired: bool = False
) -> AudienceStep:
    """Keep the step's outcome; in the caller's unit of work."""
    step = _step(audience_id, name)
    if step.state == StepState.DONE:
        raise AudienceGone
    if answer is not None:
        note_answer(step, answer)
        step.is_repaired = step.is_repaired or repaired
    step.state, step.note, step.finished_at = StepState.DONE, note[:300], utc_now()
    emit(AudienceChanged(current_tenant_id(), audience_id, name))
    return step


def note_answer(row: Any, answer: Answer) -> None:
    """Add who answered, and at what cost, to a row that has these columns."""
    row.provider, row.model = answer.provider, answer.model
    row.input_tokens = (row.input_tokens or 0) + answer.usage.input_tokens
    row.output_tokens = (row.output_tokens or 0) + answer.usage.output_tokens
    if answer.usage.cost_micros is not None:
        row.cost_micros = (row.cost_micros or 0) + answer.usage.cost_micros
    if answer.fallbacks:
        row.fallbacks = list(dict.fromkeys([*(row.fallbacks or []), *answer.fallbacks]))


def _research(audience_id: int) -> None:
    brief = _audience(audience_id).brief()
    deep = bool(all_prompts()["deep_research"])
    answer = ask_text(Task.RESEARCH, {"brief": brief, "deep": deep}, instructions.RESEARCH, deep=deep)
    with unit_of_work():
        audience = _audience(audience_id)
        step = _close_step(audience_id, Step.RESEARCH, answer, _count(len(answer.citations), "source"))
        step.text, step.citations = answer.text, picture.citations_json(answer)
        if answer.provider == "perplexity":
            audience.perplexity_response = answer.text


def _insight(audience_id: int) -> None:
    facts = {"brief": _audience(audience_id).brief(), "research": _step(audience_id, Step.RESEARCH).text}
    found = ask_structured(Task.INSIGHT, facts, instructions.INSIGHT, InsightAnswer)
    value = _as(InsightAnswer, found)
    with unit_of_work():
        audience = _audience(audience_id)
        note = "1 repair round" if found.repaired else _count(len(value.key_insights), "insight")
        _close_step(audience_id, Step.INSIGHT, found.answer, note, repaired=found.repaired)
        audience.summary, audience.total_addressable_market = value.summary, value.total_addressable_market
        audience.key_insights, audience.recommendations = value.key_insights, value.recommendations


def _segments(audience_id: int) -> None:
    audience = _audience(audience_id)
    facts = {
        "brief": audience.brief(),
        "research": _step(audience_id, Step.RESEARCH).text,
        "insight": picture.insight_facts(audience),
    }
    found = ask_structured(Task.SEGMENTS, facts, instructions.SEGMENTS, SegmentsAnswer)
    value = _as(SegmentsAnswer, found)
    with unit_of_work():
        _audience(audience_id)
        _close_step(audience_id, Step.SEGMENTS, found.answer, f"{len(value.segments)} found", repaired=found.repaired)
        own = len(list_segments(audience_id))  # segments someone added by hand come first
        for position, segment in enumerate(value.segments, start=own):
            db.session.add(
                AudienceSegment(
                    audience_id=audience_id, position=position, is_generated=True, **segment.model_dump()
                )
            )  # fmt: skip


def _personas(audience_id: int) -> None:
    """One question a segment; segments that have their people are passed over, so a repeat goes on where it was."""
    segments = list_segments(audience_id)
    for segment in [s for s in segments if s.is_generated]:
        _people_of(audience_id, segment, segments)
    with unit_of_work():
        _audience(audience_id)
        _close_step(audience_id, Step.PERSONAS, None, _count(len(list_audience_personas(audience_id)), "persona"))


def _people_of(audience_id: int, segment: AudienceSegment, segments: list[AudienceSegment]) -> None:
    places = list_audience_personas(audience_id)
    if any(place.segment.id == segment.id for place in places):
        return
    count = PERSONAS_EACH + ((segment.size_percentage or 0) >= LARGE_SHARE)
    facts = {
        "brief": _audience(audience_id).brief(),
        "segment": segment.as_facts(),
        "segments": [s.as_facts() for s in segments],
        "count": count,
        "taken_names": [place.persona.name for place in places],
    }
    instruction = instructions.PERSONAS.format(count=count)
    found = ask_structured(Task.PERSONAS, facts, instruction, PersonasAnswer)
    _keep_people(audience_id, segment.id, _as(PersonasAnswer, found), found)


def _keep_people(audience_id: int, segment_id: int, value: PersonasAnswer, found: Structured) -> None:
    with unit_of_work():
        _audience(audience_id)
        if find_row(AudienceSegment, segment_id) is None:
            return
        if any(place.segment.id == segment_id for place in list_audience_personas(audience_id)):
            return
        for position, person in enumerate(value.personas):
            evidence = {key: entry.model_dump(exclude_none=True) for key, entry in person.evidence.items()}
            db.session.add(
                Persona(
                    segment_id=segment_id, position=position, name=person.name, data=person.as_data(),
                    evidence=evidence, is_generated=True,
                )
            )  # fmt: skip
        step = _step(audience_id, Step.PERSONAS)
        note_answer(step, found.answer)
        step.is_repaired = step.is_repaired or found.repaired
        emit(AudienceChanged(current_tenant_id(), audience_id, "personas"))


def _as(schema: type[Any], found: Structured) -> Any:
    if not isinstance(found.value, schema):
        raise TypeError(f"expected {schema.__name__}")
    return found.value


def _complete(audience_id: int) -> None:
    with unit_of_work():
        audience = _audience(audience_id)
        if audience.state == AudienceState.READY:
            return
        audience.state, audience.error = AudienceState.READY, None
        segments = list_segments(audience_id)
        people = list_audience_personas(audience_id)
        picture.keep_response(audience, list_steps(audience_id), segments, people)
        emit(
            AudienceProcessingComplete(
                current_tenant_id(), audience.id, audience.user_id, audience.name, segments_count=len(segments)
            )
        )
        detail = f"{_count(len(segments), 'segment')}, {_count(len(people), 'persona')}."
        record_activity("audience", f"{audience.name} is ready", detail, f"/app/audiences/{audience.id}")


def fail(audience_id: int, error: str) -> None:
    """Say that the pipeline stopped: the step it stopped in keeps the reason, what was done before stays."""
    audience = find_row(Audience, audience_id)
    if audience is None or audience.state == AudienceState.READY:
        return
    audience.state, audience.error = AudienceState.FAILED, error
    for step in list_steps(audience_id):
        if step.state == StepState.RUNNING:
            step.state, step.error, step.finished_at = StepState.FAILED, error, utc_now()
    emit(AudienceProcessingError(current_tenant_id(), audience.id, audience.user_id, audience.name, error=error))
    record_activity("audience", f"{audience.name} stopped", error, f"/app/audiences/{audience_id}", is_failure=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_STEPS: dict[Step, Callable[[int], None]] = {
    Step.RESEARCH: _research,
    Step.INSIGHT: _insight,
    Step.SEGMENTS: _segments,
    Step.PERSONAS: _personas,
}
