"""What came in and is not folded into the counted figures and the index yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class FoldItem(OfTenant, Base):
    """Written in the transaction that wrote what it names, removed in the one that folded it.

    `kind` events: `payload["events"]` are ids; profiles: `payload["profiles"]` are ids whose traits, consent,
    identities or lifecycle changed; moved: events and computed of `payload["from"]` now belong to `payload["to"]`;
    erased: `payload["profiles"]` are gone, with events on `payload["days"]` (pairs of name id and day);
    touched: written by the folder for the refresh of segments, `payload["needs"]` says what changed of whom.
    """

    __tablename__ = "fold_items"
    __table_args__ = (Index("ix_fold_items_tenant_id", "tenant_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
