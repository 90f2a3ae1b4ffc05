"""What a condition may ask of its workspace: segments there are, computed traits there are, and no circle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol, TypeVar

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
    placed = list(zip(_paths(raw), tree.leaves(), strict=True))
    for path, leaf in placed:
        if isinstance(leaf, ComputedIs):
            _check_computed(path, leaf, definitions)
        elif isinstance(leaf, Ranked):
            _check_ranked(path, leaf, definitions)
    asked = {leaf.segment_id: f"{path}.segment_id" for path, leaf in reversed(placed) if isinstance(leaf, InSegment)}
    _check_segments(asked, segment_id)
    return tree


def _paths(raw: Any, path: str = "conditions") -> Iterator[str]:
    """Where each leaf of a parsed condition stands, in the order the tree has them."""
    if "conditions" not in raw:
        yield path
        return
    for number, part in enumerate(raw["conditions"]):
        yield from _paths(part, f"{path}.conditions[{number}]")


def _check_computed(path: str, leaf: ComputedIs, definitions: dict[str, Definition]) -> None:
    what = definitions.get(leaf.trait)
    if what is None:
        raise _refused(f"{path}.trait", f"there is no computed trait {leaf.trait}")
    if why := refusal(leaf.comparison, what):
        raise _refused(path, why)


def _check_ranked(path: str, leaf: Ranked, definitions: dict[str, Definition]) -> None:
    what = definitions.get(leaf.trait)
    if not leaf.is_computed:
        if what is not None:
            raise _refused(f"{path}.trait", f"{leaf.trait} is a computed trait: name it in computed_trait")
        return
    if what is None:
        raise _refused(f"{path}.computed_trait", f"there is no computed trait {leaf.trait}")
    if what.function in FROM_ROWS[:1]:
        raise _refused(f"{path}.computed_trait", f"{leaf.trait} is not a number")


def used_segments(tree: Node) -> set[int]:
    """Ids of the segments the condition asks about."""
    return {leaf.segment_id for leaf in tree.leaves() if isinstance(leaf, InSegment)}


def _check_segments(asked: dict[int, str], segment_id: int | None) -> None:
    """`asked`: each segment that is needed, and the path of who needs it."""
    if not asked:
        return
    rows = {row.id: row for row in db.session.scalars(select(Segment))}
    for one, path in asked.items():
        if one not in rows:
            raise _refused(path, f"there is no segment {one}")
    circle = _circle(segment_id, set(asked), rows) if segment_id is not None else []
    if circle:
        names = " needs ".join(f"“{rows[one].name}”" for one in circle)
        raise _refused(asked[circle[1]], f"segments must not need each other in a circle: {names}")


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


class Saved(Protocol):
    """What is asked here of a segment's row, whole or in part."""

    @property
    def id(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def conditions(self) -> dict[str, Any]: ...


def tree_of(segment: Saved) -> Node:
    """The tree of a saved condition, taken apart once; ValidationFailed when an earlier release wrote it."""
    return _parsed(json.dumps(segment.conditions))


@lru_cache(maxsize=2000)
def _parsed(conditions: str) -> Node:
    return parse(json.loads(conditions))


def needs_of(segment: Saved) -> set[int]:
    """Segments that another one's saved condition asks about."""
    if segment.kind != SegmentKind.LIVE:
        return set()
    try:
        return used_segments(tree_of(segment))
    except ValidationFailed:
        return set()


SavedT = TypeVar("SavedT", bound=Saved)


def in_order(segments: Iterable[SavedT]) -> list[SavedT]:
    """Each after those it needs."""
    rows = {row.id: row for row in segments}
    ordered: dict[int, SavedT] = {}

    def place(row: SavedT, above: frozenset[int]) -> None:
        for one in sorted(needs_of(row)):
            if one in rows and one not in ordered and one not in above:
                place(rows[one], above | {row.id})
        ordered.setdefault(row.id, row)

    for row in rows.values():
        place(row, frozenset())
    return list(ordered.values())


def _refused(path: str, why: str) -> ValidationFailed:
    return ValidationFailed(f"{path}: {why}.", field=path)
