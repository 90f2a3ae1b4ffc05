"""Computed traits: what a person's events add up to over all time, under a name the tenant chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Float, cast, func, literal_column, not_, select

from app.cdp.services.conditions import operators, words
from app.cdp.services.conditions.comparisons import Comparison, IsSet, NumberIs, OnDays, OneOf
from app.cdp.services.conditions.event_parts import Happening, events
from app.cdp.services.conditions.events import PLAY
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.engine.columns import Column, Part
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.definitions import Definition, find_definition, find_measure, measure_key
from app.cdp.services.engine.idset import SHARD_SIZE, IdSet, bitmap_of
from app.cdp.services.engine.json_sql import JsonValue, Sql, Truth
from app.cdp.services.engine.rows import Batch, Days

ARRAYS = {"count": "n", "sum": "total", "min": "low", "max": "high", "first": "first_value", "last": "last_value"}


@dataclass(frozen=True)
class ComputedIs(Leaf):
    """Who never did the event has 0 where events are counted or added up, and no value otherwise."""

    trait: str
    comparison: Comparison
    is_negated: bool = False

    def as_sql(self, ctx: Context) -> Truth:
        found = self._passes(ctx)
        return not_(found) if self.is_negated else found

    def _passes(self, ctx: Context) -> Truth:
        what = find_definition(ctx, self.trait)
        value = value_sql(ctx, what)
        if isinstance(self.comparison, OneOf):
            return func.coalesce(value.in_(self.comparison.values), False)
        if isinstance(self.comparison, IsSet):
            return known_sql(value, what)
        if isinstance(self.comparison, OnDays):
            return self.comparison.sql_of(value, ctx.today)
        assert isinstance(self.comparison, NumberIs)
        return self.comparison.sql_of(func.coalesce(value, 0) if what.is_zero_without else value)

    def find(self, ctx: Context) -> IdSet:
        found = self._found(ctx)
        return ctx.people - found if self.is_negated else found

    def _found(self, ctx: Context) -> IdSet:
        what = find_definition(ctx, self.trait)
        if not _is_kept(ctx, what):
            return ctx.select_ids(self._passes(ctx))
        if what.function in ("most_frequent", "unique_count"):
            return self._from_rows(ctx, what)
        measure_id = find_measure(ctx, what)
        column = Column(ctx.store, measure_key(measure_id or 0), ctx.only)
        passes_without = self._passes_without(what)
        question = (what.function, repr(self.comparison), ctx.today if what.is_daily or self.comparison.is_daily else 0)
        found = column.where(question, lambda part: self._mask(part, what, ctx.today) != passes_without)
        return ctx.people - found if passes_without else found

    def _passes_without(self, what: Definition) -> bool:
        return what.is_zero_without and isinstance(self.comparison, NumberIs) and bool(self.comparison.test(0.0))

    def _mask(self, part: Part, what: Definition, today: int) -> np.ndarray:
        """Rows that say nothing any more count as those who never did it."""
        numbers = value_array(part.arrays, what, today)
        there = part.arrays["kinds"] != 0
        if isinstance(self.comparison, IsSet):
            return there & ~np.isnan(numbers)
        if isinstance(self.comparison, OnDays):
            return there & self.comparison.mask_of(numbers, today)
        assert isinstance(self.comparison, NumberIs)
        filled = np.where(there, numbers, 0.0 if what.is_zero_without else np.nan)
        return self.comparison.mask_of(filled)

    def _from_rows(self, ctx: Context, what: Definition) -> IdSet:
        """Most frequent and unique values come from all rows of the event."""
        index = ctx.event(what.event)
        passes_without = self._passes_without(what)
        shards = {}
        for batch in index.batches(Days()) if index else ():
            kept = Happening(what.event).mask(batch, ctx)
            shards[batch.shard] = bitmap_of(self._row_ids(batch, kept, what, passes_without))
        found = IdSet(shards)
        return ctx.people - found if passes_without else found

    def _row_ids(self, batch: Batch, kept: np.ndarray, what: Definition, passes_without: bool) -> np.ndarray:
        values, texts = _codes(batch, what.property_name)
        known = kept & (values >= 0)
        pairs, counts = np.unique((batch.ids[known].astype(np.int64) << 32) | values[known], return_counts=True)
        ids, codes = pairs >> 32, pairs & 0xFFFFFFFF
        if what.function == "unique_count":
            numbers = np.bincount(ids, minlength=SHARD_SIZE)
            people = np.flatnonzero(numbers)
            if isinstance(self.comparison, IsSet):
                return people.astype(np.uint32)
            assert isinstance(self.comparison, NumberIs)
            return people[self.comparison.mask_of(numbers[people]) != passes_without].astype(np.uint32)
        return self._most_frequent(ids, codes, counts, texts)

    def _most_frequent(self, ids: np.ndarray, codes: np.ndarray, counts: np.ndarray, texts: list[str]) -> np.ndarray:
        order = np.lexsort((codes, -counts, ids))  # codes go by the alphabet: of two as frequent the first wins
        ids, codes = ids[order], codes[order]
        first = np.concatenate(([True], ids[1:] != ids[:-1])) if len(ids) else np.zeros(0, dtype=bool)
        if isinstance(self.comparison, IsSet):
            return ids[first].astype(np.uint32)
        assert isinstance(self.comparison, OneOf)
        wanted = [code for code, text in enumerate(texts) if text in self.comparison.texts]
        found: np.ndarray = ids[first & np.isin(codes, wanted)].astype(np.uint32)
        return found

    def needs(self) -> frozenset[str]:
        return frozenset({f"computed:{self.trait}"})

    def is_indexed(self, ctx: Context) -> bool:
        return _is_kept(ctx, find_definition(ctx, self.trait))

    @property
    def is_daily(self) -> bool:
        return True  # days since something grow by the day, and only the definitions tell which trait that is

    def sentence(self) -> str:
        return f"{words.name(self.trait)} {self.comparison.words(negated=self.is_negated)}"

    def because(self, ctx: Context, profile_id: int) -> str:
        what = find_definition(ctx, self.trait)
        value = ctx.session.scalar(
            select(value_sql(ctx, what)).select_from(profiles).where(
                profiles.c.tenant_id == ctx.tenant_id, profiles.c.id == profile_id
            )
        )  # fmt: skip
        if value is None and what.is_zero_without:
            value = 0
        told = words.day(int(value)) if what.is_date and value is not None else words.shown(value)
        return f"{words.name(self.trait)} is {told}"


def _is_kept(ctx: Context, what: Definition) -> bool:
    if what.function in ("most_frequent", "unique_count"):
        index = ctx.event(what.event)
        return index is None or index.is_whole(Days())
    measure_id = find_measure(ctx, what)
    return measure_id is not None


def known_sql(value: Sql, what: Definition) -> Truth:
    """Whether there is a value: a count of nothing is none."""
    return value > 0 if what.function in ("count", "unique_count") else value.is_not(None)


def value_array(arrays: dict[str, np.ndarray], what: Definition, today: int) -> np.ndarray:
    """The trait's numbers in the order of the column; NaN is no value."""
    if what.function == "days_since":
        return today - arrays["last_day"]
    if what.is_date:
        return arrays["first_day" if what.function == "first" else "last_day"]
    if what.function == "avg":
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(arrays["n"] > 0, arrays["total"] / arrays["n"], np.nan)
    return arrays[ARRAYS[what.function]]


def _codes(batch: Batch, name: str) -> tuple[np.ndarray, list[str]]:
    """The property's texts and numbers as codes over all parts, texts by the alphabet; -1 is neither."""
    texts = sorted({text for _, values in batch.columns(name) if values is not None for text in values.words.texts()})
    places = {text: place for place, text in enumerate(texts)}
    parts, numbers = [], batch.numbers(name)
    for count, values in batch.columns(name):
        if values is None:
            parts.append(np.full(count, -1, dtype=np.int64))
            continue
        table = np.array([*(places[text] for text in values.words.texts()), -1], dtype=np.int64)
        parts.append(np.where(values.kinds == 2, table[values.codes], -1))
    codes = np.concatenate(parts)
    known = ~np.isnan(numbers)
    _, ranks = np.unique(numbers[known], return_inverse=True)
    codes[known] = len(texts) + ranks
    return codes, texts


def value_sql(ctx: Context, what: Definition) -> Sql:
    """The trait's value of the outer statement's profile, from its events."""
    happening = Happening(what.event)
    value = JsonValue(events.c.properties, what.property_name, ctx.dialect)
    number = cast(value.number(), Float(53))

    def over(column: Any) -> Sql:
        return happening.of_person(ctx, Days(), column).scalar_subquery()

    if what.function == "count":
        return over(func.count())
    if what.function == "days_since":
        return ctx.today - over(func.max(events.c.day))
    if what.is_date:
        return over((func.min if what.function == "first" else func.max)(events.c.day))
    if what.function in ("first", "last"):
        order = (events.c.at, number) if what.function == "first" else (events.c.at.desc(), number.desc())
        chosen = happening.of_person(ctx, Days(), number).where(number.is_not(None)).order_by(*order).limit(1)
        return chosen.scalar_subquery()
    if what.function == "unique_count":
        return over(func.count(func.nullif(value.text(), "").distinct()) + func.count(number.distinct()))
    if what.function == "most_frequent":
        return _most_frequent_sql(ctx, happening, value)
    functions: dict[str, Any] = {"sum": func.sum, "avg": func.avg, "min": func.min, "max": func.max}
    return over(functions[what.function](number))


def _most_frequent_sql(ctx: Context, happening: Happening, value: JsonValue) -> Sql:
    text = value.text()
    alphabet = text.collate("C") if ctx.dialect == "postgresql" else text
    chosen = happening.of_person(ctx, Days(), text).where(text.is_not(None), text != literal_column("''"))
    return chosen.group_by(text).order_by(func.count().desc(), alphabet).limit(1).scalar_subquery()


def read_computed(reader: Reader) -> ComputedIs:
    """Which comparisons suit the trait is known only with the tenant's definitions: see `validate`."""
    trait = reader.text("trait", longest=100)
    operator = reader.choice("operator", (*operators.COMPUTED, "in", "not_in"))
    if operator in ("is_set", "is_not_set"):
        reader.get("value", None)
        return ComputedIs(trait, IsSet(), operator == "is_not_set")
    value = reader.get("value", None)
    if operator in ("in", "not_in") or (isinstance(value, str) and operator in ("equals", "not_equals")):
        comparing = operators.read(reader)
        return ComputedIs(trait, comparing.comparison, comparing.is_negated)
    if operator in ("before", "after", "within_last_days") or (isinstance(value, list) and isinstance(value[0], str)):
        return ComputedIs(trait, operators.read_date(reader, operator))
    if operator == "not_equals":
        return ComputedIs(trait, operators.read_number(reader, "equals", PLAY), True)
    return ComputedIs(trait, operators.read_number(reader, operator, PLAY))


def refusal(comparison: Comparison, what: Definition) -> str:
    """Why the comparison does not suit the trait, or nothing."""
    if isinstance(comparison, IsSet):
        return ""
    if isinstance(comparison, OnDays):
        return "" if what.is_date else f"{what.name} is not a date"
    if isinstance(comparison, OneOf):
        is_text = len(comparison.texts) == len(comparison.values)
        return "" if what.function == "most_frequent" and is_text else f"{what.name} cannot be compared like that"
    return "" if not what.is_date and what.function != "most_frequent" else f"{what.name} is not a number"
