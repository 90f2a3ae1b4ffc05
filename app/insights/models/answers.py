"""The shapes an AI's answer must have before it is kept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=6000)]


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class InsightAnswer(Answer):
    """What the insight step finds."""

    summary: Prose
    total_addressable_market: Prose
    key_insights: list[Line] = Field(min_length=1, max_length=10)
    recommendations: list[Line] = Field(min_length=1, max_length=10)


class SegmentAnswer(Answer):
    name: Name
    description: Prose
    size_percentage: int = Field(ge=1, le=100)
    key_characteristics: list[Line] = Field(min_length=1, max_length=10)
    marketing_approach: Prose


class SegmentsAnswer(Answer):
    """Segments whose shares add up to 100; a rounding slip of up to 3 is put right, more is refused."""

    segments: list[SegmentAnswer] = Field(min_length=2, max_length=8)

    @model_validator(mode="after")
    def _shares_add_up(self) -> SegmentsAnswer:
        total = sum(segment.size_percentage for segment in self.segments)
        if abs(total - 100) > 3:
            raise ValueError(f"size_percentage must add up to 100, not {total}")
        largest = max(self.segments, key=lambda segment: segment.size_percentage)
        largest.size_percentage += 100 - total
        names = [segment.name.casefold() for segment in self.segments]
        if len(set(names)) < len(names):
            raise ValueError("segment names must differ")
        return self


class Evidence(Answer):
    """Where a persona's field comes from."""

    kind: str = Field(pattern="^(observed|inferred|invented)$")
    basis: str = Field("", max_length=400)
    url: str = Field("", max_length=500)
    n: int | None = None


class PersonaAnswer(Answer):
    """A persona as the contract's AudienceInsight shows it, with a line of theirs and the evidence for each field."""

    name: Name
    age: int = Field(ge=0, le=120)
    gender: Name
    occupation: Name
    income: Name
    education: Name
    location: Name
    interests: list[Line] = Field(min_length=1, max_length=12)
    goals: list[Line] = Field(min_length=1, max_length=12)
    pain_points: list[Line] = Field(min_length=1, max_length=12)
    behaviors: list[Line] = Field(min_length=1, max_length=12)
    values: list[Line] = Field(min_length=1, max_length=12)
    preferred_channels: list[Line] = Field(min_length=1, max_length=12)
    purchasing_habits: list[Line] = Field(min_length=1, max_length=12)
    quote: str = Field("", max_length=400)
    household: str = Field("", max_length=300)
    evidence: dict[str, Evidence] = Field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The persona's `data` of the contract: every field but the name and the evidence."""
        values = self.model_dump(exclude={"name", "evidence"})
        return {key: value for key, value in values.items() if value not in ("", None)}


class PersonasAnswer(Answer):
    personas: list[PersonaAnswer] = Field(min_length=1, max_length=6)


class InsightSegment(SegmentAnswer):
    personas: list[PersonaAnswer]


class AudienceInsight(InsightAnswer):
    """The whole picture of an audience, as the contract's schema shows it."""

    segments: list[InsightSegment] = Field(min_length=1)


class PanelAnswer(Answer):
    """How one persona takes a question or a message: stance 1 (strongly against) to 5 (strongly for)."""

    stance: int = Field(ge=1, le=5)
    reasons: list[Line] = Field(min_length=1, max_length=6)
    objections: list[Line] = Field(default_factory=list, max_length=6)
    quote: Line
    would_change: str = Field("", max_length=600)
