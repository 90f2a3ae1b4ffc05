"""Putting insights' questions to the AI door: the workspace's prompt, our instruction, the matter as delimited data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from app.ai.services import completion, structured
from app.ai.services.answers import Answer, Structured
from app.ai.services.prompts import get_prompt
from app.ai.services.rendering import render_messages
from app.ai.services.requests import AIRequest, Task

DEEP_SECONDS = 600.0
PROMPT_OF = {
    Task.RESEARCH: "perplexity_prompt",
    Task.INSIGHT: "insight_prompt",
    Task.SEGMENTS: "segments_prompt",
    Task.PERSONAS: "create_persona_prompt",
    Task.REFLECTION: "expert_reflection_prompt",
    Task.MARKET_SIMULATION: "run_simulation_prompt",
    Task.OPTIMIZATION: "run_optimization_simulation_prompt",
}


def make_request(
    task: Task,
    facts: Mapping[str, Any],
    instruction: str,
    *,
    schema: type[BaseModel] | None = None,
    deep: bool = False,
    max_tokens: int = 4096,
) -> tuple[AIRequest, str, str]:
    """The request with the name and version of the prompt it was made from."""
    prompt = get_prompt(PROMPT_OF[task])
    messages = render_messages(prompt, data=facts, question=instruction)
    request = AIRequest(task, tuple(messages), facts, schema, max_tokens=max_tokens, deep_research=deep)
    if deep:
        request = replace(request, timeout_seconds=DEEP_SECONDS)
    return request, prompt.name, prompt.ref


def ask_text(task: Task, facts: Mapping[str, Any], instruction: str, *, deep: bool = False) -> Answer:
    """A text answer. No unit of work may be open."""
    request, name, version = make_request(task, facts, instruction, deep=deep, max_tokens=8192 if deep else 4096)
    return completion.complete_text(request, prompt_name=name, prompt_version=version)


def ask_structured(task: Task, facts: Mapping[str, Any], instruction: str, schema: type[BaseModel]) -> Structured:
    """An answer of the schema's shape. No unit of work may be open."""
    request, name, version = make_request(task, facts, instruction, schema=schema)
    return structured.complete_structured(request, prompt_name=name, prompt_version=version)
