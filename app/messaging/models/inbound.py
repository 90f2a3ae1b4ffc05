"""What people write back, in threads; and what the provider told us that is still to be looked at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class InboundKind(StrEnum):
    TEXT = "text"
    STOP = "stop"
    START = "start"
    HELP = "help"


class ThreadState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class MessageThread(OfTenant, Base):
    """A talk with one number on one channel, between it and one of our senders."""

    __tablename__ = "message_threads"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "address", "sender"),
        Index("ix_message_threads_tenant_id_state", "tenant_id", "state", "last_at"),
        Index("ix_message_threads_profile_id", "profile_id"),
        Index("ix_message_threads_unread", "tenant_id", sqlite_where=text("unread > 0"),
              postgresql_where=text("unread > 0")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(20))
    sender: Mapped[str] = mapped_column(String(40))
    profile_id: Mapped[int | None] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(8), default=ThreadState.OPEN)
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    unread: Mapped[int] = mapped_column(default=0)
    preview: Mapped[str] = mapped_column(String(200), default="")
    last_inbound_at: Mapped[datetime | None]
    last_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class InboundMessage(OfTenant, Base):
    """One message from a person. `sid` is the provider's: a repeat of the call changes nothing."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "sid"),
        Index("ix_inbound_messages_tenant_id_received_at", "tenant_id", "received_at"),
        Index("ix_inbound_messages_thread_id", "thread_id", "id"),
        Index("ix_inbound_messages_profile_id", "profile_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), default=lambda: str(uuid4()))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("message_threads.id", ondelete="SET NULL"))
    profile_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[int | None] = mapped_column(BigId)  # the campaign's message it most likely answers
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(20))
    sender: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text, default="")
    media: Mapped[list[Any]] = mapped_column(default=list)
    kind: Mapped[str] = mapped_column(String(8), default=InboundKind.TEXT)
    sid: Mapped[str] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(default=utc_now)


class Receipt(OfTenant, Base):
    """A status call of the provider as it came, signature checked, until a job has looked at it."""

    __tablename__ = "message_receipts"
    __table_args__ = (Index("ix_message_receipts_tenant_id", "tenant_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sid: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    error_code: Mapped[int | None]
    message_id: Mapped[int | None] = mapped_column(BigId)  # our reference in the address that was called
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
