"""The ledger: one row for each time a model was asked."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, TenantScoped


class Outcome(StrEnum):
    OK = "ok"
    REPAIRED = "repaired"  # the answer fitted its schema only after the errors were sent back
    FAILED = "failed"  # this attempt gave nothing usable; the same provider may have been asked again
    FELL_BACK = "fell_back"  # this attempt gave nothing usable and the next provider was asked
    STOPPED = "stopped"  # the reader stopped the stream


class AICall(TenantScoped, Base):
    """One attempt at an answer. `cost_micros` is millionths of a US dollar, None when the price is not known."""

    __tablename__ = "ai_calls"
    # The first index also holds what the budget sums, so that the check before each call reads no rows.
    __table_args__ = (
        Index("ix_ai_calls_month", "tenant_id", "created_at", "cost_micros", "provider"),
        Index("ix_ai_calls_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    task: Mapped[str] = mapped_column(String(30))
    provider: Mapped[str] = mapped_column(String(20))
    model: Mapped[str] = mapped_column(String(120), default="")
    prompt_name: Mapped[str] = mapped_column(String(60), default="")
    prompt_version: Mapped[str] = mapped_column(String(20), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    latency_ms: Mapped[int] = mapped_column(default=0)
    first_token_ms: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(12))
    failure: Mapped[str] = mapped_column(String(20), default="")
    error: Mapped[str] = mapped_column(String(500), default="")
    job_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def is_answer(self) -> bool:
        return self.outcome in (Outcome.OK, Outcome.REPAIRED)
