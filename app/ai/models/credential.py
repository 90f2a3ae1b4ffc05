"""A tenant's own access to one provider."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Encrypted
from app.core.db import Base, TenantScoped, Timestamps


class CheckState(StrEnum):
    UNCHECKED = "unchecked"
    OK = "ok"
    FAILED = "failed"


class AICredential(TenantScoped, Timestamps, Base):
    """Key, address and model of one provider; empty fields mean the platform's own."""

    __tablename__ = "ai_credentials"
    __table_args__ = (UniqueConstraint("tenant_id", "provider"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    api_key: Mapped[str | None] = mapped_column(Encrypted)
    base_url: Mapped[str] = mapped_column(String(300), default="")
    model: Mapped[str] = mapped_column(String(120), default="")
    is_enabled: Mapped[bool] = mapped_column(default=True)
    uses_sandbox: Mapped[bool] = mapped_column(default=False)
    check_state: Mapped[str] = mapped_column(String(12), default=CheckState.UNCHECKED)
    checked_at: Mapped[datetime | None]
    check_error: Mapped[str] = mapped_column(String(500), default="")

    @property
    def masked_key(self) -> str:
        """The last four characters, enough to tell keys apart; nothing of a short one."""
        if not self.api_key:
            return ""
        return "…" + self.api_key[-4:] if len(self.api_key) >= 12 else "…"
