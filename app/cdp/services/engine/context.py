"""What a condition is answered with: whose data, which day it is, the slices, and what is cached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.cdp.models import EventName, IndexState, Profile
from app.cdp.services.engine import cache
from app.cdp.services.engine.days import day_of
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import Truth, in_ids, of_tenant
from app.cdp.services.engine.rows import EventIndex, as_bitmap
from app.cdp.services.engine.store import SliceStore
from app.core.clock import utc_now

PEOPLE = "people"
profiles: Table = Profile.__table__  # type: ignore[assignment]


class Question(Protocol):
    """A leaf of a condition, as the engine sees it. Leaves of the same `key` have the same answer."""

    @property
    def key(self) -> str: ...

    @property
    def is_kept(self) -> bool: ...

    def find(self, ctx: Context) -> IdSet: ...

    def as_sql(self, ctx: Context) -> Truth: ...


@dataclass
class Context:
    """One tenant at one version of its index on one day. With `only`, nobody else is asked about."""

    session: Session
    tenant_id: int
    zone: str
    today: int
    version: int
    store: SliceStore
    only: IdSet | None = None
    uses_index: bool = True
    answers: dict[str, IdSet] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    names: dict[str, int | None] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)
    measures: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def dialect(self) -> str:
        return self.session.get_bind().dialect.name

    @cached_property
    def everyone(self) -> IdSet:
        """All living people, whoever is asked about."""
        heads = self.store.heads(PEOPLE)
        bitmaps = self.store.load(PEOPLE, heads, as_bitmap)
        return IdSet({head.shard: one for head, one in zip(heads, bitmaps, strict=True)})

    @cached_property
    def people(self) -> IdSet:
        """Everyone there is, or everyone asked about."""
        return self.everyone if self.only is None else self.everyone & self.only

    def answer(self, leaf: Question) -> IdSet:
        """Whom the leaf holds for: from this evaluation, from an earlier one of the same version, or found now."""
        key = leaf.key
        if not leaf.is_kept:
            return leaf.find(self) & self.people
        if key not in self.answers:
            kept: IdSet | None = cache.leaves.get(self._kept_under(key)) if self.uses_index else None
            self.answers[key] = (leaf.find(self) if kept is None else kept) & self.people
            if kept is None and self.only is None and self.uses_index:
                self.found.append(key)
        return self.answers[key]

    def keep_answers(self) -> None:
        """Let later evaluations of the same version have what this one found."""
        for key in self.found:
            cache.leaves.put(self._kept_under(key), self.answers[key], self.answers[key].size_bytes + 300)
        self.found.clear()
        self.store.keep_heads()

    def _kept_under(self, key: str) -> tuple[int, int, int, str]:
        return (self.tenant_id, self.version, self.today, key)

    def select_ids(self, condition: Truth) -> IdSet:
        """Living people the SQL holds for, in one SELECT."""
        statement = select(profiles.c.id).where(*self.living(), condition)
        return IdSet.of(self.session.scalars(statement))

    def living(self) -> list[Truth]:
        """What a SELECT over profiles is narrowed to."""
        living = profiles.c.merged_into_id.is_(None)
        if self.only is None:
            return [profiles.c.tenant_id == self.tenant_id, living]
        return [of_tenant(profiles, self.tenant_id), living, in_ids(profiles.c.id, self.only, self.dialect)]

    def name_id(self, event: str) -> int | None:
        """The short id of an event's name; None when nobody ever did it."""
        if event not in self.names:
            statement = select(EventName.id).where(EventName.tenant_id == self.tenant_id, EventName.name == event)
            self.names[event] = self.session.scalar(statement)
        return self.names[event]

    def event(self, event: str) -> EventIndex | None:
        name_id = self.name_id(event)
        return None if name_id is None else EventIndex(self.store, name_id, self.only)

    def narrowed(self, only: IdSet) -> Context:
        """The same, asked about fewer people."""
        kept = {key: found & only for key, found in self.answers.items()}
        return replace(self, only=only if self.only is None else only & self.only, answers=kept, found=[])


def open_context(session: Session, tenant_id: int, zone: str, *, today: int | None = None) -> Context:
    """A context at the index's version now."""
    version = session.scalar(select(IndexState.version).where(IndexState.tenant_id == tenant_id)) or 0
    day = day_of(utc_now(), zone) if today is None else today
    return Context(session, tenant_id, zone, day, version, SliceStore(session, tenant_id, version))
