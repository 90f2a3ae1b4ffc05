"""A customer organisation: every row of data belongs to one."""

from __future__ import annotations

from sqlalchemy import String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Timestamps


class Tenant(Timestamps, Base):
    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    plan: Mapped[str] = mapped_column(String(20), default="starter", server_default="starter")
    max_users: Mapped[int | None] = mapped_column(default=10)  # None: no limit
    max_campaigns: Mapped[int | None] = mapped_column(default=100)
    requires_mfa: Mapped[bool] = mapped_column(default=False, server_default=false())
    timezone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")

    @property
    def initials(self) -> str:
        words = self.name.replace("&", " ").split()
        return "".join(word[:1] for word in words[:2]).upper() or "?"
