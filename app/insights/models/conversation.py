"""A talk between a user and a persona."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps


class TurnState(StrEnum):
    WAITING = "waiting"  # a worker has not begun
    STREAMING = "streaming"
    DONE = "done"
    STOPPED = "stopped"  # the user stopped it; what had come is kept
    FAILED = "failed"


class Conversation(TenantScoped, Timestamps, Base):
    """Belongs to the user who began it; `parent_id` is what it branched from."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_tenant_id_user_id_updated_at", "tenant_id", "user_id", "updated_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    persona_id: Mapped[int] = mapped_column(ForeignKey("personas.id", ondelete="CASCADE"), index=True)
    simulation_id: Mapped[int | None] = mapped_column(ForeignKey("simulations.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(String(200), default="")
    is_renamed: Mapped[bool] = mapped_column(default=False)
    last_message_at: Mapped[datetime | None]


class ChatTurn(TenantScoped, Timestamps, Base):
    """One message. Regenerated and edited-away turns stay with `is_current` false."""

    __tablename__ = "chat_turns"
    __table_args__ = (
        Index("ix_chat_turns_conversation_id_position", "conversation_id", "position"),
        UniqueConstraint("conversation_id", "nonce"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    position: Mapped[int]
    role: Mapped[str] = mapped_column(String(8))  # user, persona
    content: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(12), default=TurnState.DONE)
    is_current: Mapped[bool] = mapped_column(default=True)
    nonce: Mapped[str | None] = mapped_column(String(64))  # the sender's own mark: the same message is kept once
    facts: Mapped[list[Any]] = mapped_column(Json, default=list)  # the numbered facts the answer points at
    error: Mapped[str | None] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(String(20), default="")
    model: Mapped[str] = mapped_column(String(100), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None]
    latency_ms: Mapped[int] = mapped_column(default=0)
    fallbacks: Mapped[list[Any]] = mapped_column(Json, default=list)
    job_id: Mapped[str | None] = mapped_column(String(32))
    finished_at: Mapped[datetime | None]
