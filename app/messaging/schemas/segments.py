"""Segments in and out, as the messaging contract shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import iso
from app.messaging.services.segments import Evaluation

if TYPE_CHECKING:
    from app.cdp.models import Segment


class MessagingSegmentIn(BaseModel):
    """`filter_criteria` is `{"attribute", "operator", "value"}`, or a group of such: operator AND, OR or NOT, and
    `conditions`. Every condition of the CDP's own grammar is taken too."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["Recent Signups"])
    description: str = Field("", max_length=2000)
    filter_criteria: dict[str, Any] = Field(
        examples=[{"attribute": "signup_date", "operator": "after", "value": "2024-01-01"}]
    )


class MessagingSegmentOut(BaseModel):
    """`estimated_audience_size` is the number of members at the last count, null until the first one."""

    id: str
    name: str
    description: str
    filter_criteria: dict[str, Any]
    estimated_audience_size: int | None
    created_at: str


class MessagingSegmentsOut(BaseModel):
    segments: list[MessagingSegmentOut]


class MessagingSegmentCreated(MessagingSegmentOut):
    message: str


class EvaluationOut(BaseModel):
    """`matching_users` are the members with a phone number, `sample_users` at most ten of their numbers."""

    segment_id: str
    matching_users: int
    sample_users: list[str]
    evaluation_time_ms: int


def segment_out(row: Segment) -> dict[str, Any]:
    return {
        "id": row.uuid, "name": row.name, "description": row.description, "filter_criteria": row.conditions,
        "estimated_audience_size": row.member_count, "created_at": iso(row.created_at),
    }  # fmt: skip


def evaluation_out(segment_uuid: str, found: Evaluation) -> dict[str, Any]:
    return {
        "segment_id": segment_uuid, "matching_users": found.count, "sample_users": found.sample,
        "evaluation_time_ms": found.took_ms,
    }  # fmt: skip
