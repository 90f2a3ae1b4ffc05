"""What a persona is told before it answers: who it is, what was said so far, what is asked now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.ai.services.prompts import get_prompt
from app.ai.services.rendering import render_messages
from app.ai.services.requests import AIRequest, Task
from app.core.db import db, find_row
from app.insights.models import ChatTurn, Conversation, PanelReply, Simulation
from app.insights.queries import get_place
from app.insights.services.chat_lists import list_turns
from app.insights.services.conversations import LIVE
from app.insights.services.facts import persona_context

PROMPT = "chat_with_persona_prompt"
TURNS_REMEMBERED = 40
CHARACTERS_REMEMBERED = 24_000
MAX_TOKENS = 1500


def compose(conversation: Conversation, turn: ChatTurn) -> tuple[AIRequest, str, str]:
    """The request for this turn's answer, with the name and version of the prompt it was made from."""
    place = get_place(conversation.persona_id)
    context = persona_context(place.persona, place.segment, place.audience)
    context["facts"] = [_with_basis(fact, place.persona.evidence) for fact in context["facts"]]
    known = context | _simulation(conversation)
    said = _said_before(turn)
    message = said.pop()["content"] if said and said[-1]["role"] == "user" else ""
    prompt = get_prompt(PROMPT)
    request = AIRequest(
        Task.CHAT,
        render_messages(prompt, data=known, question=message, history=said),
        facts={**known, "history": said, "message": message},
        max_tokens=MAX_TOKENS,
    )
    return request, prompt.name, prompt.ref


def _with_basis(fact: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    """The fact with what it rests on, where that is known."""
    entry = evidence.get(fact["key"])
    if not isinstance(entry, dict):
        return fact
    return fact | {key: str(entry[key])[:400] for key in ("basis", "url") if entry.get(key)}


def _said_before(turn: ChatTurn) -> list[dict[str, str]]:
    """The newest turns before this one that fit in memory, oldest first; failed answers were never said."""
    turns = list_turns(turn.conversation_id, before=turn.position, limit=TURNS_REMEMBERED)
    said: list[dict[str, str]] = []
    room = CHARACTERS_REMEMBERED
    for earlier in reversed(turns):
        if not earlier.content or earlier.state in LIVE:
            continue
        room -= len(earlier.content)
        if room < 0 and said:
            break
        said.append({"role": earlier.role, "content": earlier.content})
    return said[::-1]


def _simulation(conversation: Conversation) -> dict[str, Any]:
    """What this persona was asked in the simulation the conversation belongs to, and what it replied."""
    simulation = find_row(Simulation, conversation.simulation_id) if conversation.simulation_id else None
    if simulation is None:
        return {}
    reply = db.session.scalars(
        select(PanelReply).where(
            PanelReply.simulation_id == simulation.id, PanelReply.persona_id == conversation.persona_id
        )
    ).one_or_none()
    asked = {"question": simulation.question, "message": simulation.message}
    if reply is None or reply.stance is None:
        return {"simulation": asked}
    return {"simulation": asked | {"stance": reply.stance, "reasons": list(reply.reasons), "quote": reply.quote}}
