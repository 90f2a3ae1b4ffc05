"""The shapes of what the insight contract answers about audiences, segments, personas and talks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.core.describe import Message
from app.insights.models import AudienceState, Step, StepState

MadeId = Field(examples=[7])


class AudienceRow(BaseModel):
    """An audience as the list shows it: the brief as it was given."""

    id: int
    name: str = Field(examples=["Orchard & Oat"])
    website: str
    business_description: str
    industry: str
    customers: str
    location: str
    age_range: str
    income_level: str
    core_need: str
    additional_info: str
    created_at: datetime
    updated_at: datetime


class AudienceWhole(AudienceRow):
    """An audience with what each provider answered; null where none was asked."""

    claude_response: str | None
    openai_response: str | None
    deepseek_response: str | None
    perplexity_response: str | None
    groq_response: str | None


class AudienceMade(Message):
    """The new audience's id; its picture is being made in the background."""

    audience_id: int = MadeId


class SegmentInsight(BaseModel):
    """A segment of the picture with its people."""

    name: str
    description: str
    size_percentage: int | None = Field(description="Its share of the audience; null when nobody has said.")
    key_characteristics: list[str]
    marketing_approach: str
    personas: list[dict[str, Any]] = Field(
        description="Each with a name and whatever fields are known.", examples=[[{"name": "Priya Nair", "age": 34}]]
    )


class AudienceInsight(BaseModel):
    """The picture of an audience as one document."""

    summary: str
    total_addressable_market: str
    key_insights: list[str]
    segments: list[SegmentInsight]
    recommendations: list[str]


class StepShown(BaseModel):
    """One step of the making, and who did it."""

    name: Step
    state: StepState
    provider: str


class InsightShown(BaseModel):
    """The picture, and how far its making is."""

    state: AudienceState
    error: str | None
    steps: list[StepShown]
    insight: AudienceInsight


class Generated(Message):
    """A finished text."""

    response: str
    prompt_used: str
    deep_research: bool


class GenerationStarted(Message):
    """The text takes longer; it will be among the audience's reports."""

    job_id: str


class SegmentRow(BaseModel):
    """A segment as lists show it."""

    id: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class SegmentWhole(SegmentRow):
    """A segment and whose it is."""

    audience_id: int


class SegmentMade(Message):
    """The new segment's id."""

    segment_id: int = MadeId


class PersonaRow(BaseModel):
    """A persona with its facts, which may be any fields."""

    id: int
    name: str = Field(examples=["Priya Nair"])
    data: dict[str, Any] = Field(examples=[{"age": 34, "occupation": "Marketing manager", "goals": ["Time back"]}])
    created_at: datetime
    updated_at: datetime


class PersonaWhole(PersonaRow):
    """A persona and whose segment it is in."""

    segment_id: int


class PersonaMade(Message):
    """The new persona's id."""

    persona_id: int = MadeId


class ChatMessage(BaseModel):
    """Something said, by the person or the persona."""

    role: Literal["user", "persona"]
    content: str
    timestamp: datetime


class ChatReply(BaseModel):
    """The finished reply and all that was said."""

    response: str
    chat_history: list[ChatMessage]
    chat_history_id: int


class ChatShown(BaseModel):
    """A conversation with all that was said; `simulation_id` is null for one that began on the persona's page."""

    id: int
    persona_id: int
    simulation_id: int | None
    title: str
    messages: list[ChatMessage]


class ChatRow(BaseModel):
    """A conversation as lists show it."""

    id: int
    persona_id: int
    simulation_id: int
    title: str
    message_count: int
    created_at: datetime
    updated_at: datetime
