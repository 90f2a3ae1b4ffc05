"""A described market, the steps that made its picture and the reports written about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Json, TenantScoped, Timestamps

BRIEF_FIELDS = (
    "name",
    "website",
    "business_description",
    "industry",
    "customers",
    "location",
    "age_range",
    "income_level",
    "core_need",
    "additional_info",
)


class AudienceState(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class Audience(TenantScoped, Timestamps, Base):
    """The brief as it was given, and what the AI made of it."""

    __tablename__ = "audiences"
    __table_args__ = (Index("ix_audiences_tenant_id_created_at", "tenant_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(200))
    website: Mapped[str] = mapped_column(String(300), default="")
    business_description: Mapped[str] = mapped_column(Text, default="")
    industry: Mapped[str] = mapped_column(String(200), default="")
    customers: Mapped[str] = mapped_column(Text, default="")
    location: Mapped[str] = mapped_column(String(300), default="")
    age_range: Mapped[str] = mapped_column(String(100), default="")
    income_level: Mapped[str] = mapped_column(String(200), default="")
    core_need: Mapped[str] = mapped_column(Text, default="")
    additional_info: Mapped[str] = mapped_column(Text, default="")

    claude_response: Mapped[str | None] = mapped_column(Text)
    openai_response: Mapped[str | None] = mapped_column(Text)
    deepseek_response: Mapped[str | None] = mapped_column(Text)
    perplexity_response: Mapped[str | None] = mapped_column(Text)
    groq_response: Mapped[str | None] = mapped_column(Text)

    state: Mapped[str] = mapped_column(String(12), default=AudienceState.QUEUED)
    error: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    total_addressable_market: Mapped[str] = mapped_column(Text, default="")
    key_insights: Mapped[list[Any]] = mapped_column(Json, default=list)
    recommendations: Mapped[list[Any]] = mapped_column(Json, default=list)
    job_id: Mapped[str | None] = mapped_column(String(32))

    def brief(self) -> dict[str, str]:
        """What was said about the business, as plain values."""
        return {field: getattr(self, field) or "" for field in BRIEF_FIELDS}


class Step(StrEnum):
    """The pipeline in its order."""

    RESEARCH = "research"
    INSIGHT = "insight"
    SEGMENTS = "segments"
    PERSONAS = "personas"


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class AudienceStep(TenantScoped, Base):
    """One step of the pipeline with what it found, so that a retry resumes after the last one done."""

    __tablename__ = "audience_steps"
    __table_args__ = (UniqueConstraint("audience_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    audience_id: Mapped[int] = mapped_column(ForeignKey("audiences.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(12))
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default=StepState.WAITING)
    note: Mapped[str] = mapped_column(String(300), default="")
    error: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text, default="")
    citations: Mapped[list[Any]] = mapped_column(Json, default=list)
    provider: Mapped[str] = mapped_column(String(20), default="")
    model: Mapped[str] = mapped_column(String(100), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None]
    is_repaired: Mapped[bool] = mapped_column(default=False)
    fallbacks: Mapped[list[Any]] = mapped_column(Json, default=list)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class AudienceReport(TenantScoped, Timestamps, Base):
    """A text an AI wrote about an audience on request: reflection, simulation, optimization or research."""

    __tablename__ = "audience_reports"
    __table_args__ = (Index("ix_audience_reports_audience_id_created_at", "audience_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    audience_id: Mapped[int] = mapped_column(ForeignKey("audiences.id", ondelete="CASCADE"))
    prompt_type: Mapped[str] = mapped_column(String(30))
    is_deep: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12), default=StepState.WAITING)
    error: Mapped[str | None] = mapped_column(Text)
    prompt_used: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    citations: Mapped[list[Any]] = mapped_column(Json, default=list)
    provider: Mapped[str] = mapped_column(String(20), default="")
    model: Mapped[str] = mapped_column(String(100), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None]
    latency_ms: Mapped[int] = mapped_column(default=0)
    fallbacks: Mapped[list[Any]] = mapped_column(Json, default=list)
    job_id: Mapped[str | None] = mapped_column(String(32))
