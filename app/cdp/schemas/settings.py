"""Rules of the stages of life, and computed traits, in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.cdp.services.computed_traits import Definition, Function
from app.cdp.services.ingestion_rows import HOSTILE

EventText = Annotated[str, Field(min_length=1, max_length=200)]
Events = Annotated[list[EventText], Field(min_length=1, max_length=50)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfEvents(_Strict):
    events: Events


class OfActive(OfEvents):
    times: int = Field(2, ge=1, le=1000)
    days: int = Field(30, ge=1, le=3650)


class OfChurned(_Strict):
    days: int = Field(ge=1, le=3650)


class LifecycleRulesIn(_Strict):
    """A stage that is left out keeps its rule."""

    lead: OfEvents | None = None
    customer: OfEvents | None = None
    active: OfActive | None = None
    churned: OfChurned | None = None


class LifecycleRulesOut(BaseModel):
    """anonymous and known have no rule of their own: who has an identity besides anonymous ones is known."""

    lead: OfEvents
    customer: OfEvents
    active: OfActive
    churned: OfChurned


class ComputedTraitIn(BaseModel):
    """`property` is for every function but count and days_since."""

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,99}$")
    function: Function
    event: str = Field(min_length=1, max_length=200)
    property: str = Field("", max_length=100)

    @field_validator("event", "property")
    @classmethod
    def _can_be_a_name(cls, value: str) -> str:
        if HOSTILE.search(value) or value.startswith("$"):
            raise ValueError("is no name an event or property can have")
        return value


class ComputedTraitOut(BaseModel):
    """`id` is null for a built-in one, which cannot be deleted."""

    id: int | None
    name: str
    function: Function
    event: str
    property: str


def computed_trait_out(row: Definition | Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "function": row.function,
        "event": row.event,
        "property": row.property,
    }
