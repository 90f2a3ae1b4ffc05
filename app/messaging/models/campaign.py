"""A message to a segment: what, to whom, when, and how far it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, OfTenant, TenantScoped, Timestamps
from app.messaging.models.template import MessageChannel


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


TRANSITIONS: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.CANCELLED}),
    CampaignState.SCHEDULED: frozenset({
        CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.CANCELLED, CampaignState.FAILED,
    }),
    CampaignState.RUNNING: frozenset({
        CampaignState.PAUSED, CampaignState.COMPLETED, CampaignState.CANCELLED, CampaignState.FAILED,
    }),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.CANCELLED}),
    CampaignState.COMPLETED: frozenset({CampaignState.CANCELLED}),  # while something of it is to be tried again
    CampaignState.CANCELLED: frozenset(),
    CampaignState.FAILED: frozenset({CampaignState.RUNNING, CampaignState.CANCELLED}),
}  # fmt: skip
ENDED = (CampaignState.COMPLETED, CampaignState.CANCELLED)
SENDS = (CampaignState.RUNNING, CampaignState.COMPLETED)  # of one that is over only what is tried again
EDITABLE = (CampaignState.DRAFT, CampaignState.SCHEDULED)


class Campaign(TenantScoped, Timestamps, Base):
    """`rate_per_second` 0 is as fast as the senders allow. Quiet hours left empty are the tenant's.

    Recipients are frozen from the segment as it is at launch: `segment_count` people were in it, `frozen_count` of them
    have their row so far, `frozen_at` is when all had.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        Index("ix_campaigns_tenant_id_state", "tenant_id", "state", "id"),
        Index("ix_campaigns_state_schedule_at", "state", "schedule_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    channel: Mapped[str] = mapped_column(String(12), default=MessageChannel.SMS)
    state: Mapped[str] = mapped_column(String(12), default=CampaignState.DRAFT)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"), index=True)
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("message_senders.id", ondelete="SET NULL"))
    schedule_at: Mapped[datetime | None]
    rate_per_second: Mapped[float] = mapped_column(Float, default=10.0)
    quiet_start: Mapped[str] = mapped_column(String(5), default="")
    quiet_end: Mapped[str] = mapped_column(String(5), default="")
    keeps_caps: Mapped[bool] = mapped_column(default=True)
    holdout_percent: Mapped[float] = mapped_column(Float, default=0.0)
    tracks_links: Mapped[bool] = mapped_column(default=True)
    goal_event: Mapped[str] = mapped_column(String(200), default="")
    goal_days: Mapped[int] = mapped_column(default=7)
    frozen_count: Mapped[int] = mapped_column(default=0)
    frozen_at: Mapped[datetime | None]
    segment_count: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(Text, default="")
    alarmed_at: Mapped[datetime | None]
    copied_from_id: Mapped[int | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class CampaignAudience(OfTenant, Base):
    """Who was in the segment at launch, a bitmap a shard; gone once all have their row."""

    __tablename__ = "campaign_audiences"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    ids: Mapped[bytes] = mapped_column(LargeBinary)


class CampaignVariant(TenantScoped, Base):
    """One of the texts a campaign tries; `weight` is its part of those who are messaged."""

    __tablename__ = "campaign_variants"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(2), default="A")
    version_id: Mapped[int] = mapped_column(ForeignKey("template_versions.id"), index=True)
    weight: Mapped[int] = mapped_column(default=1)


class CampaignTally(OfTenant, Base):
    """How many messages of a campaign are in a state, kept with every change so that nobody has to count.

    `variant_id` 0 are those who got none. `reason` says why somebody is skipped, held or failed.
    """

    __tablename__ = "campaign_tallies"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(primary_key=True, default=0)
    state: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    n: Mapped[int] = mapped_column(default=0)


class DeliveryOutcome(StrEnum):
    """`sent` are those the provider took, whatever became of them then; `failed` those it refused."""

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class DeliveryCount(OfTenant, Base):
    """What happened to messages in five minutes: so many had an outcome, for a reason where it is a bad one.

    `campaign_id` 0 are those of no campaign. `seconds` is how long the delivered ones took, all together. `sent` is
    counted at the time the provider took it, and a message that is tried again is taken back from there, so that over
    all time the figures are those of the tallies. `m0` to
    `m4` are what was added in each of the five minutes; nothing is taken back from them.
    """

    __tablename__ = "delivery_counts"
    __table_args__ = (Index("ix_delivery_counts_tenant_id_at", "tenant_id", "at"),)

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(primary_key=True, default=0)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    n: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    m0: Mapped[int] = mapped_column(default=0, server_default="0")
    m1: Mapped[int] = mapped_column(default=0, server_default="0")
    m2: Mapped[int] = mapped_column(default=0, server_default="0")
    m3: Mapped[int] = mapped_column(default=0, server_default="0")
    m4: Mapped[int] = mapped_column(default=0, server_default="0")


class CountryCount(OfTenant, Base):
    """The same by where it went: in a quarter of an hour so many messages to a calling code had an outcome.

    `code` is `+49`, or empty for a number that was blanked. Of a campaign's own, so that no two campaigns wait for
    each other's rows.
    """

    __tablename__ = "country_counts"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(primary_key=True, default=0)
    code: Mapped[str] = mapped_column(String(4), primary_key=True, default="")
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    n: Mapped[int] = mapped_column(default=0)


class CampaignAlarm(TenantScoped, Base):
    """Too many of a campaign's messages failed in a while."""

    __tablename__ = "campaign_alarms"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    failed: Mapped[int]
    total: Mapped[int]
    top_error: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[datetime] = mapped_column(default=utc_now)
