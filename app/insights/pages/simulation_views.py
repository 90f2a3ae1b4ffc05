"""What the simulation pages show, gathered from services: plain values for templates."""

from __future__ import annotations

from typing import Any

from app.core.errors import AppError
from app.insights.models import AudienceSegment, PanelReply, Simulation
from app.insights.queries import list_segments
from app.insights.services import simulation_lists, simulation_panel, simulation_report
from app.insights.services.simulation_run import LIVE

LIST_PAGE = 24
MONOGRAM_FALLBACK = 1


def form_errors(error: AppError) -> dict[str, str]:
    """Field name to sentence, for the form's summary; what names no field stands under "form"."""
    problems = error.details.get("errors")
    if problems:
        return {item["field"].split(".")[0] or "form": item["message"] for item in problems}
    return {error.details.get("field") or "form": error.message}


def report_context(simulation_id: int) -> dict[str, Any]:
    """Everything the report shows, in a fixed number of queries; NotFound for another tenant's."""
    row = simulation_lists.get_row(simulation_id)
    simulation = row.simulation
    replies = simulation_lists.list_replies(simulation.id)
    segments = list_segments(simulation.audience_id)
    panel = simulation_panel.resolve(simulation.audience_id, simulation.segment_ids, simulation.persona_ids)
    heard = {reply.persona_id for reply in replies}
    is_live = simulation.state in LIVE
    results = simulation.results or {}
    return {
        "simulation": simulation,
        "audience": row.audience,
        "results": results,
        "replies": replies,
        "waiting": [place for place in panel if place.persona.id not in heard],
        "asked": max(len(panel), len(replies)),
        "is_live": is_live,
        "usage": simulation_report.usage_of(replies),
        "personas": simulation_lists.personas_by_id(replies),
        "segment_number": _numbers(segments),
        "stance_rows": _stance_rows(results),
        "persona_rows": [(reply.persona_name, reply.stance) for reply in replies if reply.stance],
        "failed": [reply for reply in replies if reply.error],
        "comparable": [] if is_live else simulation_lists.list_comparable(simulation),
        "seconds_left": _seconds_left(simulation, panel_size=len(panel), replies=replies) if is_live else None,
        "stance_words": simulation_report.STANCE_WORDS,
    }


def _numbers(segments: list[AudienceSegment]) -> dict[int, int]:
    """Which of the series colours a segment has, as on the audience's page."""
    return {segment.id: n for n, segment in enumerate(segments, start=1)}


def _stance_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    if not results.get("answered"):
        return []
    everyone = {"name": "Everyone", "distribution": results["distribution"], "mean_stance": results["mean_stance"]}
    return [
        {"name": part["name"], "counts": list(part["distribution"].values()), "mean": part["mean_stance"]}
        for part in [everyone, *results["segments"]]
    ]


def _seconds_left(simulation: Simulation, *, panel_size: int, replies: list[PanelReply]) -> float:
    """From how long the answers so far took, before the first from the estimate."""
    took = [reply.latency_ms / 1000 for reply in replies if reply.latency_ms]
    each = sum(took) / len(took) if took else simulation.estimate.get("seconds", 0) / max(1, panel_size)
    return each * max(0, panel_size - len(replies))
