"""The typical people of a segment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.accounts.services import audit
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.core.events import emit
from app.core.tenancy import current_tenant_id
from app.insights.events import AudienceChanged
from app.insights.models import AudienceSegment, Persona

MAX_PERSONAS = 100
MAX_FIELDS = 200


def create(segment_id: int, name: str, data: dict[str, Any]) -> Persona:
    """Add a person by hand; nothing of theirs counts as inferred."""
    segment = get_required(AudienceSegment, segment_id, for_update=True, label="Segment")
    count = db.session.scalar(select(func.count(Persona.id)).where(Persona.segment_id == segment.id)) or 0
    if count >= MAX_PERSONAS:
        raise Conflict(f"A segment can have at most {MAX_PERSONAS} personas.")
    persona = Persona(segment_id=segment.id, name=name, data=_checked(data), position=count)
    db.session.add(persona)
    db.session.flush()
    emit(AudienceChanged(current_tenant_id(), segment.audience_id, "personas"))
    return persona


def update(persona_id: int, *, name: str | None = None, data: dict[str, Any] | None = None) -> Persona:
    """Rename, and merge `data` into what is there: new fields are added, null removes one.

    A field someone wrote is no longer what the AI inferred, so its evidence goes.
    """
    persona = get_required(Persona, persona_id, for_update=True)
    if name is not None:
        persona.name = name
    if data is not None:
        merged = {key: value for key, value in {**persona.data, **data}.items() if value is not None}
        changed = {key for key, value in data.items() if persona.data.get(key) != value}
        persona.data = _checked(merged)
        persona.evidence = {key: value for key, value in persona.evidence.items() if key not in changed}
    segment = get_required(AudienceSegment, persona.segment_id)
    emit(AudienceChanged(current_tenant_id(), segment.audience_id, "personas"))
    return persona


def delete_persona(persona_id: int) -> int:
    """Remove a person with their conversations; returns the audience's id."""
    persona = get_required(Persona, persona_id, for_update=True)
    segment = get_required(AudienceSegment, persona.segment_id)
    emit(AudienceChanged(current_tenant_id(), segment.audience_id, "personas"))
    audit.record("persona.deleted", persona, before={"name": persona.name, "segment": segment.name})
    db.session.delete(persona)
    return segment.audience_id


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    if len(data) > MAX_FIELDS:
        raise ValidationFailed(f"data: must have at most {MAX_FIELDS} fields.", field="data")
    return data
