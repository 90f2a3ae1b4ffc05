"""What the pages of segments read, each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from app.cdp.models import Profile, Segment, SegmentChange, SegmentMember, SegmentSize
from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.paging import Page

SORTS = {"name": "Name", "size": "Largest", "new": "Newest", "refreshed": "Refreshed last"}
MOST_CHANGES = 50_000
MOST = 1000  # segments looked through for who uses whom


@dataclass(frozen=True)
class Row:
    """A segment in the list; `delta` is against the end of an earlier day, None while there is none."""

    segment: Segment
    delta: int | None
    used_by: list[tuple[int, str]]


def list_rows(q: str, sort: str, page: int, limit: int, today: int) -> Page[Row]:
    """Segments by the sort asked for, with what changed since yesterday and which segments are built on them."""
    where = [func.lower(Segment.name).contains(q.lower(), autoescape=True)] if q else []
    total = db.session.scalar(select(func.count()).select_from(Segment).where(*where)) or 0
    chosen = _sorted(select(Segment).where(*where), sort).limit(limit).offset((page - 1) * limit)
    segments = list(db.session.scalars(chosen))
    before, users = sizes_before((one.id for one in segments), today), users_of_all()
    rows = [Row(one, _delta(one, before.get(one.id)), users.get(one.id, [])) for one in segments]
    return Page(rows, total, page, limit)


def _sorted(statement: Select[Any], sort: str) -> Select[Any]:
    orders: dict[str, list[Any]] = {
        "size": [func.coalesce(Segment.member_count, -1).desc()],
        "new": [Segment.id.desc()],
        "refreshed": [Segment.counted_at.is_(None), Segment.counted_at.desc()],
    }
    return statement.order_by(*orders.get(sort, []), func.lower(Segment.name), Segment.id)


def _delta(segment: Segment, before: int | None) -> int | None:
    return None if before is None or segment.member_count is None else segment.member_count - before


def sizes_before(segment_ids: Iterable[int], today: int) -> dict[int, int]:
    """How large each was at the end of the last day before today that is known."""
    last = (
        select(SegmentSize.segment_id, func.max(SegmentSize.day).label("day"))
        .where(SegmentSize.segment_id.in_(ids_in(segment_ids)), SegmentSize.day < today)
        .group_by(SegmentSize.segment_id)
        .subquery()
    )
    statement = select(SegmentSize.segment_id, SegmentSize.member_count).join(
        last, and_(SegmentSize.segment_id == last.c.segment_id, SegmentSize.day == last.c.day)
    )
    return dict(db.session.execute(statement).tuples().all())


def users_of_all() -> dict[int, list[tuple[int, str]]]:
    """For each segment the ones whose condition names it: id and name, by name."""
    found: dict[int, list[tuple[int, str]]] = {}
    statement = select(Segment.id, Segment.name, Segment.conditions).order_by(Segment.name, Segment.id).limit(MOST)
    for segment_id, name, conditions in db.session.execute(statement):
        for used in set(named_in(conditions)):
            found.setdefault(used, []).append((segment_id, name))
    return found


def named_in(condition: Any) -> Iterator[int]:
    """The ids of the segments a condition names."""
    if not isinstance(condition, dict):
        return
    if condition.get("type") == "segment" and isinstance(condition.get("segment_id"), int):
        yield condition["segment_id"]
    for inner in condition.get("conditions") or ():
        yield from named_in(inner)


def names_by_id() -> list[tuple[int, str]]:
    """Id and name of each segment, by name."""
    rows = db.session.execute(
        select(Segment.id, Segment.name).order_by(func.lower(Segment.name), Segment.id).limit(MOST)
    )
    return [(segment_id, name) for segment_id, name in rows]


def find_segments(text: str, limit: int) -> list[Segment]:
    """Segments with the text in their name, for the search."""
    found = func.lower(Segment.name).contains(text.lower(), autoescape=True)
    return list(db.session.scalars(select(Segment).where(found).order_by(Segment.name).limit(limit)))


def list_sizes(segment_id: int, since_day: int) -> list[tuple[int, int]]:
    """Day and size, the oldest first."""
    statement = select(SegmentSize.day, SegmentSize.member_count).where(
        SegmentSize.segment_id == segment_id, SegmentSize.day >= since_day
    )
    return [(day, count) for day, count in db.session.execute(statement.order_by(SegmentSize.day))]


def list_changes(segment_id: int, *, entered: bool, limit: int) -> list[Any]:
    """Who entered or left last: profile, at. Someone gone or merged since is left out."""
    statement = (
        select(Profile, SegmentChange.at)
        .join(SegmentChange, SegmentChange.profile_id == Profile.id)
        .where(
            SegmentChange.segment_id == segment_id,
            SegmentChange.has_entered.is_(entered),
            Profile.merged_into_id.is_(None),
        )
    )
    return list(db.session.execute(statement.order_by(SegmentChange.id.desc()).limit(limit)))


def entered_at(segment_id: int, profile_ids: Iterable[int]) -> dict[int, Any]:
    """Since when each of these people is in."""
    statement = select(SegmentMember.profile_id, SegmentMember.entered_at).where(
        SegmentMember.segment_id == segment_id, SegmentMember.profile_id.in_(ids_in(profile_ids))
    )
    return dict(db.session.execute(statement).tuples().all())


def overlap(one_id: int, other_id: int) -> int:
    """How many people are in both, as at the last refresh of each."""
    mine = select(SegmentMember.profile_id).where(SegmentMember.segment_id == one_id).subquery()
    return (
        db.session.scalar(
            select(func.count())
            .select_from(SegmentMember)
            .join(mine, mine.c.profile_id == SegmentMember.profile_id)
            .where(SegmentMember.segment_id == other_id)
        )
        or 0
    )


def count_since(segment_id: int, moment: Any) -> tuple[int, int]:
    """How many entered and how many left since then, of the newest 50,000 changes."""
    newest = (
        select(SegmentChange.has_entered, SegmentChange.at)
        .where(SegmentChange.segment_id == segment_id)
        .order_by(SegmentChange.id.desc())
        .limit(MOST_CHANGES)
        .subquery()
    )
    statement = select(newest.c.has_entered, func.count()).where(newest.c.at >= moment).group_by(newest.c.has_entered)
    found: dict[bool, int] = dict(db.session.execute(statement).tuples().all())
    return found.get(True, 0), found.get(False, 0)


def load_people(ids: Iterable[int]) -> list[Profile]:
    """These profiles in this order, without those gone since."""
    wanted = list(ids)
    is_living = (Profile.merged_into_id + 0).is_(None)  # a sum: SQLite would walk an index of all who live
    statement = select(Profile).where(Profile.id.in_(ids_in(wanted)), is_living)
    rows = {row.id: row for row in db.session.scalars(statement)}
    return [rows[one] for one in wanted if one in rows]
