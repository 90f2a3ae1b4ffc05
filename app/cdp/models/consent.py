"""Who agreed to what, when and how it is known: append-only, with the current state beside it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class Channel(StrEnum):
    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    ADS = "ads"
    ANALYTICS = "analytics"


class ConsentValue(StrEnum):
    """From the strictest on: a merge keeps the strictest."""

    DENIED = "denied"
    UNKNOWN = "unknown"
    GRANTED = "granted"


class ConsentRecord(OfTenant, Base):
    """One statement: never changed, never removed but with its person."""

    __tablename__ = "consent_records"
    __table_args__ = (Index("ix_consent_records_profile_id", "profile_id", "tenant_id", "channel"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(60), default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class ConsentState(OfTenant, Base):
    """The state in force and where it came from; a profile and channel without a row is unknown."""

    __tablename__ = "consent_states"
    __table_args__ = (Index("ix_consent_states_tenant_id_channel", "tenant_id", "channel", "state", "profile_id"),)

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(60), default="", server_default="")  # of the statement in force
    at: Mapped[datetime] = mapped_column(default=utc_now)
