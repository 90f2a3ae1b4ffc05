"""A tenant's own rules for the stages of a customer's life."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, OfTenant


class LifecycleRules(OfTenant, Base):
    """What differs from the built-in rules."""

    __tablename__ = "lifecycle_rules"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
