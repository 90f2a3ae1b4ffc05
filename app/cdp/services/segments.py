"""Segments: made, changed, kept as they are, deleted, explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import func, select

from app.accounts.services import audit
from app.cdp.models import Profile, Segment, SegmentKind
from app.cdp.services import evaluation, segment_members
from app.cdp.services.conditions import Group, Leaf, Node, parse
from app.cdp.services.conditions.people import InSegment, stored_members
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.segment_rules import needs_of, read_conditions
from app.core.db import db, get_required
from app.core.errors import Conflict, InvalidTransition, NotFound, ValidationFailed
from app.core.jobs import enqueue

MOST = 500
UsesSegment = Callable[[int], Iterable[str]]
_users: list[UsesSegment] = []


def register_user(find: UsesSegment) -> UsesSegment:
    """Let a feature say, in words, what of it uses a segment: such a segment cannot be deleted."""
    if find not in _users:
        _users.append(find)
    return find


def create(name: str, description: str, conditions: Any, *, user_id: int | None = None) -> Segment:
    """A live segment, counted by a job after the commit."""
    read_conditions(conditions)
    if len(db.session.scalars(select(Segment.id).limit(MOST)).all()) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} segments.")
    row = Segment(name=_name(name), description=_description(description), conditions=conditions, created_by=user_id)
    db.session.add(row)
    db.session.flush()
    audit.record("segment.created", row, after={"name": row.name, "conditions": conditions})
    _count(row.id)
    return row


def list_all() -> list[Segment]:
    """Every segment, by name."""
    return list(db.session.scalars(select(Segment).order_by(func.lower(Segment.name), Segment.id)))


def get_by_uuid(uuid: str) -> Segment:
    """The segment as other contracts know it; NotFound when there is none."""
    row = db.session.scalars(select(Segment).where(Segment.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFound("Segment not found.")
    return row


def update(
    segment_id: int, *, name: str | None = None, description: str | None = None, conditions: Any = None
) -> Segment:
    """Change what is given. With another condition everyone is looked at anew."""
    row = get_required(Segment, segment_id, for_update=True, label="Segment")
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _name(name)
    if description is not None:
        values["description"] = _description(description)
    if conditions is not None and conditions != row.conditions:
        if row.kind != SegmentKind.LIVE:
            raise InvalidTransition("A static segment has no condition to change.")
        read_conditions(conditions, row.id)
        values |= {"conditions": conditions, "version": row.version + 1}
    before, after = audit.changed(row, values)
    if after:
        audit.record("segment.changed", row, before=before, after=after)
    if "conditions" in after:
        _count(row.id)
    db.session.flush()
    return row


def delete(segment_id: int) -> None:
    """Forget the segment. Refused while something uses it, saying what."""
    row = get_required(Segment, segment_id, for_update=True, label="Segment")
    used_by = list(list_users(segment_id))
    if used_by:
        raise Conflict(f"This segment is used by {', '.join(used_by[:5])}.", used_by=used_by)
    audit.record("segment.deleted", row, before={"name": row.name, "conditions": row.conditions})
    segment_members.forget_members(segment_id)
    db.session.delete(row)
    db.session.flush()


def list_users(segment_id: int) -> Iterable[str]:
    """What uses the segment: other segments, and what features say."""
    for row in db.session.scalars(select(Segment).where(Segment.id != segment_id).order_by(Segment.id)):
        if segment_id in needs_of(row):
            yield f"segment {row.name}"
    yield from list_outside_users(segment_id)


def list_outside_users(segment_id: int) -> Iterable[str]:
    """What features say uses it, besides other segments."""
    for find in _users:
        yield from find(segment_id)


def snapshot(segment_id: int, name: str, *, user_id: int | None = None) -> Segment:
    """A static segment of the people who are in this one now."""
    source = get_required(Segment, segment_id, label="Segment")
    members = members_of(segment_id)
    row = Segment(name=_name(name), kind=SegmentKind.STATIC, conditions={}, created_by=user_id,
                  description=f"The people who were in “{source.name}”.")  # fmt: skip
    db.session.add(row)
    db.session.flush()
    audit.record("segment.created", row, after={"name": row.name, "from": source.id, "people": len(members)})
    segment_members.write_members(row, members, is_first=True)
    return row


def request_refresh(segment_id: int) -> None:
    """Count the segment now, in the background."""
    get_required(Segment, segment_id, label="Segment")
    _count(segment_id)


def _count(segment_id: int) -> None:
    enqueue("cdp.refresh_segment", unique_key=f"cdp.refresh_segment:{segment_id}", segment_id=segment_id)


def members_of(segment_id: int) -> IdSet:
    """Who was in the segment at its last refresh and is still there."""
    ctx = evaluation.context()
    return stored_members(ctx, segment_id) & ctx.everyone


def overlap(one_id: int, other_id: int) -> dict[str, int]:
    """How many people are in each and in both, as at the last refresh of each."""
    for segment_id in (one_id, other_id):
        get_required(Segment, segment_id, label="Segment")
    one, other = members_of(one_id), members_of(other_id)
    return {"first": len(one), "second": len(other), "both": len(one & other), "either": len(one | other)}


def explain(segment_id: int, profile_id: int) -> dict[str, Any]:
    """Why the person is in the segment or not: each part of its condition, whether it holds, and what is known."""
    row = get_required(Segment, segment_id, label="Segment")
    if db.session.scalar(select(Profile.id).where(Profile.id == profile_id, Profile.merged_into_id.is_(None))) is None:
        raise NotFound("Profile not found.")
    if row.kind == SegmentKind.STATIC:
        return _of_static(row, profile_id)
    ctx = evaluation.context()
    return explain_node(parse(row.conditions), ctx.narrowed(IdSet.of([profile_id])), profile_id)


def _of_static(row: Segment, profile_id: int) -> dict[str, Any]:
    holds = profile_id in members_of(row.id)
    return {"sentence": "was chosen", "holds": holds, "because": "The segment keeps its people as they were."}


def explain_node(node: Node, ctx: Context, profile_id: int) -> dict[str, Any]:
    """One part of a condition and, of a group, its parts."""
    holds = profile_id in node.evaluate(ctx)
    if isinstance(node, Group):
        parts = [explain_node(part, ctx, profile_id) for part in node.parts]
        count = sum(1 for part in parts if part["holds"])
        because = f"{count} of {len(parts)} hold; {_NEEDED[node.operator]}"
        return {"sentence": node.sentence(), "holds": holds, "because": because, "parts": parts}
    assert isinstance(node, Leaf)
    return {"sentence": _sentence(node), "holds": holds, "because": node.because(ctx, profile_id)}


_NEEDED = {"and": "all have to", "or": "one is enough", "not": "none may"}


def _sentence(leaf: Leaf) -> str:
    if not isinstance(leaf, InSegment):
        return leaf.sentence()
    name = db.session.scalar(select(Segment.name).where(Segment.id == leaf.segment_id))
    return f"is {'not ' if leaf.is_negated else ''}in segment “{name or leaf.segment_id}”"


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= 200:
        raise ValidationFailed("name: must have 1 to 200 characters.", field="name")
    return name


def _description(text: str) -> str:
    if len(text) > 2000:
        raise ValidationFailed("description: must have at most 2,000 characters.", field="description")
    return text.strip()
