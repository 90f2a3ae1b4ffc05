"""What the audience pages list and count beyond the rows themselves, each in one query."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, func, select

from app.core.db import db
from app.insights.models import AudienceSegment, Conversation, Persona, Simulation


@dataclass(frozen=True)
class Share:
    """A segment as a slice of a small bar."""

    name: str
    size: int


@dataclass(frozen=True)
class Extent:
    """What goes with an audience, a segment or a persona when it is deleted."""

    segments: int = 0
    personas: int = 0
    simulations: int = 0
    conversations: int = 0


def list_shares(audience_ids: list[int]) -> dict[int, list[Share]]:
    """The known shares of these audiences' segments, in order."""
    statement = (
        select(AudienceSegment.audience_id, AudienceSegment.name, AudienceSegment.size_percentage)
        .where(AudienceSegment.audience_id.in_(audience_ids), AudienceSegment.size_percentage > 0)
        .order_by(AudienceSegment.position, AudienceSegment.id)
    )
    shares: dict[int, list[Share]] = {}
    for audience_id, name, size in db.session.execute(statement):
        shares.setdefault(audience_id, []).append(Share(name, size or 0))
    return shares


def audience_extent(audience_id: int, *, generated_only: bool = False) -> Extent:
    """All there is in an audience; `generated_only` counts what making it again replaces."""
    inside = AudienceSegment.audience_id == audience_id
    if generated_only:
        inside &= AudienceSegment.is_generated
    segments = select(func.count(AudienceSegment.id)).where(inside).scalar_subquery()
    simulations = select(func.count(Simulation.id)).where(Simulation.audience_id == audience_id).scalar_subquery()
    return Extent(*db.session.execute(select(segments, _personas(inside), simulations, _talks(inside))).one())


def segment_extent(segment_id: int) -> Extent:
    inside = AudienceSegment.id == segment_id
    personas, talks = db.session.execute(select(_personas(inside), _talks(inside))).one()
    return Extent(personas=personas, conversations=talks)


def persona_extent(persona_id: int) -> Extent:
    count = select(func.count(Conversation.id)).where(Conversation.persona_id == persona_id)
    return Extent(conversations=db.session.scalar(count) or 0)


def _personas(inside: ColumnElement[bool]) -> ScalarSelect[int]:
    found = select(func.count(Persona.id)).join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
    return found.where(inside).scalar_subquery()


def _talks(inside: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(func.count(Conversation.id))
        .join(Persona, Persona.id == Conversation.persona_id)
        .join(AudienceSegment, AudienceSegment.id == Persona.segment_id)
        .where(inside)
        .scalar_subquery()
    )


def list_talks(persona_id: int, user_id: int, limit: int = 10) -> list[Conversation]:
    """The user's own conversations with a persona, the last spoken in first."""
    statement = select(Conversation).where(Conversation.persona_id == persona_id, Conversation.user_id == user_id)
    newest = statement.order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
    return list(db.session.scalars(newest.limit(limit)))
