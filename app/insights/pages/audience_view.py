"""What the audience pages show, gathered in a fixed number of queries."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zlib import crc32

from markupsafe import Markup

from app.accounts.guards import may
from app.ai.services.names import label_of
from app.core.activity import list_activity
from app.core.clock import utc_now
from app.core.formats import cost, duration
from app.insights import queries
from app.insights.models import Audience, AudienceState, AudienceStep, Step, StepState
from app.insights.pages.audience_forms import FIELDS
from app.insights.services import audience_lists, chat_text, reports

STEP_LABELS = {Step.RESEARCH: "Research", Step.INSIGHT: "Insight", Step.SEGMENTS: "Segments", Step.PERSONAS: "Personas"}
STEP_STATES = {StepState.DONE: "done", StepState.RUNNING: "now", StepState.FAILED: "bad", StepState.WAITING: "wait"}
NOW_TITLES = {
    Step.RESEARCH: "Reading up on the market",
    Step.INSIGHT: "Working out what matters",
    Step.SEGMENTS: "Segments are taking shape",
    Step.PERSONAS: "Personas are arriving",
}
STATES = {
    AudienceState.QUEUED: ("waiting", "live"),
    AudienceState.PROCESSING: ("being made", "live"),
    AudienceState.READY: ("ready", "ok"),
    AudienceState.FAILED: ("stopped", "bad"),
}
_UNSTEADY = re.compile(
    r'<input type="hidden" name="csrf_token"[^>]*>|<time[^>]*>[^<]*</time>|data-elapsed="\d+">[^<]*<'
)


def fingerprint(html: str) -> str:
    """The same for the same content, whatever the time of day or the form's token."""
    return f"{crc32(_UNSTEADY.sub('', html).encode()):08x}"


def frame(audience: Audience, tab: str) -> dict[str, Any]:
    """What every tab of an audience shows."""
    steps = queries.list_steps(audience.id)
    counts = queries.audience_counts(audience.id)
    base = f"/app/audiences/{audience.id}"
    sources = next((len(step.citations) for step in steps if step.name == Step.RESEARCH), 0)
    tabs = [
        ("overview", "Overview", base, 0),
        ("research", "Research", f"{base}/research", sources),
        ("reports", "Reports", f"{base}/reports", counts.reports),
        ("simulations", "Simulations", f"/app/simulations?audience={audience.id}", counts.simulations),
        ("activity", "Activity", f"{base}/activity", 0),
        ("brief", "Brief", f"{base}/brief", 0),
    ]
    return {
        "audience": audience,
        "steps": steps,
        "tabs": [{"label": label, "url": url, "count": n, "current": name == tab} for name, label, url, n in tabs],
        "extent": audience_lists.audience_extent(audience.id),
        "replaced": audience_lists.audience_extent(audience.id, generated_only=True),
        "is_live": audience.state in (AudienceState.QUEUED, AudienceState.PROCESSING),
        "is_failed": audience.state == AudienceState.FAILED,
        "typed_name": typed_name(audience.name),
    }


def typed_name(name: str) -> str:
    """What one types to confirm: the name, unless it cannot be typed into one line."""
    return name if name.isprintable() and len(name) <= 60 and "  " not in name else "delete"


def overview(audience: Audience) -> dict[str, Any]:
    view = frame(audience, "overview")
    segments = queries.list_segments(audience.id)
    people = queries.list_audience_personas(audience.id)
    sizes = [segment.size_percentage or 0 for segment in segments if segment.size_percentage is not None]
    steps = view["steps"]
    return view | {
        "segments": segments,
        "people": people,
        "fields": FIELDS,
        "progress": progress(audience, steps),
        "is_sized": bool(sizes),
        "shares_total": sum(sizes),
        "unsized": sum(segment.size_percentage is None for segment in segments),
        "largest_share": max(sizes, default=100) or 100,
        "waiting_for_people": _waiting_for_people(steps, segments, people) if view["is_live"] else [],
        "is_awaiting_segments": view["is_live"] and not any(segment.is_generated for segment in segments),
        "has_picture": bool(audience.summary or audience.key_insights or audience.recommendations),
        "by_builtin": any(step.provider == "builtin" for step in steps),
        "fallbacks": list(dict.fromkeys(text for step in steps for text in step.fallbacks)),
        "makers": list(dict.fromkeys(label_of(step.provider) for step in steps if step.provider)),
    }


def _waiting_for_people(steps: list[AudienceStep], segments: list[Any], people: list[Any]) -> list[Any]:
    if not any(step.name == Step.SEGMENTS and step.state == StepState.DONE for step in steps):
        return []
    peopled = {place.segment.id for place in people}
    return [segment for segment in segments if segment.is_generated and segment.id not in peopled]


def progress(audience: Audience, steps: list[AudienceStep]) -> dict[str, Any]:
    """The stepper: each step with its outcome, time, provider and, on failure, what happened."""
    now = next((step for step in steps if step.state == StepState.RUNNING), None)
    bad = next((step for step in steps if step.state == StepState.FAILED), None)
    at = bad or now
    return {
        "title": _title(audience, now, bad),
        "number": at.position + 1 if at else None,
        "total": len(steps),
        "seconds": _seconds(steps),
        "finished_at": max((step.finished_at for step in steps if step.finished_at), default=None),
        "items": [_step_item(audience, step) for step in steps],
    }


def _title(audience: Audience, now: AudienceStep | None, bad: AudienceStep | None) -> str:
    if audience.state == AudienceState.FAILED:
        return f"{STEP_LABELS[Step(bad.name)]} did not work out" if bad else "This audience could not be made"
    if now is not None:
        return NOW_TITLES[Step(now.name)]
    if audience.state == AudienceState.READY:
        return f"{audience.name} is ready"
    return "Waiting for its turn" if audience.state == AudienceState.QUEUED else "Being made"


def _step_item(audience: Audience, step: AudienceStep) -> dict[str, Any]:
    state = STEP_STATES[StepState(step.state)]
    took = _took(step.started_at, step.finished_at) if step.started_at and step.finished_at else ""
    note = ", ".join(part for part in (step.note, took) if part)
    can_retry = step.state == StepState.FAILED and may("insights.write")
    return {
        "label": STEP_LABELS[Step(step.name)],
        "state": state,
        "note": note or {"wait": "waiting", "now": "under way"}.get(state, ""),
        "detail": _maker(step),
        "error": step.error,
        "retry_url": f"/app/audiences/{audience.id}/retry" if can_retry else "",
    }


def _maker(step: AudienceStep) -> str:
    if not step.provider:
        return ""
    if step.provider == "builtin":
        return f"{label_of(step.provider)}, free"
    return f"{label_of(step.provider)} {step.model}, {cost(step.cost_micros)}"


def _took(start: datetime, end: datetime) -> str:
    return spoken_duration((end - start).total_seconds())


def spoken_duration(seconds: float) -> str:
    return "under a second" if seconds < 1 else duration(seconds * 1000)


def opening(text: str, length: int) -> str:
    """The beginning of a text: whole sentences where they fit, else whole words."""
    if len(text) <= length:
        return text
    cut = text[:length]
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: end + 1] if end > length // 4 else cut.rsplit(" ", 1)[0].rstrip(",;:. ") + "…"


def _seconds(steps: list[AudienceStep]) -> float:
    """From the first step's start to the last one's end, or to now while one is open."""
    starts = [step.started_at for step in steps if step.started_at]
    ends = [step.finished_at for step in steps if step.finished_at]
    if not starts:
        return 0
    is_open = any(step.state == StepState.RUNNING for step in steps)
    last = utc_now() if is_open or not ends else max(ends)
    return max(0.0, (last - min(starts)).total_seconds())


def research(audience: Audience) -> dict[str, Any]:
    view = frame(audience, "research")
    step = next((step for step in view["steps"] if step.name == Step.RESEARCH), None)
    html = cited_html(step.text, step.citations) if step and step.text else ""
    return view | {"step": step, "html": html, "citations": step.citations if step else []}


def cited_html(text: str, citations: list[Any], prefix: str = "source") -> Markup:
    """An AI's Markdown as safe HTML whose [n] lead to the list of sources below it."""
    known = [int(c["number"]) for c in citations]
    link = f'<a class="aud-cite" href="#{prefix}-%d" aria-label="Source %d">%d</a>'
    html = chat_text.to_html(text, known, lambda n: link % (n, n, n))
    return Markup(str(html).replace("<h4>", "<h3>").replace("</h4>", "</h3>"))  # noqa: S704 - sanitised; under the page's h2


def reports_view(audience: Audience, chosen_id: int | None) -> dict[str, Any]:
    rows = queries.list_reports(audience.id)
    chosen = next((row for row in rows if row.id == chosen_id), rows[0] if rows else None)
    html = cited_html(chosen.text, chosen.citations) if chosen and chosen.text else ""
    live = any(row.state in (StepState.WAITING, StepState.RUNNING) for row in rows)
    return frame(audience, "reports") | {
        "reports": rows, "chosen": chosen, "html": html, "titles": reports.TITLES, "is_writing": live,
    }  # fmt: skip


def activity(audience: Audience) -> dict[str, Any]:
    return frame(audience, "activity") | {"items": list_activity(50, url=f"/app/audiences/{audience.id}")}
