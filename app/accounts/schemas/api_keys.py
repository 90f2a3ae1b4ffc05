"""How API keys are asked for and how they answer. The key itself is in one answer only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.accounts.models import ApiKey, Scope
from app.accounts.services.api_keys import LONGEST_NAME, MAX_DAYS, MAX_OVERLAP_HOURS, state_of
from app.core.clock import iso


def _in_utc(moment: datetime) -> datetime:
    """One without a zone is taken as UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a date of the calendar") from None


class NewApiKey(BaseModel):
    """Without an expiry the key works until it is revoked."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    expires_at: Annotated[datetime, AfterValidator(_in_utc)] | None = None
    expires_in_days: int | None = Field(None, ge=1, le=MAX_DAYS)

    @model_validator(mode="after")
    def _one_expiry(self) -> NewApiKey:
        if self.expires_at is not None and self.expires_in_days is not None:
            raise ValueError("Give expires_at or expires_in_days, not both.")
        return self


class Rotation(BaseModel):
    """For how long the old key goes on working beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(24, ge=0, le=MAX_OVERLAP_HOURS)


class ApiKeyOut(BaseModel):
    """A key as lists show it."""

    id: int
    name: str
    prefix: str
    scopes: list[Scope]
    state: Literal["live", "ending", "expired", "revoked"]
    created_by: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str
    revoked_at: datetime | None
    replaced_by: int | None


class NewApiKeyOut(ApiKeyOut):
    """The one answer that holds the key; `replaces` is the key it was rotated from."""

    key: str
    replaces: int | None


def show_key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "state": state_of(key),
        "created_by": key.created_by,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "last_used_at": iso(key.last_used_at),
        "last_used_address": key.last_used_address,
        "revoked_at": iso(key.revoked_at),
        "replaced_by": key.replaced_by_id,
    }


def show_new_key(key: ApiKey, text: str, replaces: int | None = None) -> dict[str, Any]:
    return {**show_key(key), "key": text, "replaces": replaces}
