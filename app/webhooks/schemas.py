"""How webhooks are asked for and how they answer. A secret is in the answers that make one and nowhere else."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import iso
from app.core.paging import PageQuery
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.services.endpoints import LONGEST_DESCRIPTION, LONGEST_URL, MAX_OVERLAP_HOURS

STRICT = ConfigDict(extra="forbid")


class NewWebhook(BaseModel):
    """Where to send, and which types of event."""

    model_config = STRICT

    url: str = Field(min_length=1, max_length=LONGEST_URL, examples=["https://example.com/hooks/parley"])
    events: list[str] = Field(min_length=1, max_length=100, examples=[["segment.entered"]])
    description: str = Field("", max_length=LONGEST_DESCRIPTION)


class WebhookChange(BaseModel):
    """What is left out stays as it is. `paused` holds everything back; `active` sends it, and turns one on again."""

    model_config = STRICT

    url: str | None = Field(None, min_length=1, max_length=LONGEST_URL)
    events: list[str] | None = Field(None, min_length=1, max_length=100)
    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION)
    state: Literal["active", "paused"] | None = None


class SecretRotation(BaseModel):
    """For how long the old secret signs beside the new one."""

    model_config = STRICT

    overlap_hours: int = Field(24, ge=0, le=MAX_OVERLAP_HOURS)


class DeliveryQuery(PageQuery):
    """`?state=` narrows the list."""

    state: DeliveryState | None = None


class WebhookOut(BaseModel):
    """An endpoint as lists show it. `state_reason` says why one was turned off."""

    id: int
    url: str
    description: str
    events: list[str]
    state: EndpointState
    state_reason: str
    created_by: int | None
    created_at: datetime
    last_success_at: datetime | None
    last_failure_at: datetime | None
    previous_secret_ends_at: datetime | None


class NewWebhookOut(WebhookOut):
    """The one answer that holds the secret."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Attempt(BaseModel):
    """`status` 0: there was no answer, and `error` says why."""

    at: datetime
    status: int
    error: str
    took_ms: int


class DeliveryOut(BaseModel):
    """An event on its way to an endpoint. `message_id` is what the header webhook-id says at every attempt."""

    id: int
    webhook_id: int
    message_id: str
    event: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    status: int
    answer: str = Field(description="The first 1,024 bytes of the last answer.")
    error: str
    history: list[Attempt]
    body: dict[str, Any]


class EventTypeOut(BaseModel):
    name: str
    description: str


class EventTypesOut(BaseModel):
    """What a webhook can ask for."""

    items: list[EventTypeOut]


def show_webhook(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "description": row.description,
        "events": row.events,
        "state": row.state,
        "state_reason": row.state_reason,
        "created_by": row.created_by,
        "created_at": iso(row.created_at),
        "last_success_at": iso(row.last_success_at),
        "last_failure_at": iso(row.last_failure_at),
        "previous_secret_ends_at": iso(row.previous_ends_at),
    }


def show_new_webhook(row: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**show_webhook(row), "secret": secret}


def show_delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "webhook_id": row.endpoint_id,
        "message_id": row.message_id,
        "event": row.event_type,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": iso(row.created_at),
        "delivered_at": iso(row.delivered_at),
        "next_attempt_at": iso(row.due_at) if row.state == DeliveryState.PENDING else None,
        "status": row.status,
        "answer": row.answer,
        "error": row.error,
        "history": row.history,
        "body": json.loads(row.body),
    }
