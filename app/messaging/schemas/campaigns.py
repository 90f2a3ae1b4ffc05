"""Campaigns in and out, as the messaging contract speaks of them, and what is ours beyond it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import iso
from app.messaging.models import Message
from app.messaging.queries.campaigns import Row, Text
from app.messaging.services import delivery_reference

Status = Literal["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "CANCELLED", "FAILED"]
_RATE = "Messages a second, 0.1 to 1,000; null is as fast as the sender allows."
_QUIET = "HH:MM on the clock where the person is; null is the workspace's own."
_TIME = "A time to come within a year, ISO 8601; without a zone it is UTC."


class CampaignsQuery(BaseModel):
    """`status` in any case; `q` is looked for in names."""

    page: int = Field(1, ge=1, le=100_000)
    per_page: int = Field(20, ge=1, le=100)
    status: str = Field(
        "", max_length=20, description="DRAFT, SCHEDULED, RUNNING, PAUSED, COMPLETED, CANCELLED, FAILED."
    )
    q: str = Field("", max_length=200)


class MessagingVariantIn(BaseModel):
    """One of the texts a campaign tries, and its part of those who get one."""

    model_config = ConfigDict(extra="forbid")

    template_id: str = Field(max_length=100)
    weight: int = 1


class MessagingCampaignIn(BaseModel):
    """`template_id` is one text, `variants` are two to five of one channel: give one of the two."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=1000, examples=["Spring Promotion"])
    description: str = Field("", max_length=2000, examples=["Spring sale announcement campaign"])
    template_id: str | None = Field(None, max_length=100, examples=["550e8400-e29b-41d4-a716-446655440000"])
    variants: list[MessagingVariantIn] | None = Field(None, max_length=20)
    segment_id: str = Field(max_length=100, examples=["6fa459ea-ee8a-3ca4-894e-db77e160355e"])
    schedule_time: str | None = Field(None, max_length=40, description=_TIME, examples=["2027-03-15T09:00:00Z"])
    rate_limit_per_second: float | None = Field(10.0, description=_RATE, examples=[3])
    quiet_hours_start: str | None = Field(None, max_length=20, description=_QUIET, examples=["22:00"])
    quiet_hours_end: str | None = Field(None, max_length=20, description=_QUIET, examples=["08:00"])
    sender_id: int | None = Field(None, ge=1, lt=2**31, description="Null is the channel's default sender.")
    holdout_percent: float = Field(0.0, description="Of those who could be written to, 0 to 90 are not, to compare.")
    keeps_caps: bool = Field(True, description="Whether the workspace's frequency caps hold for this campaign.")
    tracks_links: bool = Field(True, description="Whether links in an SMS become short ones that tell who followed.")
    goal_event: str = Field("", max_length=1000, description="The event that counts as success.")
    goal_days: int = Field(7, description="Within so many days of the message, 1 to 90.")


class MessagingCampaignChangeIn(BaseModel):
    """What is given changes. `schedule_time` null makes it a draft again."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=1000)
    description: str | None = Field(None, max_length=2000)
    template_id: str | None = Field(None, max_length=100)
    variants: list[MessagingVariantIn] | None = Field(None, max_length=20)
    segment_id: str | None = Field(None, max_length=100)
    schedule_time: str | None = Field(None, max_length=40, description=_TIME)
    rate_limit_per_second: float | None = Field(None, description=_RATE)
    quiet_hours_start: str | None = Field(None, max_length=20, description=_QUIET)
    quiet_hours_end: str | None = Field(None, max_length=20, description=_QUIET)
    sender_id: int | None = Field(None, ge=1, lt=2**31)
    holdout_percent: float | None = None
    keeps_caps: bool | None = None
    tracks_links: bool | None = None
    goal_event: str | None = Field(None, max_length=1000)
    goal_days: int | None = None


class ScheduleIn(BaseModel):
    """When it starts by itself."""

    model_config = ConfigDict(extra="forbid")

    schedule_time: str = Field(max_length=40, description=_TIME, examples=["2027-03-15T09:00:00Z"])


class TrialIn(BaseModel):
    """`variant` is a label, A to E; without it the first."""

    model_config = ConfigDict(extra="forbid")

    phone: str = Field(max_length=40, examples=["+14155550123"])
    variant: str | None = Field(None, max_length=2, examples=["A"])


class CampaignTemplateOut(BaseModel):
    """The text as it is sent: the version the campaign keeps."""

    id: str
    name: str
    content: str


class CampaignSegmentOut(BaseModel):
    id: str
    name: str


class CampaignVariantOut(BaseModel):
    label: str
    weight: int
    template: CampaignTemplateOut


class MessagingCampaignOut(BaseModel):
    """`messages_sent` were handed over, whatever became of them; `messages_failed` were refused or not delivered."""

    id: str
    name: str
    description: str
    status: Status
    channel: Literal["sms", "whatsapp"]
    created_at: str
    schedule_time: str | None
    started_at: str | None
    paused_at: str | None
    completed_at: str | None
    pause_reason: str
    error: str = Field(description="Why it has failed: it could not start, or its people could not be gathered.")
    template: CampaignTemplateOut | None = Field(description="Of the first variant.")
    variants: list[CampaignVariantOut]
    segment: CampaignSegmentOut | None
    messages_total: int = Field(description="Everyone of the frozen segment, skipped ones among them.")
    messages_sent: int
    messages_delivered: int
    messages_failed: int
    messages_pending: int
    messages_skipped: int
    rate_limit_per_second: float | None
    quiet_hours_start: str | None
    quiet_hours_end: str | None
    sender_id: int | None
    holdout_percent: float
    keeps_caps: bool
    tracks_links: bool
    goal_event: str
    goal_days: int


class MessagingCampaignsOut(BaseModel):
    campaigns: list[MessagingCampaignOut]
    total: int
    page: int
    per_page: int
    pages: int


class TriggeredOut(BaseModel):
    """`estimated_recipients` would be written to as the segment was last counted; it is counted again at the start."""

    message: str
    campaign_id: str
    estimated_recipients: int
    execution_started: bool


class CampaignDeleted(BaseModel):
    message: str
    id: str


class TrialOut(BaseModel):
    message: str
    message_id: str
    status: str
    body: str


def campaign_out(row: Row) -> dict[str, Any]:
    one, figures = row.campaign, row.figures
    variants = [
        {"label": text.variant.label, "weight": text.variant.weight, "template": _template_out(text)}
        for text in row.texts
    ]
    return {
        "id": one.uuid, "name": one.name, "description": one.description, "status": one.state.upper(),
        "channel": one.channel, "created_at": iso(one.created_at), "schedule_time": iso(one.schedule_at),
        "started_at": iso(one.started_at), "paused_at": iso(one.paused_at), "completed_at": iso(one.completed_at),
        "pause_reason": one.pause_reason, "error": one.error,
        "template": variants[0]["template"] if variants else None, "variants": variants,
        "segment": {"id": row.segment.uuid, "name": row.segment.name} if row.segment else None,
        "messages_total": figures.people, "messages_sent": figures.handed_over, "messages_delivered": figures.delivered,
        "messages_failed": figures.failed, "messages_pending": figures.waiting + figures.unknown,
        "messages_skipped": figures.skipped, "rate_limit_per_second": one.rate_per_second or None,
        "quiet_hours_start": one.quiet_start or None, "quiet_hours_end": one.quiet_end or None,
        "sender_id": one.sender_id, "holdout_percent": one.holdout_percent, "keeps_caps": one.keeps_caps,
        "tracks_links": one.tracks_links, "goal_event": one.goal_event, "goal_days": one.goal_days,
    }  # fmt: skip


def _template_out(text: Text) -> dict[str, Any]:
    return {"id": text.template.uuid, "name": text.template.name, "content": text.version.content}


def trial_out(row: Message) -> dict[str, Any]:
    return {
        "message": "Test message is on its way", "message_id": delivery_reference.public_id(row.id),
        "status": row.state.upper(), "body": row.body or "",
    }  # fmt: skip
