"""First questions worth asking a persona, taken from what troubles it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.insights.models import Persona

LONGEST = 80
_YOURS = {"my": "your", "me": "you", "i": "you", "mine": "yours", "myself": "yourself", "i'm": "you are"}
_ALWAYS = (
    "What would make you switch from what you use today?",
    "Walk me through the last time you bought something like this.",
    "How would you like to hear from a business like ours?",
)


def openers(persona: Persona, already_said: Iterable[str] = (), count: int = 4) -> list[str]:
    """Up to `count` questions that have not been asked yet, the persona's own troubles first."""
    said = {" ".join(text.split()).casefold() for text in already_said}
    own = [f"What bothers you about {_to_you(pain)}?" for pain in _pains(persona)]
    return [question for question in (*own[:2], *_ALWAYS) if question.casefold() not in said][:count]


def _to_you(text: str) -> str:
    """A trouble told in the first person, as one says it to the person."""
    return re.sub(r"\b(?:I'm|I|my|me|mine|myself)\b", lambda match: _YOURS[match.group().lower()], text)


def _pains(persona: Persona) -> list[str]:
    pains = persona.data.get("pain_points")
    if isinstance(pains, str):
        pains = [pains]
    if not isinstance(pains, list):
        return []
    texts = (" ".join(pain.split()).rstrip(" .!?") for pain in pains if isinstance(pain, str))
    return [text[:1].lower() + text[1:] if text[1:2].islower() else text for text in texts if 0 < len(text) <= LONGEST]
