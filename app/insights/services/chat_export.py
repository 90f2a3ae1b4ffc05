"""A conversation as a Markdown document, each claim with the fact it points at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.core.clock import utc_now
from app.insights.models import ChatTurn, Conversation
from app.insights.queries import PersonaPlace
from app.insights.services.chat_text import numbers_in

_PLAIN = re.compile(r"[^\w]+", re.ASCII)


def file_name(conversation: Conversation, place: PersonaPlace) -> str:
    """`priya-nair-why-the-box-lost-her.md`."""
    words = _PLAIN.sub("-", f"{place.persona.name} {conversation.title}".lower()).strip("-")
    return f"{words[:80].strip('-') or 'conversation'}.md"


def to_markdown(conversation: Conversation, place: PersonaPlace, turns: Iterable[ChatTurn]) -> str:
    """Who spoke, when, and what the answers rest on. The persona is named as one, not as a real person."""
    turns = list(turns)
    head = [
        f"# {_line(conversation.title or 'Conversation')}",
        f"With **{_line(place.persona.name)}**, a persona of the segment {_line(place.segment.name)} "
        f"in the audience {_line(place.audience.name)}. Not a real person.",
        f"Exported {utc_now():%Y-%m-%d %H:%M} UTC.",
    ]
    return "\n\n".join([*head, *(_said(turn, place.persona.name) for turn in turns), *_facts(turns)]) + "\n"


def _said(turn: ChatTurn, name: str) -> str:
    who = _line(name) if turn.role == "persona" else "You"
    by = f" · {turn.provider} {turn.model}".rstrip() if turn.provider else ""
    stopped = "\n\n*(stopped)*" if turn.state == "stopped" else ""
    return f"## {who}\n\n*{turn.created_at:%Y-%m-%d %H:%M} UTC{by}*\n\n{turn.content}{stopped}"


def _facts(turns: list[ChatTurn]) -> list[str]:
    known: dict[int, dict[str, Any]] = {}
    for turn in turns:
        used = numbers_in(turn.content)
        known |= {fact["n"]: fact for fact in turn.facts if fact["n"] in used}
    if not known:
        return []
    lines = [f"- [{n}] {_line(fact['text'])} ({fact['kind']}{_basis(fact)})" for n, fact in sorted(known.items())]
    return ["## What the answers rest on", "\n".join(lines)]


def _basis(fact: dict[str, Any]) -> str:
    return f": {_line(fact['basis'])}" if fact.get("basis") else ""


def _line(text: str) -> str:
    return " ".join(str(text).split())
