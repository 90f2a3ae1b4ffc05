"""The slices of an audience."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.accounts.services import audit
from app.core.db import db, get_required
from app.core.errors import Conflict
from app.core.events import emit
from app.core.tenancy import current_tenant_id
from app.insights.events import AudienceChanged
from app.insights.models import Audience, AudienceSegment
from app.insights.queries import list_segments

MAX_SEGMENTS = 100


def create(audience_id: int, name: str, description: str) -> AudienceSegment:
    """Add a slice by hand, after the others."""
    audience = get_required(Audience, audience_id, for_update=True)
    count = db.session.scalar(select(func.count(AudienceSegment.id)).where(AudienceSegment.audience_id == audience.id))
    if (count or 0) >= MAX_SEGMENTS:
        raise Conflict(f"An audience can have at most {MAX_SEGMENTS} segments.")
    segment = AudienceSegment(audience_id=audience.id, name=name, description=description, position=count or 0)
    db.session.add(segment)
    db.session.flush()
    _changed(segment)
    return segment


def update(segment_id: int, changes: dict[str, Any]) -> AudienceSegment:
    """Change the fields that are given."""
    segment = get_required(AudienceSegment, segment_id, for_update=True, label="Segment")
    for field, value in changes.items():
        setattr(segment, field, value)
    _changed(segment)
    return segment


def delete_segment(segment_id: int) -> int:
    """Remove a slice with its personas and their conversations; returns its audience's id."""
    segment = get_required(AudienceSegment, segment_id, for_update=True, label="Segment")
    _changed(segment)
    audit.record("segment.deleted", segment, before={"name": segment.name, "audience_id": segment.audience_id})
    db.session.delete(segment)
    db.session.flush()
    close_ranks(segment.audience_id)
    return segment.audience_id


def close_ranks(audience_id: int) -> None:
    """Number the segments from 0 without gaps: their colours go by these numbers."""
    for position, segment in enumerate(list_segments(audience_id)):
        segment.position = position


def _changed(segment: AudienceSegment) -> None:
    emit(AudienceChanged(current_tenant_id(), segment.audience_id, "segments"))
