"""What the conversation pages show, gathered in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import url_for
from markupsafe import Markup

from app.core.db import find_row
from app.insights.models import ChatTurn, Conversation, Simulation
from app.insights.queries import PersonaPlace, get_place
from app.insights.services import chat_lists, chat_live
from app.insights.services.chat_openers import openers
from app.insights.services.chat_text import to_html, without_marks
from app.insights.services.conversations import LIVE

LIVE_STAMP = "live"


@dataclass(frozen=True)
class TurnView:
    """A message as it is drawn."""

    turn: ChatTurn
    html: Markup
    plain: str
    partial: chat_live.Partial
    versions: int = 0
    is_last: bool = False

    @property
    def is_live(self) -> bool:
        return self.turn.state in LIVE

    @property
    def stamp(self) -> str:
        """Changes when the message must be drawn again; not while it is being written."""
        if self.is_live:
            return LIVE_STAMP
        return f"{self.turn.state}.{self.turn.updated_at.timestamp():.6f}.{self.versions}.{int(self.is_last)}"


def view_turn(turn: ChatTurn, *, versions: int = 0, is_last: bool = False) -> TurnView:
    """A persona's finished words become HTML; the rest is shown as it is."""
    if turn.state in LIVE:
        partial = chat_live.read(turn.id)
        partial = partial if partial.text else chat_live.Partial(partial.run, turn.content)
        return TurnView(turn, Markup(), "", partial, versions, is_last)
    if turn.role == "user":
        return TurnView(turn, Markup(), turn.content, chat_live.Partial(), versions, is_last)
    html = to_html(turn.content, [fact["n"] for fact in turn.facts], lambda n: _cite(turn, n))
    return TurnView(turn, html, without_marks(turn.content), chat_live.Partial(), versions, is_last)


def _cite(turn: ChatTurn, n: int) -> Markup:
    """A number one can press; without JavaScript it is a link to the fact."""
    url = url_for("chat_pages.show", conversation_id=turn.conversation_id, answer=turn.id, _anchor=f"fact-{n}")
    return Markup('<a class="ply-cite" href="{}" data-cite="{}" data-answer="{}" aria-label="Fact {}">{}</a>').format(
        url, n, turn.id, n, n
    )


def view_turns(conversation_id: int, before: int | None = None) -> tuple[list[TurnView], int | None]:
    """The newest messages (or those before a position) and, if there are earlier ones, the first position shown."""
    turns = chat_lists.list_turns(conversation_id, before=before, limit=chat_lists.TURNS_SHOWN + 1)
    has_earlier = len(turns) > chat_lists.TURNS_SHOWN
    turns = turns[-chat_lists.TURNS_SHOWN :]
    positions = [turn.position for turn in turns if turn.role == "persona"]
    versions = chat_lists.count_earlier_versions(conversation_id, positions) if positions else {}
    last = turns[-1].id if turns and before is None else None
    views = [view_turn(t, versions=versions.get(t.position, 0), is_last=t.id == last) for t in turns]
    return views, (turns[0].position if has_earlier else None)


def view_conversation(
    conversation: Conversation, *, before: int | None = None, answer: int | None = None
) -> dict[str, Any]:
    """Everything the stream, the composer and the evidence drawer are drawn from."""
    place = get_place(conversation.persona_id)
    turns, earlier = view_turns(conversation.id, before)
    simulation = find_row(Simulation, conversation.simulation_id) if conversation.simulation_id else None
    said = [view.plain for view in turns if view.turn.role == "user"]
    return {
        "conversation": conversation,
        "place": place,
        "persona": place.persona,
        "first_name": first_name(place),
        "about": about(place),
        "hue": place.segment.position + 1,
        "simulation": simulation,
        "turns": turns,
        "earlier": earlier,
        "before": before,
        "is_answering": any(view.is_live for view in turns),
        "evidence": _evidence(conversation, turns, answer),
        "openers": openers(place.persona, said),
        "nonce": uuid4().hex,
        "last_answer": next((v.turn for v in reversed(turns) if v.turn.role == "persona" and not v.is_live), None),
    }


def _evidence(conversation: Conversation, turns: list[TurnView], answer: int | None) -> ChatTurn | None:
    """The answer whose facts the drawer shows: the one asked for, else the newest that points at any."""
    if answer is not None:
        turn = find_row(ChatTurn, answer)
        return turn if turn is not None and turn.conversation_id == conversation.id else None
    answers = [view.turn for view in reversed(turns) if view.turn.role == "persona" and not view.is_live]
    return next((turn for turn in answers if turn.facts), answers[0] if answers else None)


def first_name(place: PersonaPlace) -> str:
    """What one calls the persona: the first word of its name that is not a title."""
    words = [word for word in place.persona.name.split() if word.rstrip(".").lower() not in {"dr", "mr", "mrs", "ms"}]
    return (words or [place.persona.name])[0]


def about(place: PersonaPlace) -> str:
    """`34, Leeds, Weeknight rescuers`: what is known, in a line."""
    data = place.persona.data
    parts = [data.get("age"), data.get("occupation"), data.get("location"), place.segment.name]
    return ", ".join(str(part) for part in parts if isinstance(part, str | int) and part)
