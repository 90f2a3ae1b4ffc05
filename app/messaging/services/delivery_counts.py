"""What happened to messages and when, counted as it happens: a few rows in five minutes, however many messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.dialects import postgresql, sqlite

from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import ACCEPTED, LOST, REACHED, DeliveryCount, DeliveryOutcome

_counts: Any = DeliveryCount.__table__
MINUTES = 5  # every time zone is a whole number of these from UTC, so days of any zone add up
KEYS = ("tenant_id", "campaign_id", "at", "outcome", "reason")
PARTS = tuple(f"m{minute}" for minute in range(MINUTES))


class Change(Protocol):
    """`n` messages went from one state and reason to another; `seconds` those that arrived took, all together."""

    @property
    def campaign_id(self) -> int | None: ...
    @property
    def from_state(self) -> str | None: ...
    @property
    def from_reason(self) -> str: ...
    @property
    def to_state(self) -> str: ...
    @property
    def to_reason(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def address(self) -> str: ...
    @property
    def sent_at(self) -> datetime | None: ...


def count(changes: Iterable[Change]) -> None:
    """Count the changes in the current unit of work: one statement, rows in a fixed order."""
    found: dict[tuple[int, datetime, str, str], _Added] = defaultdict(_Added)
    now = utc_now()
    for one in changes:
        for sign, (outcome, reason) in steps(one):
            at = moment_of(one, outcome, now)
            added = found[one.campaign_id or 0, bucket_of(at), outcome, reason]
            added.n += sign * one.n
            added.parts[at.minute % MINUTES] += one.n if sign > 0 else 0
            added.seconds += one.seconds if outcome == DeliveryOutcome.DELIVERED else 0.0
    rows = [
        dict(zip(KEYS, (current_tenant_id(), *key), strict=True)) | added.values
        for key, added in sorted(found.items(), key=lambda item: item[0])
        if added.n or any(added.parts) or added.seconds
    ]
    add_up(_counts, KEYS, ("n", "seconds", *PARTS), rows)


def moment_of(one: Change, outcome: str, now: datetime) -> datetime:
    """When an outcome of the change counts: that of being sent when it was, so that it is taken back where it was
    added; any other now, when it is known."""
    return one.sent_at or now if outcome == DeliveryOutcome.SENT else now


@dataclass
class _Added:
    """What a batch adds to a row; the parts without what it takes back."""

    n: int = 0
    seconds: float = 0.0
    parts: list[int] = field(default_factory=lambda: [0] * MINUTES)

    @property
    def values(self) -> dict[str, float]:
        return {"n": self.n, "seconds": self.seconds} | dict(zip(PARTS, self.parts, strict=True))


def add_up(counts: Any, keys: Sequence[str], names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Add the figures of these rows, in their order, to those that are there: one statement."""
    if not rows:
        return
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(counts)
    added = {name: counts.c[name] + statement.excluded[name] for name in names}
    db.session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=added), rows)


def bucket_of(moment: datetime) -> datetime:
    """The beginning of the five minutes a moment is in."""
    return moment.replace(minute=moment.minute - moment.minute % MINUTES, second=0, microsecond=0)


def steps(one: Change) -> list[tuple[int, tuple[str, str]]]:
    """What the change adds and what it takes back."""
    came = _counted(one.to_state, one.to_reason)
    went = _counted(one.from_state, one.from_reason) if one.from_state is not None else set()
    return [*((1, step) for step in sorted(came - went)), *((-1, step) for step in sorted(went - came))]


def _counted(state: str, reason: str) -> set[tuple[str, str]]:
    found = {(str(DeliveryOutcome.SENT), "")} if state in ACCEPTED else set()
    if state in REACHED:
        found.add((str(DeliveryOutcome.DELIVERED), ""))
    if state in LOST:
        found.add((str(DeliveryOutcome(state)), reason))
    return found
