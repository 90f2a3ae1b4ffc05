"""Profiles out, and what may be asked and changed of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from app.cdp.models import Channel, ConsentRecord, ConsentValue, Identity, Lifecycle, Profile
from app.core.clock import iso
from app.core.paging import PageQuery


class ProfilesQuery(PageQuery):
    """`q`: an id, or the beginning of an e-mail address, phone number, user or external id, first or last name."""

    q: str = Field("", max_length=320)
    lifecycle_stage: Lifecycle | None = None
    segment_id: int | None = Field(None, ge=1, le=2**31 - 1)


class ProfileOut(BaseModel):
    id: int
    name: str
    email: str | None
    phone: str | None
    user_id: str | None
    lifecycle_stage: Lifecycle
    traits: dict[str, Any]
    first_seen_at: str
    last_seen_at: str
    created_at: str
    updated_at: str


class IdentityOut(BaseModel):
    id: int
    kind: str
    value: str
    source: str
    first_seen_at: str
    last_seen_at: str


class WholeProfileOut(ProfileOut):
    identities: list[IdentityOut]
    consent: dict[str, ConsentValue]
    computed_traits: dict[str, Any]
    segment_ids: list[int]


class StatisticsOut(BaseModel):
    total_profiles: int
    identified_profiles: int
    anonymous_profiles: int
    lifecycle_distribution: dict[str, int]


class HealthOut(BaseModel):
    """`waiting`: items not counted yet, at most 1,000 of them."""

    status: str
    waiting: int
    folded_at: str | None


class TraitsIn(BaseModel):
    """A trait that is null is removed."""

    traits: dict[str, Any] = Field(min_length=1)


class EventsQuery(PageQuery):
    event_name: str = Field("", max_length=200)


class ProfileEventOut(BaseModel):
    id: int
    event_name: str
    timestamp: str
    received_at: str
    message_id: str | None
    properties: dict[str, Any]
    context: dict[str, Any]


class ConsentIn(BaseModel):
    channel: Channel
    state: ConsentValue
    source: str = Field("api", min_length=1, max_length=60)
    evidence: dict[str, Any] = Field(default_factory=dict)


class ConsentRecordOut(BaseModel):
    id: int
    channel: Channel
    state: ConsentValue
    source: str
    evidence: dict[str, Any]
    at: str


class ConsentOut(BaseModel):
    """The state in force on each channel, and every statement, newest first."""

    states: dict[str, ConsentValue]
    records: list[ConsentRecordOut]


def profile_out(row: Profile) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email or None,
        "phone": row.phone or None,
        "user_id": row.user_id or None,
        "lifecycle_stage": row.lifecycle,
        "traits": row.traits,
        "first_seen_at": iso(row.first_seen_at),
        "last_seen_at": iso(row.last_seen_at),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def identity_out(row: Identity) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "value": row.value,
        "source": row.source,
        "first_seen_at": iso(row.first_seen_at),
        "last_seen_at": iso(row.last_seen_at),
    }


def event_out(row: Any) -> dict[str, Any]:
    event, name = row
    return {
        "id": event.id,
        "event_name": name,
        "timestamp": iso(event.at),
        "received_at": iso(event.received_at),
        "message_id": event.message_id,
        "properties": event.properties,
        "context": event.context,
    }


def record_out(row: ConsentRecord) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "state": row.state,
        "source": row.source,
        "evidence": row.evidence,
        "at": iso(row.at),
    }
