"""What a profile is: its lifecycle, its consent, what it is known by, the segments it is in, and chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import BigInteger, Table, cast, exists, not_, select

from app.cdp.models import Channel, ConsentState, ConsentValue, Identity, Lifecycle, SegmentMember
from app.cdp.services.conditions import words
from app.cdp.services.conditions.comparisons import ListHas, OneOf
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.conditions.traits import field_measure, found_in
from app.cdp.services.engine.columns import Column
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import Truth
from app.cdp.services.engine.rows import as_bitmap
from app.cdp.services.shares import FINEST, bucket_of

consents: Table = ConsentState.__table__  # type: ignore[assignment]
identities: Table = Identity.__table__  # type: ignore[assignment]
members: Table = SegmentMember.__table__  # type: ignore[assignment]
LIFECYCLE, IDENTIFIERS = field_measure("lifecycle"), field_measure("identifiers")


def consent_measure(channel: str) -> str:
    return f"c:{channel}"


def member_measure(segment_id: int) -> str:
    return f"s:{segment_id}"


@dataclass(frozen=True)
class LifecycleIs(Leaf):
    stages: tuple[str, ...]
    is_negated: bool = False

    def as_sql(self, ctx: Context) -> Truth:
        found = profiles.c.lifecycle.in_(self.stages)
        return not_(found) if self.is_negated else found

    def find(self, ctx: Context) -> IdSet:
        found = found_in(Column(ctx.store, LIFECYCLE, ctx.only), OneOf(self.stages), ctx.today)
        return ctx.people - found if self.is_negated else found

    def needs(self) -> frozenset[str]:
        return frozenset({LIFECYCLE})

    def sentence(self) -> str:
        return f"lifecycle stage {'is not' if self.is_negated else 'is'} {words.listed(self.stages)}"

    def because(self, ctx: Context, profile_id: int) -> str:
        stage = ctx.session.scalar(
            select(profiles.c.lifecycle).where(profiles.c.tenant_id == ctx.tenant_id, profiles.c.id == profile_id)
        )
        return f"the stage is {words.shown(stage)}"


@dataclass(frozen=True)
class ConsentIs(Leaf):
    """Nothing said is unknown."""

    channel: str
    state: str
    is_negated: bool = False

    def as_sql(self, ctx: Context) -> Truth:
        is_unknown = self.state == ConsentValue.UNKNOWN
        states = [ConsentValue.GRANTED, ConsentValue.DENIED] if is_unknown else [self.state]
        found = exists().where(
            consents.c.tenant_id == ctx.tenant_id, consents.c.profile_id == profiles.c.id,
            consents.c.channel == self.channel, consents.c.state.in_(states),
        ).correlate(profiles)  # fmt: skip
        return not_(found) if is_unknown != self.is_negated else found

    def find(self, ctx: Context) -> IdSet:
        is_unknown = self.state == ConsentValue.UNKNOWN
        states = (str(ConsentValue.GRANTED), str(ConsentValue.DENIED)) if is_unknown else (self.state,)
        found = found_in(Column(ctx.store, consent_measure(self.channel), ctx.only), OneOf(states), ctx.today)
        return ctx.people - found if is_unknown != self.is_negated else found

    def needs(self) -> frozenset[str]:
        return frozenset({consent_measure(self.channel)})

    def sentence(self) -> str:
        return f"consent to {words.channel(self.channel)} {'is not' if self.is_negated else 'is'} {self.state}"

    def because(self, ctx: Context, profile_id: int) -> str:
        state = ctx.session.scalar(
            select(consents.c.state).where(
                consents.c.tenant_id == ctx.tenant_id, consents.c.profile_id == profile_id,
                consents.c.channel == self.channel,
            )
        )  # fmt: skip
        return f"consent to {words.channel(self.channel)} is {state or 'unknown: nothing was ever said'}"


@dataclass(frozen=True)
class IdentifierIs(Leaf):
    kind: str
    is_negated: bool = False

    def as_sql(self, ctx: Context) -> Truth:
        found = exists().where(
            identities.c.tenant_id == ctx.tenant_id, identities.c.profile_id == profiles.c.id,
            identities.c.kind == self.kind,
        ).correlate(profiles)  # fmt: skip
        return not_(found) if self.is_negated else found

    def find(self, ctx: Context) -> IdSet:
        found = found_in(Column(ctx.store, IDENTIFIERS, ctx.only), ListHas((self.kind,)), ctx.today)
        return ctx.people - found if self.is_negated else found

    def needs(self) -> frozenset[str]:
        return frozenset({IDENTIFIERS})

    def sentence(self) -> str:
        return f"{words.name(self.kind)} is {'not known' if self.is_negated else 'known'}"


@dataclass(frozen=True)
class InSegment(Leaf):
    """In another segment, as it was at its last refresh; refreshes go by who needs whom."""

    segment_id: int
    is_negated: bool = False

    def as_sql(self, ctx: Context) -> Truth:
        found = exists().where(
            members.c.tenant_id == ctx.tenant_id, members.c.segment_id == self.segment_id,
            members.c.profile_id == profiles.c.id,
        ).correlate(profiles)  # fmt: skip
        return not_(found) if self.is_negated else found

    def find(self, ctx: Context) -> IdSet:
        found = stored_members(ctx, self.segment_id)
        return ctx.people - found if self.is_negated else found

    def needs(self) -> frozenset[str]:
        return frozenset({member_measure(self.segment_id)})

    @property
    def is_kept(self) -> bool:
        return False  # members have versions of their own

    def sentence(self) -> str:
        return f"is {'not ' if self.is_negated else ''}in segment {self.segment_id}"


def stored_members(ctx: Context, segment_id: int) -> IdSet:
    """Who was in the segment at its last refresh."""
    measure = member_measure(segment_id)
    heads = ctx.store.heads(measure)
    bitmaps = ctx.store.load(measure, heads, as_bitmap)
    return IdSet({head.shard: one for head, one in zip(heads, bitmaps, strict=True)})


@dataclass(frozen=True)
class InBucket(Leaf):
    """A share of everyone, drawn by the seed: the same people every time, and no others as people come and go."""

    seed: str
    first: int
    last: int

    def as_sql(self, ctx: Context) -> Truth:
        bucket = bucket_of(cast(profiles.c.id, BigInteger), self.seed)
        return (bucket >= self.first) & (bucket < self.last)

    def find(self, ctx: Context) -> IdSet:
        ids = ctx.people.to_array()
        bucket = bucket_of(ids, self.seed)
        return IdSet.of_array(ids[(bucket >= self.first) & (bucket < self.last)])

    def needs(self) -> frozenset[str]:
        return frozenset()

    def sentence(self) -> str:
        share = words.number((self.last - self.first) * 100 / FINEST)
        return f"drawn at random: {share}% of everyone, by the seed {words.quoted(self.seed)}"

    def because(self, ctx: Context, profile_id: int) -> str:
        bucket = int(bucket_of(np.array([profile_id], dtype=np.int64), self.seed)[0])
        return f"drew {words.number(bucket * 100 / FINEST)} of 100"


def read_lifecycle(reader: Reader) -> LifecycleIs:
    operator = reader.choice("operator", ("equals", "not_equals", "in", "not_in"), "equals")
    known = [str(stage) for stage in Lifecycle]
    if operator in ("equals", "not_equals"):
        return LifecycleIs((reader.choice("value", known),), operator == "not_equals")
    values = reader.list_of("value", most=len(known))
    for place, value in enumerate(values):
        if value not in known:
            reader.refuse(f"must be one of {', '.join(known)}", f"value[{place}]")
    return LifecycleIs(tuple(dict.fromkeys(values)), operator == "not_in")


def read_consent(reader: Reader) -> ConsentIs:
    channel = reader.choice("channel", [str(one) for one in Channel])
    operator = reader.choice("operator", ("is", "is_not"), "is")
    return ConsentIs(channel, reader.choice("state", [str(one) for one in ConsentValue]), operator == "is_not")


def read_identifier(reader: Reader) -> IdentifierIs:
    kind = reader.text("kind", longest=50)
    if kind not in ("anonymous_id", "user_id", "email", "phone") and not kind.startswith("external:"):
        reader.refuse("must be anonymous_id, user_id, email, phone or external:<system>", "kind")
    return IdentifierIs(kind, reader.choice("operator", ("present", "absent"), "present") == "absent")


def read_segment(reader: Reader) -> InSegment:
    segment_id = reader.whole("segment_id", 1, 2**31 - 1)
    return InSegment(segment_id, reader.choice("operator", ("in", "not_in"), "in") == "not_in")


def read_bucket(reader: Reader) -> InBucket:
    """`from` and `to` are percent: 0 to 10 is a tenth of everyone."""
    first, last = reader.number("from"), reader.number("to")
    if not 0 <= first < last <= 100:
        reader.refuse("from and to must be percent, from 0 to 100, the lower first")
    return InBucket(reader.text("seed", "holdout", longest=100), round(first * 100), round(last * 100))
