"""One message to one person: made once, sent at most once, followed to its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class MessageState(StrEnum):
    """`claimed`: a worker is about to send it. `unknown`: it may have left; looked up, never blindly sent again."""

    PENDING = "pending"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


OPEN = (MessageState.PENDING, MessageState.CLAIMED, MessageState.UNKNOWN)
ACCEPTED = (MessageState.QUEUED, MessageState.SENT, MessageState.DELIVERED, MessageState.READ, MessageState.UNDELIVERED)
REACHED = (MessageState.DELIVERED, MessageState.READ)
LOST = (MessageState.UNDELIVERED, MessageState.FAILED)


class Skip(StrEnum):
    """Why somebody of the segment is not messaged; `quiet_hours` only holds a message back for a while."""

    NO_PHONE = "no_phone"
    STOP = "stop"
    NO_CONSENT = "no_consent"
    BAD_NUMBER = "bad_number"
    CAP_REACHED = "cap_reached"
    HOLDOUT = "holdout"
    DUPLICATE_NUMBER = "duplicate_number"
    DUPLICATE_PERSON = "duplicate_person"
    MISSING_VARIABLE = "missing_variable"
    GONE = "gone"
    QUIET_HOURS = "quiet_hours"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Message(OfTenant, Base):
    """A row for everyone of the frozen segment, those who are skipped among them, and for every hand-written reply.

    `profile_id` is no foreign key: an erased person's rows stay for the counts, without number and text.
    `reason` is a Skip, the class of an error, or empty; `attempts` counts what was handed to the provider.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("uq_messages_profile_id_campaign_id", "profile_id", "campaign_id", unique=True,
              **_where("campaign_id IS NOT NULL AND profile_id IS NOT NULL")),
        Index("uq_messages_campaign_id_address", "campaign_id", "address", unique=True,
              **_where("campaign_id IS NOT NULL AND state <> 'skipped' AND address <> ''")),
        Index("ix_messages_campaign_id_state", "campaign_id", "state", "id", **_where("campaign_id IS NOT NULL")),
        Index("ix_messages_due", "campaign_id", "due_at", "id", **_where("state = 'pending'")),
        Index("ix_messages_in_doubt", "state", "claimed_at", **_where("state IN ('claimed', 'unknown')")),
        Index("uq_messages_sid", "sid", unique=True, **_where("sid IS NOT NULL")),
        Index("ix_messages_profile_id_sent_at", "profile_id", "channel", "sent_at", **_where("sent_at IS NOT NULL")),
        Index("ix_messages_profile_id_alone", "profile_id",
              **_where("campaign_id IS NULL AND profile_id IS NOT NULL")),
        Index("ix_messages_tenant_id_sent_at", "tenant_id", "sent_at", **_where("sent_at IS NOT NULL")),
        Index("ix_messages_tenant_id_state_sent_at", "tenant_id", "state", "sent_at", "id",
              **_where("state IN ('queued', 'sent', 'read', 'cancelled') AND sent_at IS NOT NULL")),
        Index("ix_messages_lost", "tenant_id", "ended_at", **_where("state IN ('undelivered', 'failed')")),
        Index("ix_messages_thread_id", "thread_id", "id", **_where("thread_id IS NOT NULL")),
        Index("uq_messages_thread_id_token", "thread_id", "token", unique=True, **_where("token IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    variant_id: Mapped[int] = mapped_column(default=0)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("message_threads.id", ondelete="SET NULL"))
    profile_id: Mapped[int | None] = mapped_column(BigId)
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(20), default="")  # the person's number, E.164
    sender: Mapped[str] = mapped_column(String(40), default="")
    account: Mapped[str | None] = mapped_column(String(40))  # the provider's; by it and the sender it was handed over
    state: Mapped[str] = mapped_column(String(12), default=MessageState.PENDING)
    reason: Mapped[str] = mapped_column(String(40), default="")
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(String(32))
    claimed_at: Mapped[datetime | None]
    token: Mapped[str | None] = mapped_column(String(40))  # the sending page's own: a reply sent twice is one
    body: Mapped[str | None] = mapped_column(Text)
    content: Mapped[dict[str, Any] | None]  # of one sent alone by an approved text: its "sid" and its "variables"
    sid: Mapped[str | None] = mapped_column(String(40))
    earlier_sids: Mapped[list[Any] | None]
    segments: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]  # when the provider took it
    delivered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Suppression(OfTenant, Base):
    """A number that cannot be reached on a channel, or must not be tried: why, and what the provider said."""

    __tablename__ = "message_suppressions"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    address: Mapped[str] = mapped_column(String(20), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40))
    code: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=utc_now)
