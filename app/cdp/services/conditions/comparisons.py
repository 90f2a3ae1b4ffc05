"""How a value is compared: each comparison as SQL, as a mask over a column, and in words.

A negative operator (not_equals, not_in, is_not_set) is the positive one, turned round for the whole person: who has
no value at all is not equal to anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import and_, func, or_

from app.cdp.services.conditions import words
from app.cdp.services.engine.days import as_date, ymd
from app.cdp.services.engine.json_sql import Sql, Truth, any_of, surely
from app.cdp.services.engine.values import FALSE, LIST_NUMBER, LIST_TEXT, NUMBER, TEXT, TRUE, Values

Scalar = str | float | bool


@dataclass(frozen=True)
class Comparison:
    """The base: `today` is the day windows are counted back from."""

    def sql(self, source: Any, today: int) -> Truth:
        raise NotImplementedError

    def mask(self, values: Values, today: int) -> np.ndarray:
        raise NotImplementedError

    def words(self, *, negated: bool = False) -> str:
        raise NotImplementedError

    @property
    def is_daily(self) -> bool:
        """Whether the answer may change when a day ends."""
        return False


@dataclass(frozen=True)
class IsSet(Comparison):
    def sql(self, source: Any, today: int) -> Truth:
        found: Truth = source.is_set()
        return found

    def mask(self, values: Values, today: int) -> np.ndarray:
        found: np.ndarray = values.kinds != 0
        return found

    def words(self, *, negated: bool = False) -> str:
        return "is not known" if negated else "is known"


@dataclass(frozen=True)
class OneOf(Comparison):
    """Equal to one of the values, each compared as what it is: the text "5" is not the number 5."""

    values: tuple[Scalar, ...]

    @cached_property
    def texts(self) -> list[str]:
        return [value for value in self.values if isinstance(value, str)]

    @cached_property
    def numbers(self) -> list[float]:
        return [value for value in self.values if isinstance(value, float)]

    @cached_property
    def truths(self) -> list[bool]:
        return [value for value in self.values if isinstance(value, bool)]

    def sql(self, source: Any, today: int) -> Truth:
        parts = []
        if self.texts:
            parts.append(surely(source.text().in_(self.texts)))
        if self.numbers:
            parts.append(surely(source.number().in_(self.numbers)))
        return any_of([*parts, *(source.truth(value) for value in self.truths)])

    def mask(self, values: Values, today: int) -> np.ndarray:
        found = np.zeros(len(values), dtype=bool)
        if self.texts:
            found |= values.with_codes(values.words.codes_in(self.texts), TEXT)
        if self.numbers:
            found |= (values.kinds == NUMBER) & np.isin(values.numbers, self.numbers)
        for value in self.truths:
            found |= values.kinds == (TRUE if value else FALSE)
        return found

    def words(self, *, negated: bool = False) -> str:
        return f"{'is not' if negated else 'is'} {words.listed(self.values)}"


@dataclass(frozen=True)
class TextPart(Comparison):
    """Upper and lower case differ, on every database."""

    operator: str
    part: str

    def sql(self, source: Any, today: int) -> Truth:
        text = source.text()
        length = len(self.part)
        if self.operator == "contains":
            is_postgresql = getattr(source, "is_postgresql", False)
            found = func.strpos(text, self.part) if is_postgresql else func.instr(text, self.part)
            return surely(found > 0)
        if self.operator == "starts_with":
            return surely(func.substr(text, 1, length) == self.part)
        end = func.substr(text, func.length(text) - length + 1, length)
        return surely(and_(func.length(text) >= length, end == self.part))

    def mask(self, values: Values, today: int) -> np.ndarray:
        starts, ends = self.operator == "starts_with", self.operator == "ends_with"
        return values.with_codes(values.words.matching(self.part, starts=starts, ends=ends), TEXT)

    def words(self, *, negated: bool = False) -> str:
        verb = self.operator.replace("_", " ")
        return f"{verb} {words.quoted(self.part)}"


_SIGNS = {
    "equals": "is",
    "greater_than": "is more than",
    "greater_or_equal": "is at least",
    "less_than": "is less than",
    "less_or_equal": "is at most",
}


@dataclass(frozen=True)
class NumberIs(Comparison):
    """A number against one or two. Sums are compared with a little play, since they are added up in any order."""

    operator: str
    low: float
    high: float = 0.0
    play: float = 0.0

    def test(self, value: Any) -> Any:
        """The comparison over a column of a database or an array."""
        play = self.play * max(1.0, abs(self.low), abs(self.high))
        if self.operator == "between":
            return (value >= self.low - play) & (value <= self.high + play)
        if self.operator == "equals":
            return (value >= self.low - play) & (value <= self.low + play)
        if self.operator == "greater_than":
            return value > self.low + play
        if self.operator == "greater_or_equal":
            return value >= self.low - play
        if self.operator == "less_than":
            return value < self.low - play
        return value <= self.low + play

    def sql_of(self, number: Sql) -> Truth:
        return surely(self.test(number))

    def mask_of(self, numbers: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            found: np.ndarray = self.test(numbers)
        return found

    def sql(self, source: Any, today: int) -> Truth:
        return self.sql_of(source.number())

    def mask(self, values: Values, today: int) -> np.ndarray:
        return self.mask_of(values.numbers) & (values.kinds == NUMBER)

    def words(self, *, negated: bool = False) -> str:
        if self.operator == "between":
            verb = "is not between" if negated else "is between"
            return f"{verb} {words.number(self.low)} and {words.number(self.high)}"
        verb = _SIGNS[self.operator]
        return f"{verb.replace('is', 'is not', 1) if negated else verb} {words.number(self.low)}"


@dataclass(frozen=True)
class OnDays(Comparison):
    """A date within days: fixed ones, or (`back`) so many days up to today."""

    first: int | None = None
    last: int | None = None
    back: int | None = None

    def days(self, today: int) -> tuple[int | None, int | None]:
        return (today - self.back + 1, today) if self.back is not None else (self.first, self.last)

    @property
    def is_daily(self) -> bool:
        return self.back is not None

    def sql(self, source: Any, today: int) -> Truth:
        found: Truth = source.in_days(*self.days(today))
        return found

    def sql_of(self, day: Sql, today: int) -> Truth:
        first, last = self.days(today)
        bounds = [day >= first] if first is not None else []
        return surely(and_(*bounds, *([day <= last] if last is not None else [])))

    def mask_of(self, days: np.ndarray, today: int) -> np.ndarray:
        first, last = self.days(today)
        return _between(days, first, last)

    def mask(self, values: Values, today: int) -> np.ndarray:
        first, last = self.days(today)
        dates = _between(values.numbers, None if first is None else ymd(first), None if last is None else ymd(last))
        return dates & (values.kinds == TEXT)

    def words(self, *, negated: bool = False) -> str:
        if self.back is not None:
            return f"is within the last {words.plural(self.back, 'day')}"
        if self.first is None and self.last is not None:
            return f"is before {words.day(self.last + 1)}"
        if self.last is None and self.first is not None:
            return f"is after {words.day(self.first - 1)}"
        return f"is from {words.day(self.first or 0)} to {words.day(self.last or 0)}"


def _between(numbers: np.ndarray, first: float | None, last: float | None) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        found = ~np.isnan(numbers)
        if first is not None:
            found &= numbers >= first
        if last is not None:
            found &= numbers <= last
    return found


@dataclass(frozen=True)
class Anniversary(Comparison):
    """The day and month of a date come again within so many days, today among them. 29 February comes on the 28th
    in other years."""

    ahead: int

    @property
    def is_daily(self) -> bool:
        return True

    def _dates(self, today: int) -> list[int]:
        coming = [as_date(today + offset) for offset in range(min(self.ahead, 366))]
        found = {on.month * 100 + on.day for on in coming}
        if any((on.month, on.day) == (2, 28) and not _is_leap(on.year) for on in coming):
            found.add(229)
        return sorted(found)

    def sql(self, source: Any, today: int) -> Truth:
        return surely((source.date() % 10_000).in_(self._dates(today)))

    def mask(self, values: Values, today: int) -> np.ndarray:
        dates = np.where(np.isnan(values.numbers) | (values.kinds != TEXT), -1, values.numbers).astype(np.int64)
        return np.isin(dates % 10_000, self._dates(today)) & (dates >= 0)

    def words(self, *, negated: bool = False) -> str:
        return "has its anniversary " + (
            "today" if self.ahead == 1 else f"within {words.plural(self.ahead, 'day')}, today among them"
        )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@dataclass(frozen=True)
class ListHas(Comparison):
    """A list with one of the values, or with all of them: `all` is asked value by value, person by person."""

    values: tuple[str | float, ...]
    needs_all: bool = False

    def sql(self, source: Any, today: int) -> Truth:
        each = [source.some_element(lambda element, value=value: _is_element(element, value)) for value in self.values]
        return and_(*each) if self.needs_all else or_(*each)

    def mask(self, values: Values, today: int) -> np.ndarray:
        found = np.zeros(len(values), dtype=bool)
        texts = [value for value in self.values if isinstance(value, str)]
        if texts:
            found |= values.with_codes(values.words.codes_in(texts), LIST_TEXT)
        numbers = [value for value in self.values if not isinstance(value, str)]
        return found | ((values.kinds == LIST_NUMBER) & np.isin(values.numbers, numbers))

    def words(self, *, negated: bool = False) -> str:
        verb = "does not include" if negated else "includes"
        return f"{verb} {words.listed(self.values, 'and' if self.needs_all else 'or')}"


def _is_element(element: Any, value: str | float) -> Truth:
    found: Truth = element.is_text(value) if isinstance(value, str) else element.is_number(value)
    return found
