"""Traits of a person, and the fields every profile has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import not_, select

from app.cdp.services.conditions import operators, words
from app.cdp.services.conditions.comparisons import Comparison, IsSet, ListHas, OnDays, OneOf, TextPart
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.engine.columns import Column
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import JsonValue, MomentColumn, TextColumn, Truth

TEXT_FIELDS = ("email", "phone", "name", "user_id")
MOMENT_FIELDS = ("first_seen_at", "last_seen_at", "created_at")


def trait_measure(name: str) -> str:
    return f"t:{name}"


def field_measure(name: str) -> str:
    return f"f:{name}"


def left_out_measure(name: str) -> str:
    """There when a trait is not kept in slices, because the tenant has too many."""
    return f"u:{name}"


@dataclass(frozen=True)
class TraitIs(Leaf):
    """A trait, or one of the profile's own fields, compared with something."""

    trait: str
    comparison: Comparison
    is_negated: bool = False

    def _source(self, ctx: Context) -> Any:
        if self.trait in TEXT_FIELDS:
            return TextColumn(profiles.c[self.trait], is_postgresql=ctx.dialect == "postgresql")
        if self.trait in MOMENT_FIELDS:
            return MomentColumn(profiles.c[self.trait], ctx.zone)
        return JsonValue(profiles.c.traits, self.trait, ctx.dialect)

    @property
    def _measure(self) -> str:
        return (field_measure if self.trait in TEXT_FIELDS else trait_measure)(self.trait)

    def as_sql(self, ctx: Context) -> Truth:
        found = self.comparison.sql(self._source(ctx), ctx.today)
        return not_(found) if self.is_negated else found

    def find(self, ctx: Context) -> IdSet:
        if not self.is_indexed(ctx):
            return super().find(ctx)
        found = found_in(Column(ctx.store, self._measure, ctx.only), self.comparison, ctx.today)
        return ctx.people - found if self.is_negated else found

    def is_indexed(self, ctx: Context) -> bool:
        return self.trait not in MOMENT_FIELDS and not ctx.store.heads(left_out_measure(self.trait))

    def needs(self) -> frozenset[str]:
        return frozenset({"moments" if self.trait in MOMENT_FIELDS else self._measure})

    @property
    def is_daily(self) -> bool:
        return self.comparison.is_daily

    def sentence(self) -> str:
        return f"{words.name(self.trait)} {self._words()}"

    def _words(self) -> str:
        told = self.comparison.words(negated=self.is_negated)
        return told if not self.is_negated or isinstance(self.comparison, IsSet) else f"{told} (or is not known)"

    def because(self, ctx: Context, profile_id: int) -> str:
        column = profiles.c[self.trait] if self.trait in TEXT_FIELDS + MOMENT_FIELDS else profiles.c.traits
        found = ctx.session.scalar(
            select(column).where(profiles.c.tenant_id == ctx.tenant_id, profiles.c.id == profile_id)
        )
        value = found.get(self.trait) if isinstance(found, dict) else found
        return f"{words.name(self.trait)} is {words.shown(value)}"


def found_in(column: Column, comparison: Comparison, today: int) -> IdSet:
    """People whose value in the column passes."""
    day = today if comparison.is_daily else 0
    if isinstance(comparison, ListHas) and comparison.needs_all:
        each = [ListHas((value,)) for value in comparison.values]
        found = found_in(column, each[0], today)
        for one in each[1:]:
            found = found & found_in(column, one, today)
        return found
    return column.where((repr(comparison), day), lambda part: comparison.mask(part.values, today))


def read_trait(reader: Reader) -> TraitIs:
    name = reader.text("trait")
    comparison, is_negated = operators.read(reader)
    _check_field(reader, name, comparison)
    return TraitIs(name, comparison, is_negated)


def _check_field(reader: Reader, name: str, comparison: Comparison) -> None:
    """A profile's own fields are of a known kind: other questions about them are a mistake."""
    is_text = isinstance(comparison, IsSet | TextPart) or (
        isinstance(comparison, OneOf) and len(comparison.texts) == len(comparison.values)
    )
    if name in TEXT_FIELDS and not is_text:
        reader.refuse(f"{name} is a text and cannot be compared like that", "operator")
    if name in MOMENT_FIELDS and not isinstance(comparison, IsSet | OnDays):
        reader.refuse(f"{name} is a date and cannot be compared like that", "operator")
