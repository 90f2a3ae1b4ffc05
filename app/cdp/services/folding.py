"""The folder: takes what came in, in order, into the counted figures and the index.

Each step is one transaction: what it folds and the items that named it change together, so that a folder killed in
the middle has done nothing and two of them take turns at the lock of the tenant's state.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from sqlalchemy import column, delete, insert, select, table
from sqlalchemy.orm import Session

from app.cdp.models import FoldItem, IndexState
from app.cdp.services.engine.context import profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids
from app.cdp.services.engine.store import SliceStore
from app.cdp.services.folding_events import Pair, add_events, remove_people
from app.cdp.services.folding_measures import add_to_measures, begin_measures, recount
from app.cdp.services.folding_people import fold_people
from app.cdp.services.folding_work import FoldWork, items
from app.core.clock import utc_now
from app.core.db import after_commit, db
from app.core.tenancy import current_tenant_id

MOST_ITEMS = 400
MOST_IDS = 5_000  # events or profiles in one step, so that writers wait for a moment only
MANY = 500
TOUCHED = "touched"


def fold_step() -> int:
    """Fold the oldest items in the current unit of work; the number folded, 0 when none waits."""
    work = begin_work()
    if work is None:
        return 0
    chosen = _take(work)
    begin_measures(work)
    _fold(work, chosen)
    finish_work(work, [item.id for item in chosen])
    return len(chosen)


def begin_work() -> FoldWork | None:
    """Lock the tenant's state and go on from its version. None while the index is being rebuilt."""
    session: Session = db.session()
    tenant_id = current_tenant_id()
    state = lock_state(session, tenant_id)
    if not state.is_complete:
        return None
    store = SliceStore(session, tenant_id, state.version)
    state.version += 1
    return FoldWork(session, tenant_id, state.version, store)


def lock_state(session: Session, tenant_id: int) -> IndexState:
    """The tenant's state, locked until the transaction ends; made when there is none."""
    statement = select(IndexState).where(IndexState.tenant_id == tenant_id).with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is not None:
        return found
    zone = tenant_zone(session, tenant_id)
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as upsert

        now = {"tenant_id": tenant_id, "version": 0, "zone": zone, "is_complete": True}
        session.execute(upsert(IndexState.__table__).values(now).on_conflict_do_nothing())  # type: ignore[arg-type]
        return session.scalars(statement.execution_options(populate_existing=True)).one()
    state = IndexState(tenant_id=tenant_id, version=0, zone=zone, is_complete=True)
    session.add(state)
    session.flush()
    return state


def tenant_zone(session: Session, tenant_id: int) -> str:
    """The zone the tenant's days are counted in."""
    tenants = table("tenants", column("id"), column("timezone"))
    return session.scalar(select(tenants.c.timezone).where(tenants.c.id == tenant_id)) or "UTC"


def is_file_coming() -> bool:
    """Whether the newest item that waits names as many as a batch of a file does."""
    waits = (FoldItem.tenant_id == current_tenant_id(), FoldItem.kind != TOUCHED)
    newest = select(FoldItem.payload).where(*waits).order_by(FoldItem.id.desc()).limit(1)
    named = db.session.scalar(newest) or {}
    return max(len(named.get(kind, ())) for kind in ("events", "profiles")) >= MANY


def _take(work: FoldWork) -> list[FoldItem]:
    """The oldest items, up to so many events and profiles; one that several of them name counts once."""
    rows = work.session.scalars(
        select(FoldItem)
        .where(FoldItem.tenant_id == work.tenant_id, FoldItem.kind != TOUCHED)
        .order_by(FoldItem.id)
        .limit(MOST_ITEMS)
    ).all()
    chosen: list[FoldItem] = []
    events, people = set[int](), set[int]()
    for row in rows:
        events.update(row.payload.get("events", ()))
        people.update(row.payload.get("profiles", ()))
        if chosen and len(events) + len(people) > MOST_IDS:
            break
        chosen.append(row)
    return chosen


def _fold(work: FoldWork, chosen: Sequence[FoldItem]) -> None:
    erased = {one for item in chosen if item.kind == "erased" for one in item.payload["profiles"]}
    moved = {item.payload[end] for item in chosen if item.kind == "moved" for end in ("from", "to")}
    changed = {one for item in chosen if item.kind == "profiles" for one in item.payload["profiles"]}
    days = [(pair[0], pair[1]) for item in chosen for pair in item.payload.get("days", ())]
    if moved or erased:
        moved = _with_winners(work, moved)
        refold(work, moved | erased, days, [item.id for item in chosen])
    fresh = [one for item in chosen if item.kind == "events" for one in item.payload["events"]]
    rows = [row for row in work.events_by_id(dict.fromkeys(fresh)) if row.profile_id not in moved | erased]
    add_events(work, rows)
    add_to_measures(work, rows)
    fold_people(work, changed | moved | erased, erased)
    work.touched["moments"].update(row.profile_id for row in rows)


def _with_winners(work: FoldWork, ids: set[int]) -> set[int]:
    """With those they were merged into: events of a chain of merges are at its end."""
    found, layer = set(ids), set(ids)
    while layer:
        rows = work.session.scalars(
            select(profiles.c.merged_into_id).where(
                in_ids(profiles.c.id, layer, work.dialect), profiles.c.merged_into_id.is_not(None)
            )
        )
        layer = set(rows) - found
        found |= layer
    return found


def refold(work: FoldWork, ids: set[int], days: Iterable[Pair] = (), besides: Iterable[int] = ()) -> None:
    """Take these people out of the index and put in what is true of them now, but for events still to be folded."""
    rows = work.events_of(ids)
    pairs = {(row.name_id, row.day) for row in rows} | set(days)
    waiting = work.waiting_events(besides)
    rows = [row for row in rows if row.id not in waiting]
    remove_people(work, ids, pairs)
    add_events(work, rows)
    recount(work, ids, rows)


def finish_work(work: FoldWork, item_ids: Sequence[int]) -> None:
    """Write the slices, leave a note for the refresh of segments, and remove the items."""
    work.store.flush()
    needs = {need: pack_ids(ids) for need, ids in work.touched.items() if ids}
    if needs:
        note = {"tenant_id": work.tenant_id, "kind": TOUCHED, "payload": {"needs": needs}, "created_at": utc_now()}
        work.session.execute(insert(items), [note])
    if item_ids:
        work.session.execute(delete(items).where(in_ids(items.c.id, item_ids, work.dialect)))
    state = lock_state(work.session, work.tenant_id)
    state.folded_at = utc_now()
    work.session.flush()
    after_commit(lambda: work.store.leave_heads(work.version))


def pack_ids(ids: Iterable[int]) -> dict[str, str]:
    """Ids as JSON can hold them: a bitmap per shard."""
    shards = IdSet.of(ids).shards.items()
    return {str(shard): base64.b64encode(bitmap.serialize()).decode() for shard, bitmap in shards}
