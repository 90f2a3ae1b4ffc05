"""What a condition may ask of its workspace: segments there are, computed traits there are, and no circle."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.cdp.models import Segment, SegmentKind
from app.cdp.services.conditions import Node, parse
from app.cdp.services.conditions.computed import ComputedIs, refusal
from app.cdp.services.conditions.people import InSegment
from app.cdp.services.conditions.ranks import Ranked
from app.cdp.services.engine.definitions import FROM_ROWS, Definition, list_definitions
from app.core.db import db
from app.core.errors import ValidationFailed
from app.core.tenancy import current_tenant_id


def read_conditions(raw: Any, segment_id: int | None = None) -> Node:
    """The tree of a condition that can be answered here; ValidationFailed says what cannot be, and names a circle."""
    tree = parse(raw)
    definitions = list_definitions(db.session(), current_tenant_id())
    for leaf in tree.leaves():
        _check_computed(leaf, definitions)
    _check_segments(tree, segment_id)
    return tree


def _check_computed(leaf: Node, definitions: dict[str, Definition]) -> None:
    is_ranked = isinstance(leaf, Ranked) and leaf.is_computed
    if not isinstance(leaf, ComputedIs) and not is_ranked:
        return
    name = leaf.trait  # type: ignore[attr-defined]
    what = definitions.get(name)
    if what is None:
        raise _refused(f"there is no computed trait {name}")
    if isinstance(leaf, ComputedIs) and (why := refusal(leaf.comparison, what)):
        raise _refused(why)
    if is_ranked and what.function in FROM_ROWS[:1]:
        raise _refused(f"{name} is not a number")


def used_segments(tree: Node) -> set[int]:
    """Ids of the segments the condition asks about."""
    return {leaf.segment_id for leaf in tree.leaves() if isinstance(leaf, InSegment)}


def _check_segments(tree: Node, segment_id: int | None) -> None:
    wanted = used_segments(tree)
    if not wanted:
        return
    rows = {row.id: row for row in db.session.scalars(select(Segment))}
    unknown = sorted(wanted - rows.keys())
    if unknown:
        raise _refused(f"there is no segment {unknown[0]}")
    circle = _circle(segment_id, wanted, rows) if segment_id is not None else []
    if circle:
        names = " needs ".join(f"“{rows[one].name}”" for one in circle)
        raise ValidationFailed(
            f"conditions: segments must not need each other in a circle: {names}.", field="conditions"
        )


def _circle(start: int, wanted: set[int], rows: dict[int, Segment]) -> list[int]:
    """The way from the segment back to itself, or nothing."""
    paths = [[start, one] for one in sorted(wanted)]
    seen: set[int] = set()
    while paths:
        path = paths.pop()
        if path[-1] == start:
            return path
        if path[-1] in seen or path[-1] not in rows:
            continue
        seen.add(path[-1])
        paths += [[*path, one] for one in sorted(needs_of(rows[path[-1]]))]
    return []


def needs_of(segment: Segment) -> set[int]:
    """Segments that another one's saved condition asks about."""
    if segment.kind != SegmentKind.LIVE:
        return set()
    try:
        return used_segments(parse(segment.conditions))
    except ValidationFailed:  # saved by an earlier release
        return set()


def in_order(segments: list[Segment]) -> list[Segment]:
    """Each after those it needs."""
    rows = {row.id: row for row in segments}
    ordered: dict[int, Segment] = {}

    def place(row: Segment, above: frozenset[int]) -> None:
        for one in sorted(needs_of(row)):
            if one in rows and one not in ordered and one not in above:
                place(rows[one], above | {row.id})
        ordered.setdefault(row.id, row)

    for row in segments:
        place(row, frozenset())
    return list(ordered.values())


def _refused(why: str) -> ValidationFailed:
    return ValidationFailed(f"conditions: {why}.", field="conditions")
