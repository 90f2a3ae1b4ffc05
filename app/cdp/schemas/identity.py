"""Merges, splits and the rules of identities in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.cdp.models import ProfileMerge
from app.cdp.services.identity_rules import Rules
from app.core.clock import iso

Kind = Literal["user_id", "external", "email", "phone", "anonymous_id"]
BlockedValue = Annotated[str, Field(min_length=1, max_length=200)]


class MergeIn(BaseModel):
    """The profile that becomes part of the one in the address."""

    profile_id: int = Field(ge=1, le=2**31 - 1)
    reason: str = Field("", max_length=200)


class MergeOut(BaseModel):
    id: int
    winner_id: int
    loser_id: int
    reason: str
    user_id: int | None
    merged_at: str
    undone_at: str | None


class SplitIn(BaseModel):
    identity_ids: list[Annotated[int, Field(ge=1, le=2**53)]] = Field(min_length=1, max_length=100)


class RulesIn(BaseModel):
    """What is left out stays as it is. `default_region` is a country in two letters, or empty."""

    model_config = ConfigDict(extra="forbid")

    limits: dict[Kind, Annotated[int, Field(ge=1, le=1000)]] | None = None
    blocked: dict[Kind, Annotated[list[BlockedValue], Field(max_length=1000)]] | None = None
    priority: Annotated[list[Kind], Field(min_length=1, max_length=5)] | None = None
    default_region: str | None = Field(None, pattern="^([A-Z]{2})?$")

    @field_validator("priority")
    @classmethod
    def _names_each_once(cls, value: list[Kind] | None) -> list[Kind] | None:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("names a kind twice")
        return value


class RulesOut(BaseModel):
    limits: dict[Kind, int]
    blocked: dict[Kind, list[str]]
    priority: list[Kind]
    default_region: str


class DryRunOut(BaseModel):
    merges: int
    splits: int
    blocked: int
    merge_samples: list[list[int]]
    split_samples: list[int]
    blocked_samples: list[int]


def merge_out(row: ProfileMerge) -> dict[str, Any]:
    return {
        "id": row.id,
        "winner_id": row.winner_id,
        "loser_id": row.loser_id,
        "reason": row.reason,
        "user_id": row.user_id,
        "merged_at": iso(row.merged_at),
        "undone_at": iso(row.undone_at),
    }


def rules_out(rules: Rules) -> dict[str, Any]:
    blocked = {kind: sorted(values) for kind, values in rules.blocked.items()}
    priority = list(rules.priority)
    return {"limits": rules.limits, "blocked": blocked, "priority": priority, "default_region": rules.default_region}
