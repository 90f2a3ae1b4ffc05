"""Reading one object of a condition: every refusal names the node by its path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NoReturn

from app.cdp.services.engine.days import day_number
from app.cdp.services.engine.values import LARGEST_NUMBER
from app.core.errors import ValidationFailed

LONGEST_NAME = 200
LONGEST_TEXT = 500
LONGEST_LIST = 1000
MISSING = object()


class Reader:
    """A JSON object and where it stands in the condition."""

    def __init__(self, raw: Any, path: str = "conditions") -> None:
        self.path = path
        if not isinstance(raw, dict):
            self.refuse("must be an object")
        self.raw: dict[str, Any] = raw
        self._asked: set[str] = set()

    def refuse(self, message: str, name: str = "") -> NoReturn:
        path = f"{self.path}.{name}" if name else self.path
        raise ValidationFailed(f"{path}: {message}.", field=path)

    def get(self, name: str, default: Any = MISSING) -> Any:
        self._asked.add(name)
        if name in self.raw:
            return self.raw[name]
        if default is MISSING:
            self.refuse("is missing", name)
        return default

    def has(self, name: str) -> bool:
        return name in self.raw

    def finish(self) -> None:
        """Refuse what nobody asked for: a misspelt field would be left out in silence otherwise."""
        for name in self.raw:
            if name not in self._asked:
                self.refuse("is not a field of this condition", str(name)[:60])

    def child(self, name: str) -> Reader:
        return Reader(self.get(name), f"{self.path}.{name}")

    def children(self, name: str, *, most: int, least: int = 1) -> list[Reader]:
        found = self.get(name)
        if not isinstance(found, list) or not least <= len(found) <= most:
            self.refuse(f"must be a list of {least} to {most}", name)
        return [Reader(one, f"{self.path}.{name}[{number}]") for number, one in enumerate(found)]

    def text(self, name: str, default: Any = MISSING, *, longest: int = LONGEST_NAME) -> str:
        value = self.get(name, default)
        if not isinstance(value, str) or not value.strip() or len(value) > longest or not _is_storable(value):
            self.refuse(f"must be a text of 1 to {longest} characters", name)
        return value

    def choice(self, name: str, options: Iterable[str], default: Any = MISSING) -> str:
        value = self.get(name, default)
        known = list(options)
        if not isinstance(value, str) or value not in known:
            self.refuse(f"must be one of {', '.join(known)}", name)
        return value

    def whole(self, name: str, low: int, high: int, default: Any = MISSING) -> int:
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(f"must be a whole number from {low} to {high}", name)
        return value

    def number(self, name: str) -> float:
        return self._as_number(self.get(name), name)

    def numbers(self, name: str) -> list[float]:
        return [self._as_number(one, f"{name}[{place}]") for place, one in enumerate(self.list_of(name))]

    def date(self, name: str) -> int:
        return self._as_date(self.get(name), name)

    def dates(self, name: str) -> list[int]:
        return [self._as_date(one, f"{name}[{place}]") for place, one in enumerate(self.list_of(name))]

    def list_of(self, name: str, *, most: int = LONGEST_LIST) -> Sequence[Any]:
        found = self.get(name)
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            self.refuse(f"must be a list of 1 to {most} values", name)
        return found

    def scalar(self, name: str) -> str | float | bool:
        return self._as_scalar(self.get(name), name)

    def scalars(self, name: str) -> tuple[str | float | bool, ...]:
        found = [self._as_scalar(one, f"{name}[{place}]") for place, one in enumerate(self.list_of(name))]
        return tuple({(type(value), value): value for value in found}.values())

    def _as_scalar(self, value: Any, name: str) -> str | float | bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            if not 1 <= len(value) <= LONGEST_TEXT or not _is_storable(value):
                self.refuse(f"must have 1 to {LONGEST_TEXT} characters", name)
            return value
        return self._as_number(value, name, "a text, a number, true or false")

    def _as_number(self, value: Any, name: str, expected: str = "a number") -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or abs(value) >= LARGEST_NUMBER or (isinstance(value, float) and not math.isfinite(value)):
            self.refuse(f"must be {expected}", name)
        return float(value)

    def _as_date(self, value: Any, name: str) -> int:
        try:
            return day_number(date.fromisoformat(value[:10]))
        except (TypeError, ValueError):
            self.refuse("must be a date like 2024-01-31", name)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
