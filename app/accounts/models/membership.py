"""A user's role in a tenant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models.tenant import Tenant
from app.accounts.models.user import User
from app.core.db import Base, Timestamps

SUPERADMIN = "superadmin"  # the platform's own role, above any in a tenant


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    ANALYST = "analyst"
    VIEWER = "viewer"


class Membership(Timestamps, Base):
    """Not tenant-filtered: sign-in reads it to learn the tenant. Every query names user or tenant."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "tenant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(12), default=Role.ANALYST)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())  # of this tenant only
    last_seen_at: Mapped[datetime | None]
    previous_visit_at: Mapped[datetime | None]
    activity_seen_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    tenant: Mapped[Tenant] = relationship()
