"""What happened to messages and when, counted as it happens: a few rows in five minutes, however many messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
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


def count(changes: Iterable[Change]) -> None:
    """Count the changes in the current unit of work: one statement, rows in a fixed order."""
    found: dict[tuple[int, str, str], list[float]] = defaultdict(lambda: [0, 0.0])
    for one in changes:
        for sign, (outcome, reason) in _steps(one):
            added = found[one.campaign_id or 0, outcome, reason]
            added[0] += sign * one.n
            added[1] += one.seconds if outcome == DeliveryOutcome.DELIVERED else 0.0
    tenant_id, at = current_tenant_id(), bucket_of(utc_now())
    rows = [
        dict(zip(KEYS, (tenant_id, campaign_id, at, outcome, reason), strict=True)) | {"n": int(n), "seconds": seconds}
        for (campaign_id, outcome, reason), (n, seconds) in sorted(found.items())
        if n or seconds
    ]
    if not rows:
        return
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(_counts)
    added_up = {name: _counts.c[name] + statement.excluded[name] for name in ("n", "seconds")}
    db.session.execute(statement.on_conflict_do_update(index_elements=list(KEYS), set_=added_up), rows)


def bucket_of(moment: datetime) -> datetime:
    """The beginning of the five minutes a moment is in."""
    return moment.replace(minute=moment.minute - moment.minute % MINUTES, second=0, microsecond=0)


def _steps(one: Change) -> list[tuple[int, tuple[str, str]]]:
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
