"""A panel of personas answering one question or taking one message."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps


class SimulationState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"  # someone stopped it; what had been answered is kept and it can go on


class Simulation(TenantScoped, Timestamps, Base):
    """Who is asked what. Empty `segment_ids` and `persona_ids` mean all of the audience's."""

    __tablename__ = "simulations"
    __table_args__ = (Index("ix_simulations_tenant_id_created_at", "tenant_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    audience_id: Mapped[int] = mapped_column(ForeignKey("audiences.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[str] = mapped_column(String(20), default="default")
    segment_ids: Mapped[list[Any]] = mapped_column(Json, default=list)
    persona_ids: Mapped[list[Any]] = mapped_column(Json, default=list)
    question: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    seed: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12), default=SimulationState.QUEUED)
    error: Mapped[str | None] = mapped_column(Text)
    estimate: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    results: Mapped[dict[str, Any] | None] = mapped_column(Json)
    job_id: Mapped[str | None] = mapped_column(String(32))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class PanelReply(TenantScoped, Timestamps, Base):
    """One persona's reply; unique per simulation and persona, so that a resumed run asks nobody twice."""

    __tablename__ = "panel_replies"
    __table_args__ = (UniqueConstraint("simulation_id", "persona_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    simulation_id: Mapped[int] = mapped_column(ForeignKey("simulations.id", ondelete="CASCADE"))
    persona_id: Mapped[int | None] = mapped_column(ForeignKey("personas.id", ondelete="SET NULL"))
    persona_name: Mapped[str] = mapped_column(String(200))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("audience_segments.id", ondelete="SET NULL"))
    segment_name: Mapped[str] = mapped_column(String(200))
    stance: Mapped[int | None]
    reasons: Mapped[list[Any]] = mapped_column(Json, default=list)
    objections: Mapped[list[Any]] = mapped_column(Json, default=list)
    quote: Mapped[str] = mapped_column(Text, default="")
    would_change: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str | None] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(String(20), default="")
    model: Mapped[str] = mapped_column(String(100), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None]
    latency_ms: Mapped[int] = mapped_column(default=0)
