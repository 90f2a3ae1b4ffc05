"""The tree of a condition: groups, and the leaves they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import and_, not_, or_

from app.cdp.services.conditions import words
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import Truth

_NARROW = 20_000  # so few people are better asked one by one than everyone by a scan


class Node:
    """What groups and leaves have in common."""

    def sentence(self) -> str:
        """The condition in plain English, after "people who" or "people whose"."""
        raise NotImplementedError

    def evaluate(self, ctx: Context) -> IdSet:
        raise NotImplementedError

    def as_sql(self, ctx: Context) -> Truth:
        """The same over profiles.id, as one expression: what the sets are held against."""
        raise NotImplementedError

    def leaves(self) -> Iterator[Leaf]:
        raise NotImplementedError


class Leaf(Node):
    """One question about a person."""

    @cached_property
    def key(self) -> str:
        return repr(self)

    def find(self, ctx: Context) -> IdSet:
        """Whom it holds for. Without slices of its own: one SELECT."""
        return ctx.select_ids(self.as_sql(ctx))

    def evaluate(self, ctx: Context) -> IdSet:
        return ctx.answer(self)

    def leaves(self) -> Iterator[Leaf]:
        yield self

    def needs(self) -> frozenset[str]:
        """What it reads: someone of whom none of this changed is where they were."""
        raise NotImplementedError

    def is_indexed(self, ctx: Context) -> bool:
        """Whether it is answered from slices; else it costs a SELECT."""
        return True

    @property
    def is_kept(self) -> bool:
        """Whether an answer stands as long as the version of the index and the day do."""
        return True

    @property
    def is_local(self) -> bool:
        """Whether a person's answer depends on that person alone."""
        return True

    @property
    def is_daily(self) -> bool:
        """Whether the answer may change when a day ends."""
        return False

    def because(self, ctx: Context, profile_id: int) -> str:
        """What is known of that person in this matter."""
        return ""


@dataclass(frozen=True)
class Group(Node):
    """All of, any of, or none of its parts."""

    operator: str
    parts: tuple[Node, ...]

    def evaluate(self, ctx: Context) -> IdSet:
        if self.operator == "and":
            return self._all(ctx)
        found = IdSet.union_of(part.evaluate(ctx) for part in self.parts)
        return ctx.people - found if self.operator == "not" else found

    def _all(self, ctx: Context) -> IdSet:
        """What slices answer first; a SELECT is asked about those who are left, when they are few."""
        found = ctx.people
        for part in sorted(self.parts, key=lambda part: not all(leaf.is_indexed(ctx) for leaf in part.leaves())):
            if not found:
                break
            is_slow = len(found) <= _NARROW and not all(leaf.is_indexed(ctx) for leaf in part.leaves())
            asked = ctx.narrowed(found) if is_slow and all(leaf.is_local for leaf in part.leaves()) else ctx
            found = found & part.evaluate(asked)
        return found

    def as_sql(self, ctx: Context) -> Truth:
        parts = [part.as_sql(ctx) for part in self.parts]
        if self.operator == "and":
            return and_(*parts)
        return not_(or_(*parts)) if self.operator == "not" else or_(*parts)

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from part.leaves()

    def sentence(self) -> str:
        told = [f"({p.sentence()})" if isinstance(p, Group) and len(p.parts) > 1 else p.sentence() for p in self.parts]
        if self.operator == "not":
            return f"none of: {'; '.join(told)}" if len(told) > 1 else f"not: {told[0]}"
        return words.joined(told, self.operator)
