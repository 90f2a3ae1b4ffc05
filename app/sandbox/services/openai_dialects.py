"""How OpenAI, DeepSeek, Groq and a local server differ where they share one API."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("openai", "deepseek", "groq", "local")


@dataclass(frozen=True)
class Dialect:
    """One platform's models and manners."""

    name: str
    models: tuple[str, ...]
    needs_key: bool = True
    takes_max_tokens: bool = True
    takes_temperature: bool = True
    schema_models: tuple[str, ...] = ()
    streams_schema: bool = True
    thought_field: str = ""


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "openai",
            ("gpt-6.2-sol", "gpt-6.2-astra", "gpt-6-luna", "gpt-5.5", "gpt-5.4-mini"),
            takes_max_tokens=False,
            takes_temperature=False,
            schema_models=("",),
        ),
        Dialect(
            "deepseek",
            ("deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"),
            thought_field="reasoning_content",
        ),
        Dialect(
            "groq",
            (
                "openai/gpt-oss-120b",
                "openai/gpt-oss-20b",
                "llama-3.3-70b-versatile",
                "llama-3.1-8b-instant",
                "qwen/qwen3.6-27b",
            ),
            schema_models=("openai/gpt-oss",),
            streams_schema=False,
            thought_field="reasoning",
        ),
        Dialect("local", ("local-model", "llama3.2:latest"), needs_key=False, schema_models=("",)),
    )
}


def of_model(service: str, model: str) -> Dialect:
    """The dialect a model is spoken to in; under `/openai` the model decides, else the service."""
    if service != "openai":
        return DIALECTS[service]
    known = (dialect for dialect in DIALECTS.values() if model in dialect.models)
    return next(known, DIALECTS["local"] if model.startswith("local") else DIALECTS["openai"])
