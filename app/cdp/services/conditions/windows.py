"""When something happened: whole days in the tenant's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.cdp.services.conditions import words
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.engine.rows import Days

LONGEST = 3660


@dataclass(frozen=True)
class Window:
    """Ever, or from `first` to `last`: days since 1970, or (`is_relative`) days before today."""

    first: int | None = None
    last: int | None = None
    is_relative: bool = False

    def days(self, today: int) -> Days:
        if self.is_relative and self.first is not None and self.last is not None:
            return Days(today - self.first, today - self.last)
        return Days(self.first, self.last)

    def words(self) -> str:
        if self.first is None or self.last is None:
            return "ever"
        if not self.is_relative:
            return f"from {words.day(self.first)} to {words.day(self.last)}"
        if self.last == 0:
            return "today" if self.first == 0 else f"in the last {self.first + 1:,} days"
        return f"between {self.first:,} and {words.plural(self.last, 'day')} ago"


EVER = Window()


def last_days(count: int) -> Window:
    """Today and the days before it, `count` in all."""
    return Window(count - 1, 0, is_relative=True)


def read(reader: Reader, name: str = "time_window") -> Window:
    """ "ever", "last_90_days", {"from", "to"} or {"from_days_ago", "to_days_ago"}; left out it is ever."""
    value = reader.get(name, "ever")
    if value == "ever":
        return EVER
    if isinstance(value, str):
        return _read_last(reader, name, value)
    if not isinstance(value, dict):
        reader.refuse('must be "ever", "last_90_days", or an object with from and to', name)
    inner = reader.child(name)
    window = _read_ago(inner) if inner.has("from_days_ago") or inner.has("to_days_ago") else _read_dates(inner)
    inner.finish()
    return window


def _read_last(reader: Reader, name: str, value: str) -> Window:
    found = re.fullmatch("last_([0-9]{1,4})_days", value)
    count = int(found[1]) if found else 0
    if not 1 <= count <= LONGEST:
        reader.refuse(f'must be "ever" or "last_N_days" with N from 1 to {LONGEST}', name)
    return last_days(count)


def _read_dates(inner: Reader) -> Window:
    first, last = inner.date("from"), inner.date("to")
    if first > last:
        inner.refuse("from must not be after to")
    return Window(first, last)


def _read_ago(inner: Reader) -> Window:
    one, other = inner.whole("from_days_ago", 0, LONGEST), inner.whole("to_days_ago", 0, LONGEST)
    return Window(max(one, other), min(one, other), is_relative=True)
