"""A person who signs in."""

from __future__ import annotations

from flask_login import UserMixin  # a mixin of four properties, no HTTP
from sqlalchemy import String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Timestamps


class User(UserMixin, Timestamps, Base):
    """Belongs to tenants through memberships; `is_superadmin` is the platform's own role."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    password_hash: Mapped[str] = mapped_column(String(255))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    is_superadmin: Mapped[bool] = mapped_column(default=False)
    has_mfa: Mapped[bool] = mapped_column(default=False, server_default=false())  # a second factor is confirmed
    webauthn_handle: Mapped[str | None] = mapped_column(String(100), unique=True)

    session_token = ""  # of this request's session; not a column

    def get_id(self) -> str:
        """What the cookie carries: the session's token, so that ending the session ends the cookie."""
        return self.session_token

    @property
    def display_name(self) -> str:
        return self.name or self.email.split("@")[0].replace(".", " ").title()

    @property
    def initials(self) -> str:
        words = self.display_name.split()
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() or "?"
