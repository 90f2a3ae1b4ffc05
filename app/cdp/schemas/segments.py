"""Segments in and out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.cdp.models import Lifecycle, Segment
from app.cdp.services.engine.days import as_date
from app.core.clock import iso
from app.core.paging import PageQuery


class SegmentsQuery(PageQuery):
    """`q` is looked for in names."""

    q: str = Field("", max_length=200)


class OverlapQuery(BaseModel):
    """Two segments."""

    first: int = Field(ge=1, le=2**31 - 1)
    second: int = Field(ge=1, le=2**31 - 1)


class SegmentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2000)
    conditions: dict[str, Any]


class SegmentChangeIn(BaseModel):
    """What is given changes."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=2000)
    conditions: dict[str, Any] | None = None


class ConditionsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    conditions: dict[str, Any]


class SnapshotIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)


class SegmentOut(BaseModel):
    """`sentence` tells the condition in plain English; `member_count` is null until it was counted."""

    id: int
    uuid: str
    name: str
    description: str
    kind: str
    conditions: dict[str, Any]
    sentence: str
    member_count: int | None
    counted_at: str | None
    error: str
    created_at: str
    updated_at: str


class PersonOut(BaseModel):
    id: int
    name: str
    email: str | None
    phone: str | None
    lifecycle_stage: Lifecycle


class PreviewOut(BaseModel):
    """`share` is of all people, from 0 to 1; `reach` says how many of them agreed to each channel."""

    count: int
    share: float
    sample: list[PersonOut]
    took_ms: int
    reach: dict[str, int]
    sentence: str


class MemberOut(PersonOut):
    entered_at: str


class ChangeOut(BaseModel):
    profile_id: int
    has_entered: bool
    at: str


class SizeOut(BaseModel):
    day: str
    member_count: int


class OverlapOut(BaseModel):
    first: int
    second: int
    both: int
    either: int


class WhyOut(BaseModel):
    sentence: str
    holds: bool
    because: str
    parts: list[WhyOut] = []


def segment_out(row: Segment, sentence: str) -> dict[str, Any]:
    return {
        "id": row.id, "uuid": row.uuid, "name": row.name, "description": row.description, "kind": row.kind,
        "conditions": row.conditions, "sentence": sentence, "member_count": row.member_count,
        "counted_at": iso(row.counted_at), "error": row.error, "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }  # fmt: skip


def person_out(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "email": row.email or None, "phone": row.phone or None,
        "lifecycle_stage": row.lifecycle,
    }  # fmt: skip


def size_out(day: int, count: int) -> dict[str, Any]:
    return {"day": as_date(day).isoformat(), "member_count": count}
