"""Events in, and what became of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MAX_BATCH = 1000


class EventIn(BaseModel):
    """One event. At least one identity is needed; `message_id` makes sending it again harmless."""

    model_config = ConfigDict(extra="ignore")

    event_name: str = Field(min_length=1, max_length=200)
    anonymous_id: str | int | None = None
    user_id: str | int | None = None
    email: str | None = None
    phone: str | None = None
    external_ids: dict[str, str | int] | None = None
    traits: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    timestamp: str | None = Field(None, description="ISO 8601; now when it is missing")
    sent_at: str | None = Field(None, description="The sender's clock when it sent; sets a wrong clock right")
    message_id: str | None = Field(None, max_length=100)


class EventTaken(BaseModel):
    success: bool
    event_id: int
    profile_id: int
    duplicate: bool


class BatchIn(BaseModel):
    """Up to 1,000 events as the single call takes them; each is kept or refused by itself."""

    events: list[Any] = Field(min_length=1, max_length=MAX_BATCH)


class RowError(BaseModel):
    index: int
    field: str
    message: str


class BatchTaken(BaseModel):
    accepted: int
    rejected: int
    duplicates: int
    errors: list[RowError]
