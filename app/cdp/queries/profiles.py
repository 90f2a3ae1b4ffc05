"""Profiles as lists, counts and timelines show them.

Costs at a million profiles: a page is read from an index, so only its depth counts; a text is looked for as the
beginning of an identity or a name, at most 1,000 hits of each; totals come from an index and, when large, are
remembered for ten seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import Select, func, select

from app.cdp.models import EventName, FoldItem, Identity, IndexState, Lifecycle, Profile, ProfileEvent, SegmentMember
from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.paging import Page
from app.core.redis import get_redis
from app.core.tenancy import current_tenant_id

MOST_HITS = 1000
MOST_HITS_TO_FILTER = 10_000  # of those, the ones in a stage or segment are shown
LARGE = 50_000  # totals from here on are remembered
REMEMBERED_SECONDS = 10
LAST_CHARACTER = "\U0010ffff"


def list_profiles(
    q: str = "", lifecycle: str = "", segment_id: int | None = None, page: int = 1, limit: int = 20
) -> Page[Profile]:
    """The page of profiles that match; last seen first, or best match first."""
    if q.strip():
        ids = _filtered(find_ids(q.strip(), is_filtered=bool(lifecycle or segment_id)), lifecycle, segment_id)
        chosen = ids[(page - 1) * limit : page * limit]
        return Page(_load(chosen), len(ids), page, limit)
    statement = _living(lifecycle, segment_id)
    total = _total(statement, f"{lifecycle}:{segment_id or ''}")
    return Page(_load(_page_of(statement, _order(lifecycle, segment_id), total, page, limit)), total, page, limit)


def find_ids(q: str, *, is_filtered: bool = False) -> list[int]:
    """Living profiles by id, then by the beginning of an identity, then of a first or last name."""
    most = MOST_HITS_TO_FILTER if is_filtered else MOST_HITS
    found: list[int] = []
    if q.isascii() and q.isdigit() and len(q) < 16:
        found += db.session.scalars(select(Profile.id).where(Profile.id == int(q), Profile.merged_into_id.is_(None)))
    for text in _identity_texts(q):
        begins = (Identity.value >= text) & (Identity.value < text + LAST_CHARACTER)
        found += db.session.scalars(select(Identity.profile_id).where(begins).order_by(Identity.value).limit(most))
    name = " ".join(q.lower().split())
    for key in (Profile.name_key, Profile.surname_key):
        begins = (key >= name) & (key < name + LAST_CHARACTER)
        named = select(Profile.id).where(begins, Profile.merged_into_id.is_(None))
        found += db.session.scalars(named.order_by(key).limit(most))
    return list(dict.fromkeys(found))[:most]


def _identity_texts(q: str) -> list[str]:
    """How the text may be stored: as it is, in small or capital letters, as a phone number."""
    texts = dict.fromkeys((q, q.lower(), q.upper()))
    digits = "".join(one for one in q if one.isdigit())
    if len(digits) >= 3 and not q.strip("+0123456789 ()-./"):
        texts["+" + digits] = None
    return list(texts)


def _filtered(ids: list[int], lifecycle: str, segment_id: int | None) -> list[int]:
    if not ids or not (lifecycle or segment_id):
        return ids
    kept = set(db.session.scalars(_living(lifecycle, segment_id).where(Profile.id.in_(ids_in(ids)))))
    return [one for one in ids if one in kept]


def _living(lifecycle: str, segment_id: int | None) -> Select[Any]:
    statement = select(Profile.id).where(Profile.merged_into_id.is_(None))
    if lifecycle:
        statement = statement.where(Profile.lifecycle == lifecycle)
    if segment_id is not None:
        statement = statement.join(SegmentMember, SegmentMember.profile_id == Profile.id)
        statement = statement.where(SegmentMember.segment_id == segment_id)
    return statement


def _order(lifecycle: str, segment_id: int | None) -> list[Any]:
    """Columns from the largest down."""
    if segment_id is not None:
        return [SegmentMember.profile_id]
    return [Profile.id] if lifecycle else [Profile.last_seen_at, Profile.id]


def _page_of(statement: Select[Any], order: list[Any], total: int, page: int, limit: int) -> list[int]:
    """The page's ids. What is skipped is read, so a page past the middle is read from the end."""
    before = (page - 1) * limit
    after = max(0, total - before - limit)
    if before <= after or total < LARGE:
        down = [column.desc() for column in order]
        return list(db.session.scalars(statement.order_by(*down).limit(limit).offset(before)))
    from_end = statement.order_by(*order).limit(max(0, min(limit, total - before))).offset(after)
    return list(db.session.scalars(from_end))[::-1]


def _total(statement: Select[Any], key: str) -> int:
    def count() -> int:
        return db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0

    return _remembered(key, count, lambda total: total)


def _remembered(key: str, count: Callable[[], Any], size: Callable[[Any], int]) -> Any:
    """What `count` gives; when it is large, the same again for ten seconds."""
    name = f"cdp:counted:{current_tenant_id()}:{key}"
    try:
        known: Any = get_redis().get(name)
    except RedisError:
        return count()
    if known is not None:
        return json.loads(known)
    found = count()
    if size(found) >= LARGE:
        with suppress(RedisError):
            get_redis().set(name, json.dumps(found), ex=REMEMBERED_SECONDS)
    return found


def _load(ids: list[int]) -> list[Profile]:
    rows = {row.id: row for row in db.session.scalars(select(Profile).where(Profile.id.in_(ids)))}
    return [rows[one] for one in ids if one in rows]


def statistics() -> dict[str, Any]:
    """How many there are in each stage: one read of an index, remembered when it is long."""
    counts = _remembered("stages", _count_stages, lambda found: sum(found.values()))
    total, unnamed = sum(counts.values()), counts[Lifecycle.ANONYMOUS]
    return {
        "total_profiles": total,
        "identified_profiles": total - unnamed,
        "anonymous_profiles": unnamed,
        "lifecycle_distribution": counts,
    }


def _count_stages() -> dict[str, int]:
    rows = db.session.execute(
        select(Profile.lifecycle, func.count()).where(Profile.merged_into_id.is_(None)).group_by(Profile.lifecycle)
    )
    return {stage.value: 0 for stage in Lifecycle} | dict(rows.all())


def list_events(profile_id: int, name: str = "", page: int = 1, limit: int = 20) -> Page[Any]:
    """The person's events with their names, newest first."""
    where = [ProfileEvent.profile_id == profile_id]
    if name:
        name_id = db.session.scalar(select(EventName.id).where(EventName.name == name))
        where.append(ProfileEvent.name_id == (name_id or 0))
    total = db.session.scalar(select(func.count()).select_from(ProfileEvent).where(*where)) or 0
    statement = select(ProfileEvent, EventName.name).join(EventName, EventName.id == ProfileEvent.name_id).where(*where)
    statement = statement.order_by(ProfileEvent.at.desc(), ProfileEvent.id.desc())
    rows = db.session.execute(statement.limit(limit).offset((page - 1) * limit)).all()
    return Page(list(rows), total, page, limit)


def list_identities(profile_id: int) -> list[Identity]:
    """What the person is known by, by kind, newest first."""
    rows = list(db.session.scalars(select(Identity).where(Identity.profile_id == profile_id)))
    rows.sort(key=lambda row: (row.last_seen_at, row.id), reverse=True)
    return sorted(rows, key=lambda row: row.kind)  # here: SQLite would read every identity for this order


def list_segment_ids(profile_id: int) -> list[int]:
    statement = select(SegmentMember.segment_id).where(SegmentMember.profile_id == profile_id)
    return list(db.session.scalars(statement.order_by(SegmentMember.segment_id)))


def index_lag() -> dict[str, Any]:
    """How many items wait to be counted, at most 1,000 of them, and when the last one was."""
    waiting = select(FoldItem.id).limit(1000).subquery()
    state = db.session.scalars(select(IndexState)).one_or_none()
    return {
        "waiting": db.session.scalar(select(func.count()).select_from(waiting)) or 0,
        "folded_at": state.folded_at if state else None,
    }
