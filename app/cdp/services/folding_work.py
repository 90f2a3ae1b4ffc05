"""What one step of folding works on: the slices it writes, and of whom what changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.cdp.models import EventName, FoldItem, ProfileEvent
from app.cdp.services.engine.json_sql import in_ids, of_tenant
from app.cdp.services.engine.store import SliceStore

events: Table = ProfileEvent.__table__  # type: ignore[assignment]
items: Table = FoldItem.__table__  # type: ignore[assignment]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class EventRow(NamedTuple):
    """One event as it is folded."""

    id: int
    profile_id: int
    name_id: int
    day: int
    at: datetime
    properties: dict[str, Any]

    @property
    def time(self) -> int:
        """Microseconds since 1970."""
        return (self.at - _EPOCH) // _MICROSECOND


@dataclass
class FoldWork:
    """One transaction of the folder. `touched` collects for each need of a condition the ids it changed for."""

    session: Session
    tenant_id: int
    version: int
    store: SliceStore
    touched: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _names: dict[int, str] = field(default_factory=dict)
    _parts: Iterator[int] = field(default_factory=count)

    @property
    def dialect(self) -> str:
        return self.session.get_bind().dialect.name

    def new_part(self, day: int, size: int = 0) -> str:
        """A key that no part of the day has: one step may add to a day more than once."""
        return f"{day}.{self.version}.{next(self._parts)}.{size}"

    def name_of(self, name_id: int) -> str:
        if name_id not in self._names:
            rows = self.session.execute(
                select(EventName.id, EventName.name).where(EventName.tenant_id == self.tenant_id)
            )
            self._names.update((row.id, row.name) for row in rows)
        return self._names[name_id]

    def events(self, condition: Any) -> list[EventRow]:
        """Events of the tenant, whole."""
        return self._events(events.c.tenant_id == self.tenant_id, condition)

    def events_by_id(self, ids: Iterable[int]) -> list[EventRow]:
        return self._events(of_tenant(events, self.tenant_id), in_ids(events.c.id, ids, self.dialect))

    def events_of(self, profile_ids: Iterable[int]) -> list[EventRow]:
        return self._events(of_tenant(events, self.tenant_id), in_ids(events.c.profile_id, profile_ids, self.dialect))

    def _events(self, *conditions: Any) -> list[EventRow]:
        columns = (events.c.id, events.c.profile_id, events.c.name_id, events.c.day, events.c.at, events.c.properties)
        return [EventRow(*row) for row in self.session.execute(select(*columns).where(*conditions)).all()]

    def waiting_events(self, besides: Iterable[int] = ()) -> set[int]:
        """Ids of events that wait to be folded by a later step than the one over the given items.

        Asked after the events themselves were read: what was read and is not folded is among these.
        """
        done = set(besides)
        rows = self.session.execute(
            select(items.c.id, items.c.payload).where(items.c.tenant_id == self.tenant_id, items.c.kind == "events")
        )
        return {one for item_id, payload in rows if item_id not in done for one in payload["events"]}

    def listed(self, measure: str) -> list[str]:
        """A list of names kept among the slices."""
        heads = self.store.heads(measure)
        found: list[str] = self.store.load(measure, heads, _names)[0] if heads else []
        return found

    def list_more(self, measure: str, names: Iterable[str]) -> None:
        known = self.listed(measure)
        new = [name for name in dict.fromkeys(names) if name not in set(known)]
        if new:
            self.store.put(measure, "all", 0, json.dumps([*known, *new]).encode(), self.version)


def _names(data: bytes) -> list[str]:
    found: list[str] = json.loads(data) if data else []
    return found
