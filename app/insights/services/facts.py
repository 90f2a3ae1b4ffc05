"""What a persona is known to be, as numbered facts that an answer can point at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.insights.models import Audience, AudienceSegment, Persona

MAX_FACTS = 120
MAX_TEXT = 500
_ORDER = (
    "age", "gender", "occupation", "income", "education", "location", "household", "goals", "pain_points", "behaviors",
    "values", "preferred_channels", "purchasing_habits", "interests", "quote",
)  # fmt: skip


def persona_facts(persona: Persona, segment: AudienceSegment | None, audience: Audience | None) -> list[dict[str, Any]]:
    """`[{n, key, text, kind}]`: the persona's fields, then what is said of the segment. Same data, same numbers."""
    found: list[tuple[str, str, str]] = []
    for key in sorted(persona.data, key=lambda k: (_ORDER.index(k) if k in _ORDER else len(_ORDER), k)):
        kind = _kind(persona.evidence, key)
        found += [(key, text, kind) for text in _texts(persona.data[key])]
    if segment is not None:
        found += [("segment", text, "inferred") for text in _texts(segment.description)]
        found += [("segment_characteristics", text, "inferred") for text in _texts(segment.key_characteristics)]
    if audience is not None and audience.core_need:
        found.append(("core_need", audience.core_need[:MAX_TEXT], "inferred"))
    return [{"n": n, "key": k, "text": t, "kind": e} for n, (k, t, e) in enumerate(found[:MAX_FACTS], start=1)]


def _kind(evidence: Mapping[str, Any], key: str) -> str:
    entry = evidence.get(key)
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    return kind if kind in ("observed", "inferred", "invented") else "invented"


def _texts(value: Any, prefix: str = "") -> list[str]:
    """Any JSON value as short lines of text; a nested one keeps its path."""
    if value is None or value == "":
        return []
    if isinstance(value, Mapping):
        return [line for key, inner in value.items() for line in _texts(inner, f"{prefix}{key}: ")]
    if isinstance(value, list):
        return [line for inner in value for line in _texts(inner, prefix)]
    if isinstance(value, bool):
        return [f"{prefix}{'yes' if value else 'no'}"]
    return [f"{prefix}{value}"[:MAX_TEXT]]


def persona_context(persona: Persona, segment: AudienceSegment | None, audience: Audience | None) -> dict[str, Any]:
    """The part of an AIRequest's `facts` that tells who is speaking."""
    return {
        "persona": {"name": persona.name, "data": dict(persona.data), "evidence": dict(persona.evidence)},
        "segment": segment.as_facts() if segment else {},
        "brief": audience.brief() if audience else {},
        "facts": persona_facts(persona, segment, audience),
    }
