"""Whatever happens in whatever order: the index says what the database says, and what it would say built anew."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.accounts.models import Tenant
from app.cdp.models import Segment, SegmentChange, SegmentMember
from app.cdp.services import evaluation, folding_events, rebuilding, refresh
from app.cdp.services.conditions.people import stored_members
from app.cdp.services.engine import columns, context, rows
from app.cdp.services.segment_rules import tree_of
from app.core.db import db, unit_of_work
from app.core.tenancy import platform_scope
from tests.cdp.condition_strategies import conditions, lives
from tests.cdp.factory import at, fold
from tests.cdp.life import QUIET, Life

_numbers = count()
deeds = settings(max_examples=50, deadline=None, suppress_health_check=QUIET, phases=[Phase.explicit, Phase.generate])


@pytest.fixture
def live(app):
    def make() -> tuple[Any, int]:
        with app.app_context(), platform_scope(), unit_of_work():
            tenant = Tenant(name="Some", slug=f"some-{next(_numbers)}")
            db.session.add(tenant)
            db.session.flush()
            return tenant.id

    return make


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """What is done for many only: parts are joined, a few are picked out of all rows, segments take several writes."""
    monkeypatch.setattr(folding_events, "MOST_PARTS", 2)
    for module in (columns, rows):
        monkeypatch.setattr(module, "FEW", 0)
    monkeypatch.setattr(refresh, "MOST_SEGMENTS", 2)


@deeds
@given(life=lives, asked=st.lists(conditions, min_size=10, max_size=20))
def test_sets_say_what_sql_says_after_any_history(live, in_tenant, life, asked):
    with in_tenant(live()):
        world = Life()
        for deed in life:
            world.do(deed)
        fold()
        for raw in asked:
            world.check(raw)
        before = world.index()
        rebuilding.rebuild()
        fold()
        assert world.index() == before
        for raw in asked[:2]:
            world.check(raw)


class Segments:
    """Segments that are refreshed as things happen, and who was seen in them."""

    def __init__(self, world: Life, asked: list[dict[str, Any]]) -> None:
        self.world = world
        self.seen: dict[int, set[int]] = {}
        with unit_of_work():
            first = Segment(name="First", conditions=asked[0])
            db.session.add(first)
            db.session.flush()
            upon = {"type": "segment", "segment_id": first.id, "operator": "not_in"}
            mixed = {"operator": "or", "conditions": [upon, asked[1]]}
            top = {"type": "rank", "computed_trait": "total_purchases", "operator": "top", "count": 2}
            for number, raw in enumerate([*asked[1:], upon, mixed, top]):
                db.session.add(Segment(name=f"Segment {number}", conditions=raw))
        fold()
        refresh.refresh_all()
        self.seen = {row.id: self.members(row.id) for row in db.session.scalars(select(Segment))}

    def members(self, segment_id: int) -> set[int]:
        return set(stored_members(evaluation.context(today=self.world.today), segment_id))

    def check(self) -> None:
        """Each has whom the database says; rows, bitmaps and the tale of who came and went agree."""
        there = set(evaluation.context().everyone)
        for row in db.session.scalars(select(Segment).order_by(Segment.id)).all():
            members = self.members(row.id)
            assert members == set(evaluation.reference(tree_of(row), today=self.world.today)), row.conditions
            kept = select(SegmentMember.profile_id).where(SegmentMember.segment_id == row.id)
            assert members == set(db.session.scalars(kept))
            assert row.member_count == len(members)
            assert self.told(row.id) & there == members

    def told(self, segment_id: int) -> set[int]:
        """Who is in by what was seen first and what was told since; nobody comes twice or leaves before coming."""
        found = set(self.seen[segment_id])
        statement = select(SegmentChange).where(SegmentChange.segment_id == segment_id).order_by(SegmentChange.id)
        for change in db.session.scalars(statement):
            assert (change.profile_id in found) != change.has_entered
            found ^= {change.profile_id}
        return found


@deeds
@given(life=lives, asked=st.lists(conditions, min_size=3, max_size=6))
def test_refreshed_segments_are_what_counting_everyone_would_give(live, in_tenant, monkeypatch, life, asked):
    with in_tenant(live()):
        world = Life()
        monkeypatch.setattr(context, "utc_now", lambda: at(world.today))
        followed = Segments(world, asked)
        for number, deed in enumerate(life):
            world.do(deed)
            if deed[0] in ("fold", "ask", "day") or number % 5 == 4:
                fold()
                refresh.refresh_all()
                followed.check()
