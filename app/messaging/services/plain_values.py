"""A person's values as the plain words that stand in a message."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

MOST_VALUE = 200  # characters of one value that reach a message
BUILT_IN = {
    "name": "the name of their profile",
    "first_name": "the first word of their name",
    "phone": "their phone number",
    "company": "the name of your workspace",
}
TRAIT_PREFIX = "traits."
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_JOINERS = "\u200c\u200d"  # they belong to words and emoji
_MOST_ITEMS = 50


class Person(Protocol):
    """The columns of a profile a text can speak of."""

    @property
    def traits(self) -> Mapping[str, Any]: ...
    @property
    def name(self) -> str: ...
    @property
    def phone(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person without a profile behind them: attributes given by hand, or a row of columns."""

    traits: Mapping[str, Any]
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class PersonValues(Mapping[str, Any]):
    """A person's values by the names of variables, each looked up when it is asked for.

    `company` is the workspace. Anything else is a trait, a dotted name a value inside one; where there is none, what
    the profile says (`name`, `first_name`, `phone`), then a figure over events. `traits.company` is always the trait.
    """

    traits: Mapping[str, Any]
    name: str
    phone: str
    company: str
    computed: Mapping[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        if key == "company":
            return self.company
        found = self.traits.get(key)
        if found is None:
            found = self._other(key)
        return default if found is None else found

    def _other(self, key: str) -> Any:
        if key == "name":
            return self.name
        if key == "first_name":
            return self.traits.get("firstName") or first_word(self.name or self.traits.get("name"))
        if key == "phone":
            return self.phone
        if key in self.computed:
            return self.computed[key]
        return within(self.traits, key.removeprefix(TRAIT_PREFIX)) if "." in key else None

    def __getitem__(self, key: str) -> Any:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*BUILT_IN, *self.traits, *self.computed)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def values_of(person: Person, tenant_name: str, computed: Mapping[str, Any] | None = None) -> PersonValues:
    """What a text can say about this person."""
    return PersonValues(person.traits, person.name, person.phone, tenant_name, computed or {})


def plain(value: Any) -> str:
    """The value in words, empty when it says nothing: one line, no control characters, at most 200 characters."""
    if type(value) is str:
        if value.isprintable() and len(value) <= MOST_VALUE and not value[:4].isdecimal():
            return value.strip()
        return _text(value)
    return _other(value)


def first_word(name: Any) -> str:
    return name.split(maxsplit=1)[0] if isinstance(name, str) and name.strip() else ""


def within(traits: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted path, or under the whole key."""
    if key in traits:
        return traits[key]
    value: Any = traits
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _text(value: str) -> str:
    value = value[: MOST_VALUE * 4].strip()
    is_date = _DATE.fullmatch(value)
    if is_date:
        try:
            return _day(date.fromisoformat(is_date[1]))
        except ValueError:  # the 31st of February
            return value
    if not value.isprintable():
        value = "".join(_visible(one) for one in value)
    return " ".join(value.split())[:MOST_VALUE].strip()


def _visible(one: str) -> str:
    if one.isprintable() or one in _JOINERS or unicodedata.category(one) == "Cn":  # newer emoji than our tables know
        return one
    return " " if one.isspace() else ""


def _other(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else ""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime | date):
        return _day(value)
    if isinstance(value, list | tuple):
        return _joined(value)
    return ""  # a value of several parts has no plain words


def _number(value: float) -> str:
    if not math.isfinite(value) or abs(value) >= 10**30:
        return ""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _day(value: date) -> str:
    return f"{value.day} {value:%b} {value.year}"


def _joined(values: Iterable[Any]) -> str:
    words = [plain(one) for one in list(values)[:_MOST_ITEMS] if not isinstance(one, list | tuple)]
    return ", ".join(word for word in words if word)[:MOST_VALUE].rstrip(", ")
