"""What a call will cost and how long it will take, before it is made: from the ledger, else from list prices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean

from sqlalchemy import select

from app.ai.models import AICall, Outcome
from app.ai.providers.base import Task
from app.ai.providers.pricing import cost_micros
from app.ai.providers.registry import DEFAULT_MODELS
from app.ai.services.candidates import Candidate, lineup_for
from app.ai.services.names import BUILTIN, label_of
from app.core.clock import utc_now
from app.core.db import db

ENOUGH_CALLS = 3
LAST_CALLS = 200
MEMORY = timedelta(days=30)
BUILTIN_LATENCY_MS = 300
MODEL_LATENCY_MS = 7_000


@dataclass(frozen=True)
class CallEstimate:
    """One call to one provider. `basis`: free, history (`sample` past calls), list_price, or unknown price."""

    provider: str
    label: str
    model: str
    cost_micros: int | None
    latency_ms: int
    basis: str
    sample: int = 0


@dataclass(frozen=True)
class _Past:
    latency_ms: int
    cost_micros: int | None


def estimate_call(task: Task, *, input_tokens: int, output_tokens: int) -> list[CallEstimate]:
    """One estimate for each provider the acting tenant's task would be put to, in the order they are asked."""
    past = _past_calls(task)
    return [_estimate(c, past, input_tokens, output_tokens) for c in lineup_for(task).candidates]


def _past_calls(task: Task) -> dict[tuple[str, str], list[_Past]]:
    """What answered calls of this kind took lately, by provider and model."""
    rows = db.session.execute(
        select(AICall.provider, AICall.model, AICall.latency_ms, AICall.cost_micros)
        .where(
            AICall.created_at >= utc_now() - MEMORY,
            AICall.task == task,
            AICall.outcome.in_((Outcome.OK, Outcome.REPAIRED)),
        )
        .order_by(AICall.created_at.desc())
        .limit(LAST_CALLS)
    )
    found: dict[tuple[str, str], list[_Past]] = defaultdict(list)
    for provider, model, latency_ms, cost in rows:
        found[provider, model].append(_Past(latency_ms, cost))
    return found


def _estimate(
    candidate: Candidate, past: dict[tuple[str, str], list[_Past]], input_tokens: int, output_tokens: int
) -> CallEstimate:
    label, name = label_of(candidate.name), candidate.name
    model = candidate.model or DEFAULT_MODELS.get(name, "")
    calls = past.get((name, model), [])
    latency_ms = round(fmean(c.latency_ms for c in calls)) if len(calls) >= ENOUGH_CALLS else MODEL_LATENCY_MS
    if name == BUILTIN:
        return CallEstimate(name, label, "", 0, BUILTIN_LATENCY_MS, "free")
    costs = [c.cost_micros for c in calls if c.cost_micros is not None]
    if len(costs) >= ENOUGH_CALLS and len(costs) == len(calls):
        return CallEstimate(name, label, model, round(fmean(costs)), latency_ms, "history", len(calls))
    cost = cost_micros(name, model, input_tokens=input_tokens, output_tokens=output_tokens)
    return CallEstimate(name, label, model, cost, latency_ms, "unknown" if cost is None else "list_price")
