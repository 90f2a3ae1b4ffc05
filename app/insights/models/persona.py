"""A typical member of a segment, invented or inferred."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps


class Persona(TenantScoped, Timestamps, Base):
    """`data` is free-form (the contract's); `evidence` says of each field where it comes from."""

    __tablename__ = "personas"

    id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("audience_segments.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    evidence: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    is_generated: Mapped[bool] = mapped_column(default=False)

    @property
    def initials(self) -> str:
        words = self.name.split()
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"
