"""A described slice of an audience."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps


class AudienceSegment(TenantScoped, Timestamps, Base):
    """`size_percentage` is its share of the audience, None when nobody has said."""

    __tablename__ = "audience_segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    audience_id: Mapped[int] = mapped_column(ForeignKey("audiences.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    size_percentage: Mapped[int | None]
    key_characteristics: Mapped[list[Any]] = mapped_column(Json, default=list)
    marketing_approach: Mapped[str] = mapped_column(Text, default="")
    is_generated: Mapped[bool] = mapped_column(default=False)

    def as_facts(self) -> dict[str, Any]:
        """What an AI is told of it."""
        return {
            "name": self.name,
            "description": self.description,
            "size_percentage": self.size_percentage,
            "key_characteristics": list(self.key_characteristics),
            "marketing_approach": self.marketing_approach,
        }
