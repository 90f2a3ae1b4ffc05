"""What event conditions share: which events are meant, as SQL and as rows of the index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Select, Table, and_, false, not_, select

from app.cdp.models import ProfileEvent
from app.cdp.services.conditions import operators, words
from app.cdp.services.conditions.comparisons import Comparison, ListHas
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import SHARD_SIZE, ids_of
from app.cdp.services.engine.json_sql import JsonValue, Sql, Truth
from app.cdp.services.engine.rows import Batch, Days

events: Table = ProfileEvent.__table__  # type: ignore[assignment]
MOST_FILTERS = 20


@dataclass(frozen=True)
class PropertyFilter:
    """A property of the event, compared with something."""

    name: str
    comparison: Comparison
    is_negated: bool = False

    def sql(self, ctx: Context, table: Table = events) -> Truth:
        found = self.comparison.sql(JsonValue(table.c.properties, self.name, ctx.dialect), ctx.today)
        return not_(found) if self.is_negated else found

    def mask(self, batch: Batch, today: int) -> np.ndarray:
        parts = [
            np.zeros(count, dtype=bool) if values is None else self.comparison.mask(values, today)
            for count, values in batch.columns(self.name)
        ]
        found = np.concatenate(parts)
        return ~found if self.is_negated else found

    def words(self) -> str:
        return f"{words.name(self.name)} {self.comparison.words(negated=self.is_negated)}"


@dataclass(frozen=True)
class Happening:
    """An event by name, with what its properties have to be."""

    event: str
    where: tuple[PropertyFilter, ...] = ()

    def sql(self, ctx: Context, days: Days, table: Table = events, *, by_person: bool = False) -> Truth:
        """The rows meant, of anyone; `by_person` when the statement goes through the events of one person at a time.

        SQLite, which knows little of its tables, would then still take the index of the name and read every event of
        that name for every person; hidden in sums, tenant and name leave it the index of the person.
        """
        name_id = ctx.name_id(self.event)
        if name_id is None:
            return false()
        bounds = [table.c.day >= days.first] if days.first is not None else []
        bounds += [table.c.day <= days.last] if days.last is not None else []
        filters = [one.sql(ctx, table) for one in self.where]
        tenant: Sql = table.c.tenant_id
        name: Sql = table.c.name_id
        if by_person and ctx.dialect == "sqlite":
            tenant, name = tenant + 0, name + 0
        return and_(tenant == ctx.tenant_id, name == name_id, *bounds, *filters)

    def of_person(self, ctx: Context, days: Days, *columns: object) -> Select[tuple[object, ...]]:
        """A SELECT over the events of the profile of the outer statement."""
        chosen = select(*columns or (events.c.id,)).select_from(events)  # type: ignore[call-overload]
        found: Select[tuple[object, ...]] = chosen.where(
            events.c.profile_id == profiles.c.id, self.sql(ctx, days, by_person=True)
        ).correlate(profiles)
        return found

    def is_indexed(self, ctx: Context, days: Days) -> bool:
        """Lists in properties are not in the slices, nor are the further properties of very wide events."""
        index = ctx.event(self.event)
        if any(isinstance(one.comparison, ListHas) for one in self.where):
            return False
        return index is None or not self.where or index.is_whole(days)

    def mask(self, batch: Batch, ctx: Context) -> np.ndarray:
        """The rows of the batch that are meant, of those asked about."""
        kept = np.ones(len(batch.ids), dtype=bool)
        if ctx.only is not None:
            asked = np.zeros(SHARD_SIZE, dtype=bool)
            if batch.shard in ctx.only.shards:
                asked[ids_of(ctx.only.shards[batch.shard])] = True
            kept &= asked[batch.ids]
        for one in self.where:
            kept &= one.mask(batch, ctx.today)
        return kept

    @property
    def is_daily(self) -> bool:
        return any(one.comparison.is_daily for one in self.where)

    def words(self) -> str:
        if not self.where:
            return words.name(self.event)
        return f"{words.name(self.event)} (where {' and '.join(one.words() for one in self.where)})"


def event_need(event: str) -> str:
    """What a change of these events is called."""
    return f"e:{event}"


def read_happening(reader: Reader) -> Happening:
    """`event` and `where` of a node or of a step."""
    filters = reader.children("where", least=0, most=MOST_FILTERS) if reader.has("where") else []
    return Happening(reader.text("event"), tuple(_read_filter(one) for one in filters))


def _read_filter(reader: Reader) -> PropertyFilter:
    name = reader.text("property")
    comparison, is_negated = operators.read(reader)
    reader.finish()
    return PropertyFilter(name, comparison, is_negated)
