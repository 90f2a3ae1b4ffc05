"""Conversations and their messages as lists, each in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from app.core.clock import in_zone, utc_now
from app.core.db import db
from app.insights.models import AudienceSegment, ChatTurn, Conversation, Persona
from app.insights.queries import like
from app.insights.services.conversations import LIVE

TURNS_SHOWN = 30
CONVERSATIONS_SHOWN = 40
MOST_MESSAGES = 2000


@dataclass(frozen=True)
class ConversationRow:
    """A conversation in the list beside the stream."""

    conversation: Conversation
    persona_name: str
    segment_position: int
    is_answering: bool

    @property
    def last_at(self) -> datetime:
        return self.conversation.last_message_at or self.conversation.created_at


def list_conversations(
    user_id: int, search: str = "", limit: int = CONVERSATIONS_SHOWN, offset: int = 0
) -> list[ConversationRow]:
    """The user's, the last spoken in first."""
    answering = (
        select(ChatTurn.id).where(ChatTurn.conversation_id == Conversation.id, ChatTurn.state.in_(LIVE)).exists()
    )
    statement = (
        select(Conversation, Persona.name, AudienceSegment.position, answering)
        .join(Persona, Persona.id == Conversation.persona_id)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
    )
    rows = db.session.execute(_matching(statement, user_id, search).limit(limit).offset(offset))
    return [ConversationRow(row[0], row[1], row[2] + 1, bool(row[3])) for row in rows]


def count_conversations(user_id: int, search: str = "") -> int:
    statement = select(func.count(Conversation.id)).join(Persona, Persona.id == Conversation.persona_id)
    return db.session.scalar(_matching(statement, user_id, search)) or 0


def _matching(statement: Select[*tuple[Any, ...]], user_id: int, search: str) -> Select[*tuple[Any, ...]]:
    statement = statement.where(Conversation.user_id == user_id)
    if not search.strip():
        return statement
    pattern = like(search.strip())
    said = select(ChatTurn.id).where(
        ChatTurn.conversation_id == Conversation.id, ChatTurn.is_current, ChatTurn.content.ilike(pattern, escape="\\")
    )
    titled = Conversation.title.ilike(pattern, escape="\\")
    return statement.where(or_(titled, Persona.name.ilike(pattern, escape="\\"), said.exists()))


def group_by_day(rows: list[ConversationRow], zone: str) -> list[tuple[str, list[ConversationRow]]]:
    """Under Today, Yesterday, Last 7 days, then month by month, as days are counted in the time zone."""
    today = in_zone(utc_now(), zone).date()
    groups: dict[str, list[ConversationRow]] = {}
    for row in rows:
        groups.setdefault(_heading(in_zone(row.last_at, zone), today), []).append(row)
    return list(groups.items())


def _heading(moment: datetime, today: date) -> str:
    age = today - moment.date()
    if age <= timedelta(0):
        return "Today"
    if age == timedelta(days=1):
        return "Yesterday"
    return "Last 7 days" if age < timedelta(days=7) else f"{moment:%B %Y}"


def list_turns(conversation_id: int, *, before: int | None = None, limit: int = TURNS_SHOWN) -> list[ChatTurn]:
    """The newest current turns (those before a position, if given), oldest first."""
    statement = select(ChatTurn).where(ChatTurn.conversation_id == conversation_id, ChatTurn.is_current)
    if before is not None:
        statement = statement.where(ChatTurn.position < before)
    newest = db.session.scalars(statement.order_by(ChatTurn.position.desc()).limit(limit)).all()
    return list(reversed(newest))


def count_earlier_versions(conversation_id: int, positions: list[int]) -> dict[int, int]:
    """How many answers were set aside at each of these positions."""
    statement = (
        select(ChatTurn.position, func.count(ChatTurn.id))
        .where(ChatTurn.conversation_id == conversation_id, ChatTurn.role == "persona", ~ChatTurn.is_current)
        .where(ChatTurn.position.in_(positions), ChatTurn.content != "")
        .group_by(ChatTurn.position)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}


def list_versions(turn: ChatTurn, limit: int = 20) -> list[ChatTurn]:
    """The answers that stood in this one's place before, newest first."""
    statement = select(ChatTurn).where(
        ChatTurn.conversation_id == turn.conversation_id,
        ChatTurn.position == turn.position,
        ChatTurn.role == turn.role,
        ChatTurn.id != turn.id,
        ChatTurn.content != "",
    )
    return list(db.session.scalars(statement.order_by(ChatTurn.id.desc()).limit(limit)))


def list_messages(conversation_id: int) -> list[ChatTurn]:
    """What was said and stands, oldest first: without answers that failed or are still being written."""
    turns = list_turns(conversation_id, limit=MOST_MESSAGES)
    return [turn for turn in turns if turn.content and turn.state not in LIVE]


@dataclass(frozen=True)
class SimulationChat:
    """One of the user's conversations within a simulation."""

    conversation: Conversation
    message_count: int


def list_simulation_chats(simulation_id: int, user_id: int, limit: int = 500) -> list[SimulationChat]:
    """The user's conversations in a simulation, the last spoken in first."""
    said = (
        select(func.count(ChatTurn.id))
        .where(ChatTurn.conversation_id == Conversation.id, ChatTurn.is_current)
        .where(ChatTurn.content != "", ChatTurn.state.not_in(LIVE))
        .scalar_subquery()
    )
    statement = (
        select(Conversation, said)
        .where(Conversation.simulation_id == simulation_id, Conversation.user_id == user_id)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
    )
    return [SimulationChat(row[0], row[1]) for row in db.session.execute(statement.limit(limit))]
