"""What is sent: a text with variables, kept version by version so that a running campaign never changes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, TenantScoped, Timestamps


class MessageChannel(StrEnum):
    SMS = "sms"
    WHATSAPP = "whatsapp"


class Approval(StrEnum):
    """Where a WhatsApp text stands with the channel; an SMS needs none."""

    NOT_NEEDED = "not_needed"
    UNSUBMITTED = "unsubmitted"
    RECEIVED = "received"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


class MessageTemplate(TenantScoped, Timestamps, Base):
    """A named text; `version_number` is its newest version.

    With `removed_at` it is deleted for everyone but the campaigns that were sent with it.
    """

    __tablename__ = "message_templates"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    name: Mapped[str] = mapped_column(String(200))
    channel: Mapped[str] = mapped_column(String(12), default=MessageChannel.SMS)
    version_number: Mapped[int] = mapped_column(default=1)
    is_active: Mapped[bool] = mapped_column(default=True)
    removed_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class TemplateVersion(TenantScoped, Base):
    """A text as it was at a time; never changed but for what the channel says of it.

    `variables` are `{"name", "fallback"}` in the order of their first use in `content`, which writes them `{name}`.
    """

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("template_id", "number"),
        Index("ix_template_versions_approval", "approval"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("message_templates.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(default=1)
    content: Mapped[str] = mapped_column(Text)
    variables: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(10), default="en")
    category: Mapped[str] = mapped_column(String(20), default="MARKETING")
    content_sid: Mapped[str] = mapped_column(String(40), default="")
    approval: Mapped[str] = mapped_column(String(12), default=Approval.NOT_NEEDED)
    approval_note: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
