"""Makes data that is valid for a JSON schema, plausible by the names of its fields."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, replace
from typing import Any

from app.sandbox.answers import vocabulary

DEEPEST = 12
_ALSO_CALLED = {"personas": ("people", "persons"), "segments": ("groups",)}
_SHARE = re.compile(r"(percent|share|pct)", re.I)
_HINT = re.compile(r"\b(minItems|maxItems|minimum|maximum|minLength|maxLength)\W{1,3}(-?\d+(?:\.\d+)?)")
_PATTERN = re.compile(r"pattern: (\^.*?\$)")
_CHOICE = re.compile(r"\^?\((?:\?:)?([\w -]+(?:\|[\w -]+)+)\)\$?$")
_COUNT = re.compile(r"\b(?:exactly|precisely|create|generate|make|write|give)\s+(?:me\s+)?(\d{1,2})\s+([a-z_ ]+)", re.I)


@dataclass
class Maker:
    """One run of making: the schema's definitions, the question, and what was used up."""

    root: dict[str, Any]
    question: str
    subject: str
    draw: random.Random
    used: set[str] = field(default_factory=set)

    def make(self, schema: dict[str, Any], at: Place) -> Any:
        """A value for a schema at a place of the whole."""
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.draw.choice(schema["enum"])
        kind = _kind(schema)
        if at.depth > DEEPEST:
            return {"array": [], "object": {}, "string": ""}.get(kind)
        makers = {
            "object": self._object, "array": self._array, "string": self._string,
            "integer": self._integer, "number": self._number,
        }  # fmt: skip
        if kind in makers:
            return makers[kind](schema, at)
        return self.draw.random() < 0.5 if kind == "boolean" else None

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema with references followed and the first fitting alternative taken."""
        while True:
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**_at_pointer(self.root, schema["$ref"]), **rest}
            elif schema.get("allOf"):
                parts = [self.resolved(part) for part in schema["allOf"]]
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                schema = {key: value for part in [*parts, rest] for key, value in part.items()}
            elif schema.get("anyOf") or schema.get("oneOf"):
                options = schema.get("anyOf") or schema["oneOf"]
                rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
                schema = {**next((option for option in options if option.get("type") != "null"), options[0]), **rest}
            else:
                return schema

    def _object(self, schema: dict[str, Any], at: Place) -> dict[str, Any]:
        properties: dict[str, Any] = schema.get("properties", {})
        siblings = tuple(properties) or at.siblings
        made = {
            name: self.make(part, at.inside(name, siblings=at.siblings if "key" in properties else siblings))
            for name, part in properties.items()
        }
        open_map = schema.get("additionalProperties")
        if not properties and isinstance(open_map, dict):
            names = self.resolved(schema.get("propertyNames", {})).get("enum") or at.others()
            made = {name: self.make(open_map, at.inside(name)) for name in list(names)[:4]}
        return made

    def _array(self, schema: dict[str, Any], at: Place) -> list[Any]:
        least, most = int(_bound(schema, "minItems", 0)), int(_bound(schema, "maxItems", 0))
        size = self._asked_for(at.name) or self.draw.randint(max(least, 2), max(least, 3))
        size = max(least, min(size, most) if most else size)
        first = self.draw.randint(1, 60)
        items = [self.make(schema.get("items", {"type": "string"}), at.nth(index, first)) for index in range(size)]
        _make_shares_add_up(items)
        return items

    def _asked_for(self, name: str) -> int | None:
        """How many the question asks for in words, as in "exactly 4 personas"."""
        for count, what in _COUNT.findall(self.question):
            if name and any(word in what.lower() for word in (name.lower().rstrip("s"), *_ALSO_CALLED.get(name, ()))):
                return int(count)
        return None

    def _integer(self, schema: dict[str, Any], at: Place) -> int:
        low, high = _range(schema, at.name)
        return self.draw.randint(-(-low // 1).__int__(), int(high // 1))

    def _number(self, schema: dict[str, Any], at: Place) -> float:
        low, high = _range(schema, at.name)
        return round(self.draw.uniform(low, high), 2)

    def _string(self, schema: dict[str, Any], at: Place) -> str:
        least, most = int(_bound(schema, "minLength", 0)), int(_bound(schema, "maxLength", 0))
        text = self._patterned(schema) or self._formatted(schema, at) or self._phrase(at)
        while len(text) < least:
            text += " " + self._phrase(at)
        return text[:most].rstrip() if most else text

    def _patterned(self, schema: dict[str, Any]) -> str:
        """A text for a pattern: one of its words where it is a choice of words, else a usual form that fits it."""
        told = _PATTERN.search(str(schema.get("description", "")))
        pattern = schema.get("pattern") or (told.group(1) if told else "")
        choice = _CHOICE.match(pattern)
        if choice:
            return self.draw.choice(choice.group(1).split("|"))
        return next((form for form in vocabulary.FORMS if pattern and re.search(pattern, form)), "")

    def _formatted(self, schema: dict[str, Any], at: Place) -> str:
        shape = schema.get("format") or ("uri" if at.name in ("url", "website", "link") else "")
        return {
            "uri": f"https://example.com/sandbox/{at.index + 1}",
            "email": f"person{at.index + 1}@example.com",
            "date": "2026-11-02",
            "date-time": "2026-11-02T09:00:00Z",
            "time": "09:00:00",
            "uuid": f"00000000-0000-4000-8000-{at.index + 1:012d}",
        }.get(shape, "")

    def _phrase(self, at: Place) -> str:
        if at.name == "key":
            others = at.others()
            return others[at.index % len(others)] if others else f"item_{at.index + 1}"
        if at.name == "name":
            return self._name(at)
        phrases = vocabulary.phrases_for(at.name)
        first = at.offset or self.draw.randrange(len(phrases))
        return phrases[(first + at.index) % len(phrases)].format(subject=self.subject)

    def _name(self, at: Place) -> str:
        """A person's name where the fields around are a person's, else a group's; none twice, none from the prompt."""
        of_person = {"age", "gender", "occupation"} & set(at.siblings)
        names = vocabulary.PERSON_NAMES if of_person else vocabulary.GROUP_NAMES
        free = [name for name in names if name not in self.used and name not in self.question]
        chosen = self.draw.choice(free) if free else f"{names[0]} {len(self.used) + 1}"
        self.used.add(chosen)
        return chosen


@dataclass(frozen=True)
class Place:
    """Where in the whole a value goes: its field, its index in a list and where that list began to take its words
    from, the fields beside it."""

    name: str = ""
    index: int = 0
    offset: int = 0
    depth: int = 0
    siblings: tuple[str, ...] = ()

    def inside(self, name: str, siblings: tuple[str, ...] | None = None) -> Place:
        """The place of a field within this one."""
        return replace(self, name=name, depth=self.depth + 1, siblings=self.siblings if siblings is None else siblings)

    def nth(self, index: int, offset: int) -> Place:
        """The place of an item of the list here."""
        return replace(self, index=index, offset=offset, depth=self.depth + 1)

    def others(self) -> list[str]:
        """The fields beside the one this place is in, which a map about them would speak of."""
        return [name for name in self.siblings if name not in (self.name, "key", "value", "evidence")]


def make(schema: dict[str, Any], *, question: str, subject: str, seed: int = 0) -> Any:
    """Data valid for the schema; the same schema, question and seed give the same data."""
    return Maker(schema, question, subject, random.Random(f"{seed}:{question}")).make(schema, Place())


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        return next((one for one in kind if one != "null"), "null")
    return str(kind)


def _at_pointer(root: dict[str, Any], pointer: str) -> dict[str, Any]:
    found: Any = root
    for step in pointer.removeprefix("#").strip("/").split("/"):
        found = found[step] if step else found
    return dict(found)


def _bound(schema: dict[str, Any], name: str, default: float) -> float:
    """A limit, from the schema or, as a reader would, from the words of its description."""
    if name in schema:
        return float(schema[name])
    hints = dict(_HINT.findall(str(schema.get("description", ""))))
    return float(hints.get(name, default))


def _range(schema: dict[str, Any], name: str) -> tuple[float, float]:
    usual = (24, 66) if name == "age" else (5, 60) if _SHARE.search(name) else (1, 10)
    low = _bound(schema, "minimum", schema.get("exclusiveMinimum", usual[0] - 1) + 1)
    high = _bound(schema, "maximum", schema.get("exclusiveMaximum", max(usual[1], low) + 1) - 1)
    if low <= usual[0] and usual[1] <= high:
        low, high = usual
    return low, max(low, high)


def _make_shares_add_up(items: list[Any]) -> None:
    """Where the objects of a list each bear a percentage, let these be 100 in all."""
    if not items or not all(isinstance(item, dict) for item in items):
        return
    for name, value in items[0].items():
        if _SHARE.search(name) and isinstance(value, int | float) and not isinstance(value, bool):
            total = sum(item[name] for item in items) or 1
            for item in items:
                item[name] = round(item[name] * 100 / total)
            items[0][name] += 100 - sum(item[name] for item in items)
