"""Who agreed to what: statements are only added, the state in force stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.cdp.events import ConsentGiven
from app.cdp.models import Channel, ConsentRecord, ConsentState, ConsentValue
from app.cdp.queries.lists import ids_in, of_people
from app.cdp.services import fold_queue
from app.cdp.services.bulk import insert_rows, run
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import ValidationFailed
from app.core.events import emit
from app.core.tenancy import current_tenant_id

STRICTEST_FIRST = list(ConsentValue)
STOP = "stop"  # the source of a refusal somebody sent as a message
COLUMNS = ("tenant_id", "profile_id", "channel", "state", "source", "evidence", "at")
_records, _states = ConsentRecord.__table__, ConsentState.__table__


@dataclass(frozen=True)
class Statement:
    """One person's word on one channel. `yields`: a denial in force outweighs it, because its own time is not known."""

    profile_id: int
    channel: str
    state: str
    source: str
    at: datetime
    evidence: dict[str, Any] = field(default_factory=dict)
    yields: bool = False


def record(
    profile_id: int, channel: str, state: str, source: str, evidence: dict[str, Any], at: datetime | None = None
) -> ConsentRecord:
    """Add a statement and put it in force, unless a later one is known already. A yes in force is told."""
    if channel not in set(Channel) or state not in set(ConsentValue):
        raise ValidationFailed("channel: no such channel or state.", field="channel")
    row = ConsentRecord(
        profile_id=profile_id, channel=channel, state=state, source=source, evidence=evidence, at=at or utc_now()
    )
    db.session.add(row)
    db.session.flush()
    current = db.session.scalars(
        select(ConsentState).where(ConsentState.profile_id == profile_id, ConsentState.channel == channel)
    ).one_or_none()
    if current is None:
        db.session.add(ConsentState(profile_id=profile_id, channel=channel, state=state, source=source, at=row.at))
    elif row.at >= current.at:
        current.state, current.source, current.at = state, source, row.at
    if state == ConsentValue.GRANTED and (current is None or current.at == row.at):
        emit(ConsentGiven(current_tenant_id(), profile_id, channel, row.at.isoformat()))
    db.session.flush()
    fold_queue.note_profiles([profile_id])
    return row


def record_many(statements: Sequence[Statement]) -> int:
    """Add many statements in a fixed number of SQL ones; returns how many were kept.

    On each channel the latest is in force. One that yields is left out where the person had said no before.
    The caller holds the locks of the profiles.
    """
    people = sorted({one.profile_id for one in statements})
    force = {(row.profile_id, row.channel): (row.state, row.source, row.at) for row in _states_of(people)}
    kept, changed = [], set()
    for one in sorted(statements, key=lambda statement: statement.at):
        place = one.profile_id, one.channel
        state, _, at = force.get(place, ("", "", one.at))
        if one.yields and one.state != ConsentValue.DENIED and state == ConsentValue.DENIED:
            continue
        kept.append(one)
        if one.at >= at:
            force[place] = one.state, one.source, one.at
            changed.add(place)
    tenant_id = current_tenant_id()
    rows = [(tenant_id, one.profile_id, one.channel, one.state, one.source, one.evidence, one.at) for one in kept]
    insert_rows(_records, COLUMNS, rows)
    _put_many({place: force[place] for place in changed})
    fold_queue.note_profiles(person for person, _ in changed)
    return len(kept)


def states_of(profile_id: int) -> dict[str, str]:
    """The state in force on every channel; one nobody spoke of is unknown."""
    known = {row.channel: row.state for row in _states_of([profile_id])}
    return {channel.value: known.get(channel, ConsentValue.UNKNOWN.value) for channel in Channel}


def list_records(profile_id: int) -> list[ConsentRecord]:
    """Every statement of this person, newest first."""
    statement = select(ConsentRecord).where(ConsentRecord.profile_id == profile_id)
    return list(db.session.scalars(statement.order_by(ConsentRecord.at.desc(), ConsentRecord.id.desc())))


def strictest(states: Iterable[str]) -> str:
    return min(states, key=lambda state: STRICTEST_FIRST.index(ConsentValue(state)))


def join(winner_id: int, loser_id: int) -> dict[str, list[int]]:
    """Give the winner the loser's statements; on each channel the strictest state either made is in force.

    A channel one of them never spoke of does not count. Returns what was moved and made, for `part`.
    """
    moved = _move(loser_id, winner_id)
    by_channel: dict[str, list[Any]] = {}
    for row in _states_of([winner_id, loser_id]):
        by_channel.setdefault(row.channel, []).append(row)
    _drop_states([loser_id])
    made = []
    for channel, rows in by_channel.items():
        state = strictest(row.state for row in rows)
        if any(row.state != state for row in rows):
            made.append(_speak(winner_id, channel, state, "merge", {"merged": loser_id}))
        at = max(row.at for row in rows)
        _put(winner_id, channel, state, _source_of(row for row in rows if row.state == state), at)
    return {"consent_moved": moved, "consent_made": made}


def part(holder_id: int, loser_id: int, moved: dict[str, Any]) -> None:
    """Take `join` back: statements return, and both are in the state their own last statement says."""
    ids = moved.get("consent_moved", [])
    db.session.execute(
        update(_records)  # type: ignore[arg-type]
        .where(_records.c.tenant_id == current_tenant_id(), _records.c.profile_id == holder_id,
               _records.c.id.in_(ids_in(ids)))
        .values(profile_id=loser_id)
    )  # fmt: skip
    made = set(moved.get("consent_made", []))
    for profile_id in (holder_id, loser_id):
        _restate(profile_id, made)


def copy_denials(from_id: int, to_id: int) -> None:
    """A person parted from another is not asked again where the other said no."""
    for row in _states_of([from_id]):
        if row.state == ConsentValue.DENIED:
            _speak(to_id, row.channel, row.state, "split", {"split_from": from_id})
            _put(to_id, row.channel, row.state, row.source, row.at)


def _source_of(rows: Iterable[Any]) -> str:
    """Where the state several rows share came from: a STOP outweighs other refusals, then the latest counts."""
    return str(max(rows, key=lambda row: (row.source == STOP, row.at)).source)


def _restate(profile_id: int, ignored: set[int]) -> None:
    """Put the last statement of each channel in force, but for those a merge had made."""
    last: dict[str, ConsentRecord] = {}
    for row in reversed(list_records(profile_id)):
        if row.id not in ignored:
            last[row.channel] = row
    before = {row.channel: row.state for row in _states_of([profile_id])}
    _drop_states([profile_id])
    for channel, row in last.items():
        _put(profile_id, channel, row.state, row.source, row.at)
        if before.get(channel, row.state) != row.state:
            _speak(profile_id, channel, row.state, "merge undone", {})


def _states_of(profile_ids: list[int]) -> list[Any]:
    return list(db.session.execute(select(_states).where(of_people(_states, profile_ids))))


def _drop_states(profile_ids: list[int]) -> None:
    db.session.execute(delete(_states).where(of_people(_states, profile_ids)))  # type: ignore[arg-type]


def _put_many(force: dict[tuple[int, str], tuple[str, str, datetime]]) -> None:
    for channel in sorted({channel for _, channel in force}):
        people = [profile_id for profile_id, named in force if named == channel]
        of_them = of_people(_states, people)
        db.session.execute(delete(_states).where(of_them, _states.c.channel == channel))  # type: ignore[arg-type]
    names, tenant_id = ("tenant_id", "profile_id", "channel", "state", "source", "at"), current_tenant_id()
    insert_rows(_states, names, [(tenant_id, *place, *said) for place, said in sorted(force.items())])


def _put(profile_id: int, channel: str, state: str, source: str, at: datetime) -> None:
    where = (_states.c.profile_id == profile_id) & (_states.c.channel == channel)
    db.session.execute(delete(_states).where(where, _states.c.tenant_id == current_tenant_id()))  # type: ignore[arg-type]
    row = {"tenant_id": current_tenant_id(), "profile_id": profile_id, "channel": channel, "state": state}
    run(insert(_states), [row | {"source": source, "at": at}])  # type: ignore[arg-type]


def _speak(profile_id: int, channel: str, state: str, source: str, evidence: dict[str, Any]) -> int:
    row = ConsentRecord(profile_id=profile_id, channel=channel, state=state, source=source, evidence=evidence)
    db.session.add(row)
    db.session.flush()
    return row.id


def _move(from_id: int, to_id: int) -> list[int]:
    mine = (_records.c.tenant_id == current_tenant_id(), _records.c.profile_id == from_id)
    ids = list(db.session.scalars(select(_records.c.id).where(*mine)))
    if ids:
        db.session.execute(update(_records).where(*mine).values(profile_id=to_id))  # type: ignore[arg-type]
    return ids
