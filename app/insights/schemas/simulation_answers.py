"""The shapes of what the insight contract answers about simulations."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.core.describe import Message
from app.insights.models import SimulationState

Stances = dict[Literal["1", "2", "3", "4", "5"], int]
COST = Field(description="In millionths of a US dollar; null when the price is not known.")
MEAN = Field(description="From 1, strongly against, to 5, strongly for; null when nobody has answered.")


class RunEstimate(BaseModel):
    """What asking the whole panel takes with one provider."""

    provider: str
    label: str
    model: str
    cost_micros: int | None = COST
    seconds: float
    basis: str = Field(description="What the figures rest on.")
    sample: int


class PanelEstimate(RunEstimate):
    """The size of the panel, and what asking it takes; `otherwise` is who is asked when the first does not answer."""

    personas: int
    segments: int
    otherwise: list[RunEstimate]


class Weighted(BaseModel):
    """The figures with each segment counting by its share of the audience."""

    by: Literal["size_percentage"]
    mean_stance: float
    percent: dict[Literal["1", "2", "3", "4", "5"], float]


class SegmentStance(BaseModel):
    """How one segment answered."""

    segment_id: int | None
    name: str
    mean_stance: float | None = MEAN


class SegmentPart(SegmentStance):
    """How one segment answered, in numbers."""

    size_percentage: int | None
    answered: int
    distribution: Stances


class Ranked(BaseModel):
    """Something several said, and who."""

    text: str
    count: int
    personas: list[str]
    variants: list[str]


class ThemeCount(BaseModel):
    """How many objections are of one kind."""

    theme: str
    count: int


class Quote(BaseModel):
    """One persona's words."""

    persona_id: int | None
    persona: str
    segment: str
    stance: int
    quote: str


class PanelResults(BaseModel):
    """What the panel's answers add up to."""

    asked: int
    answered: int
    failed: int
    mean_stance: float | None = MEAN
    distribution: Stances
    lean_yes: int
    lean_no: int
    undecided: int
    weighted: Weighted | None
    segments: list[SegmentPart]
    best_segment: SegmentStance | None
    worst_segment: SegmentStance | None
    reasons: list[Ranked]
    objections: list[Ranked]
    objection_themes: list[ThemeCount]
    changes: list[Ranked]
    quotes: list[Quote]
    headline: str


class SimulationRow(BaseModel):
    """A simulation as lists show it. No ids mean that everyone in the audience is asked."""

    id: int
    audience_id: int
    name: str
    description: str
    segment_ids: list[int]
    persona_ids: list[int]
    type: Literal["default", "optimization"]
    question: str
    message: str
    seed: int
    state: SimulationState
    error: str | None
    estimate: PanelEstimate
    headline: str | None
    mean_stance: float | None = MEAN
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SimulationWhole(SimulationRow):
    """A simulation with its results, null until there are any."""

    results: PanelResults | None


class ModelUsed(BaseModel):
    provider: str
    model: str


class PanelUsage(BaseModel):
    """What a run has taken so far."""

    input_tokens: int
    output_tokens: int
    cost_micros: int | None = COST
    latency_ms: int
    models: list[ModelUsed]


class PanelReplyShown(BaseModel):
    """What one persona answered; `error` says why there is no answer."""

    persona_id: int | None
    persona_name: str
    segment_id: int | None
    segment_name: str
    stance: int | None
    reasons: list[str]
    objections: list[str]
    quote: str
    would_change: str
    error: str | None
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_micros: int | None = COST
    latency_ms: int
    created_at: datetime


class SimulationReport(SimulationWhole):
    """A simulation with its results, what it took and every reply."""

    usage: PanelUsage
    replies: list[PanelReplyShown]


class SimulationChanged(Message):
    """What was done, and the simulation as lists show it."""

    simulation: SimulationRow


class SimulationAnswered(Message):
    """What was done, and the simulation."""

    simulation: SimulationWhole
