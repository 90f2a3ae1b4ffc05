"""The picture of an audience as one JSON document, and the pieces of it that prompts are given."""

from __future__ import annotations

import json
from typing import Any

from app.ai.services.answers import Answer
from app.insights.models import Audience, AudienceSegment, AudienceStep, Step
from app.insights.queries import PersonaPlace

RESPONSE_FIELDS = {
    "anthropic": "claude_response",
    "openai": "openai_response",
    "deepseek": "deepseek_response",
    "perplexity": "perplexity_response",
    "groq": "groq_response",
}


def citations_json(answer: Answer) -> list[dict[str, Any]]:
    """The sources of an answer as plain values."""
    return [
        {
            "number": c.number,
            "title": c.title,
            "url": c.url,
            "publisher": c.publisher,
            "year": c.year,
            "detail": c.detail,
        }
        for c in answer.citations
    ]


def insight_facts(audience: Audience) -> dict[str, Any]:
    return {
        "summary": audience.summary,
        "total_addressable_market": audience.total_addressable_market,
        "key_insights": list(audience.key_insights),
        "recommendations": list(audience.recommendations),
    }


def audience_insight(audience: Audience, segments: list[AudienceSegment], people: list[PersonaPlace]) -> dict[str, Any]:
    """The contract's AudienceInsight: the summary with segments, each with its personas."""
    return {
        "summary": audience.summary,
        "total_addressable_market": audience.total_addressable_market,
        "key_insights": list(audience.key_insights),
        "segments": [
            segment.as_facts()
            | {"personas": [{"name": p.persona.name, **p.persona.data} for p in people if p.segment.id == segment.id]}
            for segment in segments
        ],
        "recommendations": list(audience.recommendations),
    }


def keep_response(
    audience: Audience, steps: list[AudienceStep], segments: list[AudienceSegment], people: list[PersonaPlace]
) -> None:
    """Keep the whole picture as the response of the provider that found the insight, as the contract shows."""
    provider = next((step.provider for step in steps if step.name == Step.INSIGHT), "")
    if provider in RESPONSE_FIELDS:
        text = json.dumps(audience_insight(audience, segments, people), ensure_ascii=False)
        setattr(audience, RESPONSE_FIELDS[provider], text)
