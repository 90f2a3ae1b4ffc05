"""Rows as the insight contract shows them; `outgoing` and `simulation_answers` describe these shapes."""

from __future__ import annotations

from typing import Any

from app.core.clock import iso
from app.insights.models import Audience, AudienceSegment, PanelReply, Persona, Simulation


def audience_out(audience: Audience, *, whole: bool) -> dict[str, Any]:
    """An audience as the contract's list (or, `whole`, its detail) shows it."""
    out: dict[str, Any] = {"id": audience.id, **audience.brief()}
    if whole:
        for provider in ("claude", "openai", "deepseek", "perplexity", "groq"):
            out[f"{provider}_response"] = getattr(audience, f"{provider}_response")
        return out | {"created_at": iso(audience.created_at), "updated_at": iso(audience.updated_at)}
    return out | {"updated_at": iso(audience.updated_at), "created_at": iso(audience.created_at)}


def segment_out(segment: AudienceSegment, *, whole: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"id": segment.id, "name": segment.name, "description": segment.description}
    if whole:
        out["audience_id"] = segment.audience_id
    return out | {"created_at": iso(segment.created_at), "updated_at": iso(segment.updated_at)}


def persona_out(persona: Persona, *, whole: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"id": persona.id, "name": persona.name}
    if whole:
        out["segment_id"] = persona.segment_id
    return out | {
        "data": persona.data,
        "created_at": iso(persona.created_at),
        "updated_at": iso(persona.updated_at),
    }


def simulation_out(simulation: Simulation, *, whole: bool) -> dict[str, Any]:
    """A simulation as lists show it, or, `whole`, with what the panel's answers add up to."""
    names = ("id", "audience_id", "name", "description", "segment_ids", "persona_ids", "type", "question", "message",
             "seed", "state", "error", "estimate")  # fmt: skip
    out: dict[str, Any] = {name: getattr(simulation, name) for name in names}
    results = simulation.results or {}
    out["headline"], out["mean_stance"] = results.get("headline"), results.get("mean_stance")
    for name in ("started_at", "finished_at", "created_at", "updated_at"):
        out[name] = iso(getattr(simulation, name))
    return out | {"results": simulation.results} if whole else out


def panel_reply_out(reply: PanelReply) -> dict[str, Any]:
    """What one persona answered; `error` says why there is no answer."""
    names = ("persona_id", "persona_name", "segment_id", "segment_name", "stance", "reasons", "objections", "quote",
             "would_change", "error", "provider", "model", "input_tokens", "output_tokens", "cost_micros",
             "latency_ms")  # fmt: skip
    return {name: getattr(reply, name) for name in names} | {"created_at": iso(reply.created_at)}
