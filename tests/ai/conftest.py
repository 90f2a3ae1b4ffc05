"""Asking the AI door as a tenant whose providers stand in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pydantic import BaseModel, Field

from app.ai.providers.base import AIRequest, ChatMessage, Task


class Slice(BaseModel):
    name: str = Field(min_length=1)
    size_percentage: int = Field(ge=0, le=100)


class Slices(BaseModel):
    segments: list[Slice] = Field(min_length=1, max_length=5)


BRIEF = {
    "name": "Green Fork", "website": "greenfork.example", "business_description": "Organic groceries delivered weekly",
    "industry": "Retail", "customers": "Health-conscious families", "location": "United States", "age_range": "25-45",
    "income_level": "Middle to high", "core_need": "Healthy food without shopping", "additional_info": "",
}  # fmt: skip
FACTS = {"brief": BRIEF, "research": "", "insight": {}, "deep": False}


@pytest.fixture
def ask() -> Callable[..., AIRequest]:
    """A request, short of time so that nothing in a test waits long."""

    def make(text: str = "What do families buy?", task: Task = Task.RESEARCH, **more: object) -> AIRequest:
        messages = (ChatMessage("system", "Be short."), ChatMessage("user", text))
        return AIRequest(task, messages, **{"facts": FACTS, "timeout_seconds": 1.5, **more})

    return make


@pytest.fixture
def ask_slices(ask) -> AIRequest:
    return ask("Make segments.", Task.SEGMENTS, schema=Slices)


@pytest.fixture
def tenant(member, in_tenant) -> Iterator[int]:
    """Act as a tenant."""
    with in_tenant(member.tenant_id):
        yield member.tenant_id


@pytest.fixture
def platform_keys(sandbox, settings_override) -> Callable[..., None]:
    """Give the platform keys for these providers, all in the sandbox; they are asked in this order."""
    from app.ai.services import clients

    clients.clear()

    def use(*names: str, retries: int = 2) -> None:
        order = ",".join((*names, "builtin"))
        settings_override(ai_order=order, ai_research_order=order, ai_max_retries=retries)
        for name in names:
            settings_override(
                **{
                    f"{name}_api_key": f"sk-live-{name}-0123456789",
                    f"{name}_base_url": sandbox.base_url(name),
                    f"{name}_model": "local-model" if name == "local" else "",
                }
            )

    return use


@pytest.fixture
def providers(platform_keys, tenant) -> Callable[..., None]:
    """The same, while acting as a tenant."""
    return platform_keys


@pytest.fixture
def ledger(tenant) -> Callable[[], list[tuple[str, str, str]]]:
    """(provider, outcome, failure) of every attempt so far, oldest first."""

    def read() -> list[tuple[str, str, str]]:
        from app.ai.queries import list_calls

        return [(row.provider, row.outcome, row.failure) for row in reversed(list_calls())]

    return read
