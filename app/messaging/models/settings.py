"""What a tenant has decided about its messages, and the account and senders they leave from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.crypto import Encrypted
from app.core.db import Base, TenantScoped, Timestamps


class MessagingSettings(TenantScoped, Timestamps, Base):
    """Rules of a tenant; a tenant without a row has those of `DEFAULTS` in `services/rules.py`.

    `caps` are `{"channel", "most", "days"}`: so many messages to a person in so many days. Prices are micros of the
    workspace's currency for one SMS part or one WhatsApp message. The webhook is read by `services/rules.py` only: one
    whose key is gone must not keep the rest from being used.
    """

    __tablename__ = "messaging_settings"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    quiet_start: Mapped[str] = mapped_column(String(5), default="21:00")
    quiet_end: Mapped[str] = mapped_column(String(5), default="08:00")
    keeps_us_hours: Mapped[bool] = mapped_column(default=True)
    caps: Mapped[list[Any]] = mapped_column(default=list)
    prices: Mapped[dict[str, Any]] = mapped_column(default=dict)
    alarm_percent: Mapped[float] = mapped_column(Float, default=20.0)
    alarm_least: Mapped[int] = mapped_column(default=50)
    alarm_pauses: Mapped[bool] = mapped_column(default=False)
    slack_url: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    slack_error: Mapped[str] = mapped_column(Text, default="")
    help_text: Mapped[str] = mapped_column(String(1600), default="")


class MessagingAccount(TenantScoped, Timestamps, Base):
    """A tenant's own account at the provider; without one the installation's is used.

    The token is read only where it is asked for: one whose key is gone must not keep the rest from being shown.
    """

    __tablename__ = "messaging_accounts"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    account_sid: Mapped[str] = mapped_column(String(40), index=True)
    auth_token: Mapped[str] = mapped_column(Encrypted, deferred=True)
    checked_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")


class MessageSender(TenantScoped, Base):
    """A number, short code or messaging service messages leave from. `rate_per_second` is the sender's own limit."""

    __tablename__ = "message_senders"
    __table_args__ = (UniqueConstraint("tenant_id", "channel", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(40), index=True)
    label: Mapped[str] = mapped_column(String(100), default="")
    rate_per_second: Mapped[float] = mapped_column(Float, default=1.0)
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
