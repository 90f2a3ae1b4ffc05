"""The index over the truth: sets and columns of profile ids. It can be dropped and made again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, OfTenant


class Slice(OfTenant, Base):
    """One set or column of one shard (profile id >> 20). `measure` names what it is of, `key` which part of it."""

    __tablename__ = "slices"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    measure: Mapped[str] = mapped_column(String(240), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)  # before the data: SQLite reads a row from the front
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class IndexState(OfTenant, Base):
    """How far a tenant's index is: its version grows with every fold; what was cached under another is stale.

    While it is not complete it is being rebuilt, and what comes in waits. `refreshed_day` is the day segments are of.
    """

    __tablename__ = "index_states"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    is_complete: Mapped[bool] = mapped_column(default=True)
    refreshed_day: Mapped[int | None]
    folded_at: Mapped[datetime | None]
    rebuilt_at: Mapped[datetime | None]
