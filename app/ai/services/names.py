"""Providers and kinds of work as people call them."""

from __future__ import annotations

from app.ai.providers.base import Task

BUILTIN = "builtin"
LOCAL = "local"
PROVIDERS = ("anthropic", "openai", "deepseek", "groq", "perplexity", LOCAL)
LABELS = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "deepseek": "DeepSeek",
    "groq": "Groq",
    "perplexity": "Perplexity",
    LOCAL: "Local model",
    BUILTIN: "Built-in analyst",
}

# Work people think of as one thing shares one order of providers.
RESEARCH = "research"
GROUPS: dict[str, tuple[Task, ...]] = {
    RESEARCH: (Task.RESEARCH,),
    "audience": (Task.INSIGHT, Task.SEGMENTS, Task.PERSONAS),
    "reports": (Task.REFLECTION, Task.MARKET_SIMULATION, Task.OPTIMIZATION),
    "chat": (Task.CHAT,),
    "panel": (Task.PANEL,),
}
GROUP_LABELS = {
    RESEARCH: "Market research",
    "audience": "Insight, segments and personas",
    "reports": "Reports",
    "chat": "Conversations",
    "panel": "Panels",
}
TASK_LABELS: dict[str, str] = {
    Task.RESEARCH: "Research",
    Task.INSIGHT: "Insight",
    Task.SEGMENTS: "Segments",
    Task.PERSONAS: "Personas",
    Task.REFLECTION: "Expert reflection",
    Task.MARKET_SIMULATION: "Market simulation",
    Task.OPTIMIZATION: "Optimisation",
    Task.CHAT: "Conversation",
    Task.PANEL: "Panel answer",
}


def group_of(task: Task) -> str:
    return next(name for name, tasks in GROUPS.items() if task in tasks)


def label_of(provider: str) -> str:
    return LABELS.get(provider, provider)
