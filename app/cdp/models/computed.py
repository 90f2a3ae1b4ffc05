"""What events add up to per person, kept as they come in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class Measure(OfTenant, Base):
    """What is counted: an event (`property` empty) or a number in one of its properties."""

    __tablename__ = "measures"
    __table_args__ = (UniqueConstraint("tenant_id", "event", "property"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(200))
    property: Mapped[str] = mapped_column(String(100), default="")


class Computed(OfTenant, Base):
    """A measure of one person over all time."""

    __tablename__ = "computed"
    __table_args__ = (Index("ix_computed_profile_id", "profile_id", "tenant_id"),)

    measure_id: Mapped[int] = mapped_column(ForeignKey("measures.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(BigId, default=0)
    total: Mapped[float] = mapped_column(Float, default=0.0)
    low: Mapped[float | None] = mapped_column(Float)
    high: Mapped[float | None] = mapped_column(Float)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    first_day: Mapped[int]  # days since 1970-01-01 in the tenant's zone, as in events
    last_day: Mapped[int]
    first_value: Mapped[float | None] = mapped_column(Float)
    last_value: Mapped[float | None] = mapped_column(Float)


class ComputedTrait(OfTenant, Base):
    """A tenant's name for something counted from events; `total_purchases` is there from the start."""

    __tablename__ = "computed_traits"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    function: Mapped[str] = mapped_column(String(20))
    event: Mapped[str] = mapped_column(String(200))
    property: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
