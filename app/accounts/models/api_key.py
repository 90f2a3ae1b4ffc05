"""A machine's credential in a tenant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, TenantScoped, Timestamps


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    EVENTS = "events"
    MESSAGING = "messaging"
    ADMIN = "admin"


class ApiKey(TenantScoped, Timestamps, Base):
    """Known by its hash; the key itself is shown once. It belongs to the tenant, not to who made it."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_used_address: Mapped[str] = mapped_column(String(64), default="")
    revoked_at: Mapped[datetime | None]
    replaced_by_id: Mapped[int | None]  # the key that took its place, when it was rotated
