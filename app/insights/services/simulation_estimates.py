"""What a simulation will take, before it runs: a panel's size against each provider's price and pace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.ai.services.estimates import CallEstimate, estimate_call
from app.ai.services.requests import Task
from app.insights.queries import PersonaPlace
from app.insights.services.facts import persona_context
from app.insights.services.simulation_panel import segments_of

CHARACTERS_PER_TOKEN = 4
PROMPT_TOKENS = 700  # the instructions and the shape of the answer
ANSWER_TOKENS = 380
SAMPLE = 8  # personas whose facts are measured; the others are taken to be as long


@dataclass(frozen=True)
class RunEstimate:
    """A whole run with one provider; cost in millionths of a dollar, None when the price is not known."""

    provider: str
    label: str
    model: str
    cost_micros: int | None
    seconds: float
    basis: str
    sample: int


@dataclass(frozen=True)
class Estimate:
    """`options[0]` is whom the panel is put to; the others are asked when that one does not answer."""

    personas: int
    segments: int
    options: list[RunEstimate]

    @property
    def first(self) -> RunEstimate:
        return self.options[0]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it and the row keeps it."""
        counts = {"personas": self.personas, "segments": self.segments}
        return counts | asdict(self.first) | {"otherwise": [asdict(option) for option in self.options[1:]]}


def estimate(panel: Sequence[PersonaPlace], question: str, message: str) -> Estimate:
    """Cost and time of asking this panel. Reads the ledger, asks nobody."""
    tokens = PROMPT_TOKENS + (_context_length(panel) + len(question) + len(message)) // CHARACTERS_PER_TOKEN
    calls = estimate_call(Task.PANEL, input_tokens=tokens, output_tokens=ANSWER_TOKENS)
    return Estimate(len(panel), len(segments_of(panel)), [_of_run(call, len(panel)) for call in calls])


def _context_length(panel: Sequence[PersonaPlace]) -> int:
    """Characters of what is told about one person, on average."""
    sample = panel[:SAMPLE]
    texts = [json.dumps(persona_context(p.persona, p.segment, p.audience), default=str) for p in sample]
    return sum(map(len, texts)) // len(texts) if texts else 0


def _of_run(call: CallEstimate, people: int) -> RunEstimate:
    cost = None if call.cost_micros is None else call.cost_micros * people
    seconds = round(call.latency_ms * people / 1000, 1)
    return RunEstimate(call.provider, call.label, call.model, cost, seconds, call.basis, call.sample)
