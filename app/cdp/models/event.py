"""Facts about profiles at a time: append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class EventName(OfTenant, Base):
    """A name once, with a short id that the large table carries."""

    __tablename__ = "event_names"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class ProfileEvent(OfTenant, Base):
    """`day` counts days since 1970-01-01 in the tenant's zone: windows are whole days.

    `source_profile_id` is whose it was when it came; a merge changes only `profile_id`, a split gives it back.
    """

    __tablename__ = "events"
    __table_args__ = (
        # Partial: with those that have none in it, SQLite's statistics would say that one is as common as none.
        Index(
            "uq_events_tenant_id_message_id",
            "tenant_id",
            "message_id",
            unique=True,
            sqlite_where=text("message_id IS NOT NULL"),
            postgresql_where=text("message_id IS NOT NULL"),
        ),
        Index("ix_events_profile_id_at", "profile_id", "tenant_id", "at"),  # the person first: deleting one asks so
        Index("ix_events_tenant_id_name_id_day", "tenant_id", "name_id", "day", "profile_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    source_profile_id: Mapped[int] = mapped_column(BigId)
    name_id: Mapped[int] = mapped_column(ForeignKey("event_names.id"))
    at: Mapped[datetime]
    day: Mapped[int]
    message_id: Mapped[str | None] = mapped_column(String(100))
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
