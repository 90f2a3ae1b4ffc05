"""A live condition over profiles, who is in it, and who came and went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant, TenantScoped, Timestamps


class SegmentKind(StrEnum):
    LIVE = "live"
    STATIC = "static"


class Segment(TenantScoped, Timestamps, Base):
    """Known by an integer to one contract and by its UUID to others. A static one keeps its members as they are."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    kind: Mapped[str] = mapped_column(String(10), default=SegmentKind.LIVE)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)  # grows with the condition; `counted_version` is what was counted
    counted_version: Mapped[int | None]
    member_count: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class SegmentMember(OfTenant, Base):
    """Someone who was in the segment at its last refresh."""

    __tablename__ = "segment_members"
    __table_args__ = (Index("ix_segment_members_profile_id", "profile_id", "tenant_id"),)

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    entered_at: Mapped[datetime] = mapped_column(default=utc_now)


class SegmentChange(OfTenant, Base):
    """Someone entered or left."""

    __tablename__ = "segment_changes"
    __table_args__ = (
        Index("ix_segment_changes_tenant_id_segment_id", "tenant_id", "segment_id", "id"),
        Index("ix_segment_changes_profile_id", "profile_id", "tenant_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    has_entered: Mapped[bool]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class SegmentSize(OfTenant, Base):
    """How large a segment was at the end of a day of its tenant."""

    __tablename__ = "segment_sizes"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    member_count: Mapped[int]
