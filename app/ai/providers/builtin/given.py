"""The audience as it was handed over: segments and people read safely, each tied to what the analyst knows of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.ai.providers.builtin.audience import Part, Plan, part_for, plan
from app.ai.providers.builtin.brief import clean, clip, read_brief


@dataclass(frozen=True)
class Member:
    """A persona as given; lists are its own words."""

    name: str
    segment: str
    data: Mapping[str, Any]

    def text(self, field: str) -> str:
        value = self.data.get(field)
        return clip(clean(value), 160) if isinstance(value, str | int | float) else ""

    def items(self, field: str) -> list[str]:
        value = self.data.get(field)
        held = value if isinstance(value, list | tuple) else [value] if isinstance(value, str) else []
        return [clip(clean(item), 160) for item in held if isinstance(item, str) and clean(item)]

    @property
    def first_name(self) -> str:
        return self.name.split(" ")[0]


@dataclass(frozen=True)
class Group:
    """A segment as given, the planned part nearest to it, and its people."""

    name: str
    size: int | None
    part: Part
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Handed:
    plan: Plan
    groups: tuple[Group, ...]
    deep: bool

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(member for group in self.groups for member in group.members)


def handed(facts: Mapping[str, Any]) -> Handed:
    """The facts as groups with people; the plan's own segments stand in when none are given."""
    made = plan(read_brief(facts.get("brief")))
    people = [_member(entry) for entry in _list(facts.get("personas"))]
    segments = [entry for entry in _list(facts.get("segments")) if clean(entry.get("name"))]
    groups = [_group(made, entry, people) for entry in segments[:8]]
    if not groups:
        groups = [Group(made.fill(p.seed.name), p.percentage, p, ()) for p in made.parts]
    return Handed(made, tuple(groups), bool(facts.get("deep")))


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def _member(entry: Mapping[str, Any]) -> Member:
    data = entry.get("data")
    data = data if isinstance(data, Mapping) else entry
    segment = entry.get("segment")
    name = segment.get("name") if isinstance(segment, Mapping) else segment
    return Member(clip(clean(entry.get("name") or data.get("name")), 80) or "Someone", clean(name), data)


def _group(made: Plan, entry: Mapping[str, Any], people: list[Member]) -> Group:
    name = clip(clean(entry.get("name")), 90)
    size = entry.get("size_percentage")
    mine = tuple(p for p in people if p.segment.lower() == clean(entry.get("name")).lower())
    return Group(name, int(size) if isinstance(size, int | float) and not isinstance(size, bool) and 0 <= size <= 100 else None,
                 part_for(made, clean(entry.get("name")), clean(entry.get("description"))), mine)  # fmt: skip
