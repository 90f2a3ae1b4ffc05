"""What the insight contract takes in; the pages' forms are validated by the same schemas."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.insights.models import BRIEF_FIELDS

MAX_DATA_BYTES = 64 * 1024
MAX_DEPTH = 6


def _none_as_empty(value: Any) -> Any:
    return "" if value is None else value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, strict=True)]


Brief100 = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=100, strict=True),
    BeforeValidator(_none_as_empty),
]
Short = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, strict=True),
    BeforeValidator(_none_as_empty),
]
Line300 = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=300, strict=True),
    BeforeValidator(_none_as_empty),
]
Medium = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2_000, strict=True),
    BeforeValidator(_none_as_empty),
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=6_000, strict=True),
    BeforeValidator(_none_as_empty),
]
Long = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=20_000, strict=True),
    BeforeValidator(_none_as_empty),
]


class BriefFields(BaseModel):
    model_config = ConfigDict(extra="ignore")

    website: Line300 = ""
    business_description: Long = ""
    industry: Short = ""
    customers: Medium = ""
    location: Line300 = ""
    age_range: Brief100 = ""
    income_level: Short = ""
    core_need: Medium = ""
    additional_info: Long = ""


class AudienceIn(BriefFields):
    """`POST /audience`."""

    name: Name


class AudienceChange(BriefFields):
    """`PUT /audience/<id>`: only what is sent is changed."""

    name: Name | None = None

    def changes(self) -> dict[str, str]:
        values = self.model_dump(include=self.model_fields_set & set(BRIEF_FIELDS))
        return {key: value for key, value in values.items() if value is not None}


class SegmentIn(BaseModel):
    """`POST /audience/<id>/segments`."""

    name: Name
    description: Long = ""


class SegmentChange(BaseModel):
    """`PUT /segments/<id>`."""

    name: Name | None = None
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000, strict=True)] | None = None


def _bounded(data: dict[str, Any]) -> dict[str, Any]:
    """Free-form, but not without end: size, depth and key length have limits."""
    try:
        text = json.dumps(data, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("must be plain JSON") from None
    if len(text) > MAX_DATA_BYTES:
        raise ValueError(f"must be at most {MAX_DATA_BYTES // 1024} KB of JSON")
    _check_depth(data, 1)
    return data


def _check_depth(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"must not be nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        if any(not key or len(key) > 100 for key in value):
            raise ValueError("field names must have 1 to 100 characters")
        for inner in value.values():
            _check_depth(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_depth(inner, depth + 1)


_FIELD_NAMES = {"propertyNames": {"minLength": 1, "maxLength": 100}}
Data = Annotated[dict[str, Any], AfterValidator(_bounded), Field(json_schema_extra=_FIELD_NAMES)]


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]


class SegmentEdit(BaseModel):
    """A segment as its form edits it, whole."""

    name: Name
    description: Long = ""
    size_percentage: int | None = Field(None, ge=0, le=100)
    key_characteristics: list[Line] = Field(default_factory=list, max_length=12)
    marketing_approach: Prose = ""


class PictureChange(BaseModel):
    """A part of the picture, corrected by hand."""

    summary: Prose = ""
    total_addressable_market: Prose = ""
    key_insights: list[Line] = Field(default_factory=list, max_length=20)
    recommendations: list[Line] = Field(default_factory=list, max_length=20)


class PersonaIn(BaseModel):
    """`POST /segments/<id>/personas`."""

    name: Name
    data: Data = Field(default_factory=dict)


class PersonaChange(BaseModel):
    """`PUT /personas/<id>`: `data` is merged, a field given null is removed."""

    name: Name | None = None
    data: Data | None = None


class GenerateIn(BaseModel):
    """`POST /audience/<id>/generate`; without `deep_research` the workspace's setting decides."""

    prompt_type: Literal["perplexity", "expert_reflection", "simulation", "optimization"]
    deep_research: bool | None = Field(None, strict=True)


class MessageIn(BaseModel):
    """`POST /chat/simulation/<id>/persona/<id>`, and the page's composer."""

    message: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=8000, strict=True),
    ]
    new: bool = Field(False, strict=True)
    chat_history_id: int | None = Field(None, ge=1, le=2**31 - 1, strict=True)
    nonce: str | None = Field(None, max_length=64, strict=True)


RowId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]


def _none_as_list(value: Any) -> Any:
    return [] if value is None else value


class SimulationIn(BaseModel):
    """`POST /simulations`; without ids everyone in the audience is asked."""

    audience_id: RowId
    name: Name
    description: Medium = ""
    type: Literal["default", "optimization"] = "default"
    segment_ids: Annotated[list[RowId], BeforeValidator(_none_as_list), Field(max_length=200)] = []
    persona_ids: Annotated[list[RowId], BeforeValidator(_none_as_list), Field(max_length=500)] = []
    question: Medium = ""
    message: Prose = ""
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


class SimulationChange(BaseModel):
    """`PUT /simulations/<id>`: only its name and description can change."""

    name: Name | None = None
    description: Medium | None = None
