"""One event on its way to one endpoint."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, Json, OfTenant, Timestamps


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(OfTenant, Timestamps, Base):
    """Unique per endpoint and event, whatever number of times the event reaches us; a test ping has no event.

    `due_at` of a pending one is when it may be taken next. Whoever takes it leaves a `lease` and moves `due_at` past
    the end of it: a worker that dies leaves a row that becomes due again.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index("ix_webhook_deliveries_endpoint_id_state_due_at", "endpoint_id", "state", "due_at"),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_created_at", "created_at"),
        Index("ix_webhook_deliveries_tenant_id_names_people_id", "tenant_id", "names_people", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[int | None] = mapped_column(BigId)
    event_type: Mapped[str] = mapped_column(String(100))
    message_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    names_people: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12), default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)  # ever
    tries: Mapped[int] = mapped_column(default=0)  # since `started_at`
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    lease: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int] = mapped_column(default=0)  # of the last answer; 0: there was none
    answer: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(String(300), default="")
    history: Mapped[list[Any]] = mapped_column(Json, default=list)  # the last attempts: at, status, error, took_ms
    delivered_at: Mapped[datetime | None]
