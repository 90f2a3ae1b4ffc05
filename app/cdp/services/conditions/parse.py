"""JSON into the tree: the contract's grammar, and the messaging contract's smaller one, which gives the same tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.cdp.services.conditions import operators, windows
from app.cdp.services.conditions.comparisons import NumberIs
from app.cdp.services.conditions.computed import read_computed
from app.cdp.services.conditions.event_parts import read_happening
from app.cdp.services.conditions.events import FUNCTIONS, PLAY, Aggregate, EventEdge, EventIs
from app.cdp.services.conditions.habits import Regularly, Stopped
from app.cdp.services.conditions.nodes import Group, Node
from app.cdp.services.conditions.people import (
    read_bucket,
    read_consent,
    read_identifier,
    read_lifecycle,
    read_segment,
)
from app.cdp.services.conditions.ranks import read_rank
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.conditions.sequences import Sequence
from app.cdp.services.conditions.traits import read_trait

DEEPEST = 12
MOST_LEAVES = 200
MOST_STEPS = 5
_COUNTS = {"at_least": "greater_or_equal", "at_most": "less_or_equal", "exactly": "equals"}


def parse(raw: Any, path: str = "conditions") -> Node:
    """The tree of a condition, or ValidationFailed naming the node that is wrong by its path."""
    reader = Reader(raw, path)
    tree = _read(reader, 1)
    if sum(1 for _ in tree.leaves()) > MOST_LEAVES:
        reader.refuse(f"must have at most {MOST_LEAVES} conditions in all")
    return tree


def _read(reader: Reader, depth: int) -> Node:
    if depth > DEEPEST:
        reader.refuse(f"must not be nested more than {DEEPEST} deep")
    if "conditions" in reader.raw:
        return _read_group(reader, depth)
    node = _read_leaf(reader)
    reader.finish()
    return node


def _read_group(reader: Reader, depth: int) -> Group:
    operator = reader.get("operator", "and")
    operator = operator.lower() if isinstance(operator, str) else operator
    if operator not in ("and", "or", "not"):
        reader.refuse("must be and, or, not", "operator")
    if reader.get("type", "group") != "group":
        reader.refuse("must be group where conditions are given", "type")
    children = reader.children("conditions", most=MOST_LEAVES)
    reader.finish()
    return Group(operator, tuple(_read(child, depth + 1) for child in children))


def _read_leaf(reader: Reader) -> Node:
    if "attribute" in reader.raw and "type" not in reader.raw:
        reader.raw = {"type": "trait", "trait": reader.raw["attribute"]} | {
            name: value for name, value in reader.raw.items() if name != "attribute"
        }
    kind = reader.choice("type", LEAVES)
    return LEAVES[kind](reader)


def _read_event(reader: Reader) -> EventIs:
    is_negated = reader.choice("operator", ("occurred", "not_occurred"), "occurred") == "not_occurred"
    count = _read_count(reader) if reader.has("count") else None
    aggregate = _read_aggregate(reader.child("aggregate")) if reader.has("aggregate") else None
    return EventIs(read_happening(reader), windows.read(reader), count, aggregate, is_negated)


def _read_count(reader: Reader) -> NumberIs | None:
    inner = reader.child("count")
    named = [name for name in _COUNTS if inner.has(name)]
    if len(named) != 1:
        inner.refuse("must have one of at_least, at_most, exactly")
    number = inner.whole(named[0], 0, 1_000_000)
    inner.finish()
    if named[0] == "at_least" and number <= 1:
        if number == 0:
            inner.refuse("must be 1 or more: at least 0 times is everyone", "at_least")
        return None  # what it means without a count
    return NumberIs(_COUNTS[named[0]], float(number))


def _read_aggregate(inner: Reader) -> Aggregate:
    function, name = inner.choice("function", FUNCTIONS), inner.text("property")
    test = operators.read_number(inner, inner.choice("operator", operators.NUMBERS), PLAY)
    inner.finish()
    return Aggregate(function, name, test)


def _read_edge(edge: str) -> Callable[[Reader], EventEdge]:
    return lambda reader: EventEdge(edge, read_happening(reader), windows.read(reader))


def _read_stopped(reader: Reader) -> Stopped:
    longest = windows.LONGEST
    active, quiet = reader.whole("active_days", 1, longest), reader.whole("quiet_days", 1, longest)
    return Stopped(read_happening(reader), active, quiet)


def _read_regularly(reader: Reader) -> Regularly:
    periods, period_days = reader.whole("periods", 2, 120), reader.whole("period_days", 1, 366)
    if periods * period_days > windows.LONGEST:
        reader.refuse(f"periods and period_days must cover at most {windows.LONGEST} days", "periods")
    return Regularly(read_happening(reader), reader.whole("at_least", 1, periods), periods, period_days)


def _read_sequence(reader: Reader) -> Sequence:
    steps = [_finished(one) for one in reader.children("steps", least=2, most=MOST_STEPS)]
    without = [_finished(one) for one in reader.children("without", least=1, most=5)] if reader.has("without") else []
    within = reader.whole("within_days", 0, windows.LONGEST) if reader.has("within_days") else None
    return Sequence(tuple(steps), within, tuple(without), windows.read(reader))


def _finished(reader: Reader) -> Any:
    what = read_happening(reader)
    reader.finish()
    return what


LEAVES: dict[str, Callable[[Reader], Node]] = {
    "trait": read_trait,
    "computed_trait": read_computed,
    "event": _read_event,
    "event_first": _read_edge("first"),
    "event_last": _read_edge("last"),
    "stopped": _read_stopped,
    "regularly": _read_regularly,
    "sequence": _read_sequence,
    "segment": read_segment,
    "lifecycle": read_lifecycle,
    "consent": read_consent,
    "identifier": read_identifier,
    "rank": read_rank,
    "random": read_bucket,
}
