"""Segments as the messaging contract speaks of them: the segments of customer data, known by their UUID.

`filter_criteria` is the condition as it was saved. The contract's smaller grammar (attribute, operator, value) gives
the same tree, so a segment made here can be opened in the builder, and one made there can be messaged.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.cdp.queries import contacts as people
from app.cdp.services import evaluation
from app.cdp.services import segments as segment_service
from app.cdp.services.conditions import parse
from app.cdp.services.conditions.people import IdentifierIs
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.segment_rules import tree_of
from app.core.errors import ValidationFailed
from app.messaging.services.contact_words import refused

if TYPE_CHECKING:
    from app.cdp.models import Segment

FIELD = "filter_criteria"
SHAPE = '{"attribute", "operator", "value"}, or {"operator": AND, OR or NOT, "conditions"}'
SAMPLE = 10
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Evaluation:
    """How many of a segment have a number, some of the numbers, and how long the engine took."""

    count: int
    sample: list[str]
    took_ms: int


def list_segments() -> list[Segment]:
    """All of them, by name; a workspace has at most 500."""
    return segment_service.list_all()


def create(name: str, description: str, criteria: Any, *, user_id: int | None) -> Segment:
    """A live segment; a condition that is wrong is refused naming its node, what stands there and what should."""
    try:
        parse(criteria, FIELD)
        return segment_service.create(name, description, criteria, user_id=user_id)
    except ValidationFailed as error:
        raise _explained(error, criteria) from None


def _explained(error: ValidationFailed, criteria: Any) -> ValidationFailed:
    """The refusal with the contract's name for the field and with what stands at its place."""
    field = re.sub(r"^conditions\b", FIELD, str(error.details.get("field", "")))
    if not field.startswith(FIELD):
        return error
    message = re.sub(r"^conditions\b", FIELD, error.message)
    expected = message.removeprefix(f"{field}:").strip().rstrip(".")
    if expected == "is missing":
        expected = SHAPE if field.endswith(".type") else "a value"
    return refused(field, message, _at(criteria, field.removeprefix(FIELD)), expected)


def _at(value: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def evaluate(segment_uuid: str) -> Evaluation:
    """Whom the segment holds now, of those with a number. NotFound when there is no such segment."""
    row = segment_service.get_by_uuid(segment_uuid)
    started = time.perf_counter()
    found = _members(row)
    took_ms = round((time.perf_counter() - started) * 1000)
    return Evaluation(len(found), [one.phone for one in people.load(_some(found)) if one.phone], took_ms)


def _some(found: IdSet) -> list[int]:
    """A few, spread evenly over all of them; the same while the set stays as it is."""
    ids = found.to_array()
    step = max(1, len(ids) // SAMPLE)
    return [int(one) for one in ids[::step][:SAMPLE]]


def _members(row: Segment) -> IdSet:
    reachable = IdentifierIs("phone")
    if row.kind == "static":
        return segment_service.members_of(row.id) & evaluation.evaluate(reachable)
    return evaluation.evaluate(tree_of(row)) & evaluation.evaluate(reachable)
