"""What a tenant chose: who answers which task, and how much may be spent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps


class AIPreference(TenantScoped, Timestamps, Base):
    """One row a tenant. `orders` maps a task (or "default") to provider names; a budget of None is the platform's."""

    __tablename__ = "ai_preferences"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    monthly_budget_micros: Mapped[int | None] = mapped_column(BigInteger)
