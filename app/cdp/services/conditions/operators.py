"""The operators of the grammar, each read into a comparison and whether it is turned round."""

from __future__ import annotations

from typing import NamedTuple

from app.cdp.services.conditions.comparisons import (
    Anniversary,
    Comparison,
    IsSet,
    ListHas,
    NumberIs,
    OnDays,
    OneOf,
    TextPart,
)
from app.cdp.services.conditions.reader import Reader

LONGEST_WINDOW = 3660
FARTHEST_ANNIVERSARY = 366
MOST_LISTED_ELEMENTS = 100
_NUMBER_SIGNS = ("greater_than", "greater_or_equal", "less_than", "less_or_equal")
_TEXT_PARTS = ("contains", "starts_with", "ends_with")
_LISTS = ("includes", "includes_any", "includes_all")
_DATES = ("before", "after", "within_last_days", "anniversary_within_days")
_EQUAL = ("equals", "not_equals", "in", "not_in")
_PRESENCE = ("is_set", "is_not_set", "is_true", "is_false")
ALL = (*_EQUAL, *_TEXT_PARTS, *_PRESENCE, *_NUMBER_SIGNS, "between", *_DATES, *_LISTS)
COMPUTED = ("equals", "not_equals", *_NUMBER_SIGNS, "between", "before", "after", "within_last_days", *_PRESENCE[:2])
NUMBERS = ("equals", *_NUMBER_SIGNS, "between")


class Comparing(NamedTuple):
    comparison: Comparison
    is_negated: bool = False


def read(reader: Reader) -> Comparing:
    """`operator` and `value` of a trait or of a property."""
    operator = reader.choice("operator", ALL)
    if operator in _PRESENCE:
        reader.get("value", None)
        if operator in ("is_set", "is_not_set"):
            return Comparing(IsSet(), operator == "is_not_set")
        return Comparing(OneOf((operator == "is_true",)))
    if operator in ("equals", "not_equals"):
        return Comparing(OneOf((reader.scalar("value"),)), operator == "not_equals")
    if operator in ("in", "not_in"):
        return Comparing(OneOf(reader.scalars("value")), operator == "not_in")
    if operator in _TEXT_PARTS:
        return Comparing(TextPart(operator, reader.text("value", longest=500)))
    if operator in _LISTS:
        return Comparing(_read_list(reader, operator))
    if operator in _DATES or (operator == "between" and _holds_dates(reader)):
        return Comparing(read_date(reader, operator))
    return Comparing(read_number(reader, operator))


def read_number(reader: Reader, operator: str, play: float = 0.0) -> NumberIs:
    """A comparison with one number, or with two."""
    if operator != "between":
        return NumberIs(operator, reader.number("value"), play=play)
    low, high = _pair(reader, reader.numbers("value"))
    return NumberIs(operator, low, high, play=play)


def read_date(reader: Reader, operator: str) -> Comparison:
    if operator == "before":
        return OnDays(last=reader.date("value") - 1)
    if operator == "after":
        return OnDays(first=reader.date("value") + 1)
    if operator == "between":
        first, last = _pair(reader, reader.dates("value"))
        return OnDays(first=int(first), last=int(last))
    if operator == "within_last_days":
        return OnDays(back=reader.whole("value", 1, LONGEST_WINDOW))
    return Anniversary(reader.whole("value", 1, FARTHEST_ANNIVERSARY))


def _pair(reader: Reader, values: list[float] | list[int]) -> tuple[float, float]:
    if len(values) != 2:
        reader.refuse("must be a list of two, the lower first", "value")
    if values[0] > values[1]:
        reader.refuse("must have the lower value first", "value")
    return values[0], values[1]


def _holds_dates(reader: Reader) -> bool:
    value = reader.get("value", None)
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _read_list(reader: Reader, operator: str) -> ListHas:
    values = (reader.scalar("value"),) if operator == "includes" else reader.scalars("value")
    if any(isinstance(value, bool) for value in values):
        reader.refuse("must be texts or numbers", "value")
    if len(values) > MOST_LISTED_ELEMENTS:
        reader.refuse(f"must be a list of at most {MOST_LISTED_ELEMENTS} values", "value")
    return ListHas(tuple(value for value in values if not isinstance(value, bool)), operator == "includes_all")
