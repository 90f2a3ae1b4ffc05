"""Read-only lists and counts over audiences, segments and personas, each in a fixed number of queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select

from app.core.db import db, get_required
from app.insights.models import (
    Audience,
    AudienceReport,
    AudienceSegment,
    AudienceStep,
    ChatTurn,
    Conversation,
    Persona,
    Simulation,
    TurnState,
)


@dataclass(frozen=True)
class AudienceRow:
    """An audience in a list, with how much is in it."""

    audience: Audience
    segment_count: int
    persona_count: int


@dataclass(frozen=True)
class PersonaPlace:
    """A persona with the segment and audience it belongs to."""

    persona: Persona
    segment: AudienceSegment
    audience: Audience


def list_audiences(limit: int = 500, offset: int = 0) -> list[Audience]:
    """The newest first."""
    return list(db.session.scalars(select(Audience).order_by(Audience.id.desc()).limit(limit).offset(offset)))


def list_audience_rows(search: str = "", limit: int = 24, offset: int = 0) -> list[AudienceRow]:
    segments = (
        select(func.count(AudienceSegment.id)).where(AudienceSegment.audience_id == Audience.id).scalar_subquery()
    )
    personas = (
        select(func.count(Persona.id))
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .where(AudienceSegment.audience_id == Audience.id)
        .scalar_subquery()
    )
    statement = _matching(select(Audience, segments, personas), search)
    rows = db.session.execute(statement.order_by(Audience.id.desc()).limit(limit).offset(offset))
    return [AudienceRow(*row) for row in rows]


def count_audiences(search: str = "") -> int:
    return db.session.scalar(_matching(select(func.count(Audience.id)), search)) or 0


def _matching(statement: Select[*tuple[Any, ...]], search: str) -> Select[*tuple[Any, ...]]:
    if not search:
        return statement
    pattern = like(search)
    return statement.where(
        or_(Audience.name.ilike(pattern, escape="\\"), Audience.industry.ilike(pattern, escape="\\"))
    )


def like(search: str) -> str:
    """A contains-pattern in which % and _ mean themselves."""
    escaped = search[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def list_segments(audience_id: int) -> list[AudienceSegment]:
    """In the order they were found."""
    statement = (
        select(AudienceSegment)
        .where(AudienceSegment.audience_id == audience_id)
        .order_by(AudienceSegment.position, AudienceSegment.id)
        .limit(200)
    )
    return list(db.session.scalars(statement))


def list_personas(segment_id: int) -> list[Persona]:
    statement = (
        select(Persona).where(Persona.segment_id == segment_id).order_by(Persona.position, Persona.id).limit(500)
    )
    return list(db.session.scalars(statement))


def list_audience_personas(audience_id: int) -> list[PersonaPlace]:
    """Every persona of an audience, segment by segment."""
    return _places(
        select(Persona, AudienceSegment, Audience)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .join(Audience, Audience.id == AudienceSegment.audience_id)
        .where(Audience.id == audience_id)
        .order_by(AudienceSegment.position, AudienceSegment.id, Persona.position, Persona.id)
        .limit(500)
    )


def find_places(persona_ids: list[int]) -> list[PersonaPlace]:
    """These personas of the acting tenant with where they belong."""
    return _places(
        select(Persona, AudienceSegment, Audience)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .join(Audience, Audience.id == AudienceSegment.audience_id)
        .where(Persona.id.in_(persona_ids[:500]))
        .order_by(Persona.id)
    )


def get_place(persona_id: int) -> PersonaPlace:
    """The persona with where it belongs, or NotFound."""
    persona = get_required(Persona, persona_id)
    segment = get_required(AudienceSegment, persona.segment_id)
    return PersonaPlace(persona, segment, get_required(Audience, segment.audience_id))


def search_personas(
    search: str = "", audience_id: int | None = None, limit: int = 24, offset: int = 0
) -> list[PersonaPlace]:
    statement = (
        select(Persona, AudienceSegment, Audience)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .join(Audience, Audience.id == AudienceSegment.audience_id)
        .order_by(Audience.id.desc(), AudienceSegment.position, Persona.position, Persona.id)
    )
    return _places(_persona_filter(statement, search, audience_id).limit(limit).offset(offset))


def count_personas(search: str = "", audience_id: int | None = None) -> int:
    statement = select(func.count(Persona.id)).join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
    return db.session.scalar(_persona_filter(statement, search, audience_id)) or 0


def _persona_filter(
    statement: Select[*tuple[Any, ...]], search: str, audience_id: int | None
) -> Select[*tuple[Any, ...]]:
    if search:
        pattern = like(search)
        named = Persona.name.ilike(pattern, escape="\\")
        statement = statement.where(or_(named, AudienceSegment.name.ilike(pattern, escape="\\")))
    return statement.where(AudienceSegment.audience_id == audience_id) if audience_id else statement


def _places(statement: Select[*tuple[Any, ...]]) -> list[PersonaPlace]:
    return [PersonaPlace(*row) for row in db.session.execute(statement)]


def list_steps(audience_id: int) -> list[AudienceStep]:
    statement = select(AudienceStep).where(AudienceStep.audience_id == audience_id).order_by(AudienceStep.position)
    return list(db.session.scalars(statement))


def list_reports(audience_id: int, prompt_type: str | None = None) -> list[AudienceReport]:
    """The newest first, at most fifty."""
    statement = select(AudienceReport).where(AudienceReport.audience_id == audience_id)
    if prompt_type:
        statement = statement.where(AudienceReport.prompt_type == prompt_type)
    return list(db.session.scalars(statement.order_by(AudienceReport.id.desc()).limit(50)))


@dataclass(frozen=True)
class Totals:
    audiences: int
    segments: int
    personas: int
    simulations: int
    conversations: int


def totals() -> Totals:
    """How much of each the acting tenant has."""

    ids = (Audience.id, AudienceSegment.id, Persona.id, Simulation.id, Conversation.id)
    return Totals(*(db.session.scalar(select(func.count(column))) or 0 for column in ids))


def find_simulations(search: str, limit: int) -> list[Simulation]:
    """By name, the newest first."""
    named = Simulation.name.ilike(like(search), escape="\\")
    return list(db.session.scalars(select(Simulation).where(named).order_by(Simulation.id.desc()).limit(limit)))


def find_conversations(search: str, user_id: int, limit: int) -> list[Conversation]:
    """The user's own, by title, the latest first."""
    named = Conversation.title.ilike(like(search), escape="\\")
    statement = select(Conversation).where(Conversation.user_id == user_id, named)
    return list(db.session.scalars(statement.order_by(Conversation.updated_at.desc()).limit(limit)))


@dataclass(frozen=True)
class SaidLine:
    """The latest whole answer of a persona in a user's conversations."""

    text: str
    conversation_id: int
    place: PersonaPlace


def latest_said(user_id: int, since: datetime) -> SaidLine | None:
    """What a persona last said to this user, or None when nobody spoke since then."""
    row = db.session.execute(
        select(ChatTurn.content, Conversation.id, Persona, AudienceSegment, Audience)
        .join(Conversation, Conversation.id == ChatTurn.conversation_id)
        .join(Persona, Persona.id == Conversation.persona_id)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .join(Audience, Audience.id == AudienceSegment.audience_id)
        .where(
            Conversation.user_id == user_id, ChatTurn.role == "persona", ChatTurn.state == TurnState.DONE,
            ChatTurn.is_current, ChatTurn.finished_at > since,
        )
        .order_by(ChatTurn.id.desc())
        .limit(1)
    ).first()  # fmt: skip
    return SaidLine(row[0], row[1], PersonaPlace(row[2], row[3], row[4])) if row else None


def first_sentences(text: str, length: int) -> str:
    """The beginning of an answer as a quotation: without marks and formatting, whole sentences where they fit."""
    plain = " ".join(re.sub(r"\s?\[\d+\]|[*_`#>]", "", text).split())
    if len(plain) <= length:
        return plain
    cut = plain[:length]
    end = max(cut.rfind(mark) for mark in ".!?")
    return cut[: end + 1] if end > length // 3 else cut.rsplit(" ", 1)[0] + "…"


@dataclass(frozen=True)
class AudienceCounts:
    reports: int
    simulations: int


def audience_counts(audience_id: int) -> AudienceCounts:
    """How many reports and simulations an audience has."""
    reports = select(func.count(AudienceReport.id)).where(AudienceReport.audience_id == audience_id)
    simulations = select(func.count(Simulation.id)).where(Simulation.audience_id == audience_id)
    return AudienceCounts(db.session.scalar(reports) or 0, db.session.scalar(simulations) or 0)
