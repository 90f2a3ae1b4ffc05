"""An address of a customer's system, and what it wants to hear."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Encrypted
from app.core.db import Base, Json, TenantScoped, Timestamps


class EndpointState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # someone paused it: what happens meanwhile waits
    DISABLED = "disabled"  # it failed for a day, or said it is gone: nothing is kept for it


class WebhookEndpoint(TenantScoped, Timestamps, Base):
    """`previous_secret` signs beside `secret` until `previous_ends_at`, so that a receiver can change over."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str] = mapped_column(String(120), default="")
    events: Mapped[list[Any]] = mapped_column(Json, default=list)
    state: Mapped[str] = mapped_column(String(12), default=EndpointState.ACTIVE)
    state_reason: Mapped[str] = mapped_column(String(300), default="")
    secret: Mapped[str] = mapped_column(Encrypted)
    previous_secret: Mapped[str | None] = mapped_column(Encrypted)
    previous_ends_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    misses: Mapped[int] = mapped_column(default=0)  # how often in a row it was not there at all
    resting_until: Mapped[datetime | None]  # it was not there: nothing is sent before
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def name(self) -> str:
        """What people and the audit log call it."""
        return self.description or self.url
