"""Facts that happened: written beside the change that made them, delivered after the commit, at least once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from sqlalchemy import BigInteger, Integer, String, delete, inspect, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core import tenancy
from app.core.clock import utc_now
from app.core.db import Base, Json, after_commit, db, unit_of_work
from app.core.logs import get_logger
from app.core.sse import publish

log = get_logger()
RETRY_AFTER = timedelta(seconds=15)
MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class Event:
    """Base of every fact. Fields are plain values; `tenant_id` is whose fact it is."""

    registry: ClassVar[dict[str, type[Event]]] = {}
    outside_types: ClassVar[dict[str, str]] = {}  # what `outside` may call it, and what that says to people
    tenant_id: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Event.registry[cls.__name__] = cls

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What open pages hear of it: (channel, event name, data)."""
        return []

    def outside(self) -> tuple[str, dict[str, Any]] | None:
        """What the customer's own systems hear of it: one of `outside_types` and its data; None: nothing.

        People stand in the data by id, under `profile_id` or `profile_ids`: so they are found when they are erased.
        """
        return None


@dataclass(frozen=True)
class Emitted:
    """An event with what stays the same however often it is delivered: the id of its outbox row and its moment."""

    id: int
    at: datetime
    event: Event


class OutboxRow(Base):
    """An emitted event until it has been delivered."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=lambda: utc_now() + RETRY_AFTER, index=True)


EventT = TypeVar("EventT", bound=Event)
_subscribers: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
_listeners: list[Callable[[Emitted], None]] = []


def subscribe(event_type: type[EventT]) -> Callable[[Callable[[EventT], None]], Callable[[EventT], None]]:
    """Call the function for each event of this type, after its commit, as its tenant, possibly more than once."""

    def register(function: Callable[[EventT], None]) -> Callable[[EventT], None]:
        if function not in _subscribers[event_type.__name__]:
            _subscribers[event_type.__name__].append(function)
        return function

    return register


def subscribe_to_all(function: Callable[[Emitted], None]) -> Callable[[Emitted], None]:
    """Call the function for each event of every type, as `subscribe` would; its id tells a repeat."""
    if function not in _listeners:
        _listeners.append(function)
    return function


def emit(event: Event) -> None:
    """Record the event in the current unit of work; it is delivered after the commit or never."""
    emit_all([event])


def emit_all(events: Sequence[Event]) -> None:
    """Record several; they are delivered in their order and forgotten together."""
    now = utc_now()
    rows = [OutboxRow(tenant_id=e.tenant_id, name=type(e).__name__, payload=asdict(e), created_at=now) for e in events]
    db.session.add_all(rows)
    states = [inspect(row) for row in rows]  # they know their ids even when rows are expired or detached by then

    def deliver() -> None:
        known = [(state.identity[0], event) for state, event in zip(states, events, strict=True) if state.identity]
        _forget([row_id for row_id, event in known if _deliver(Emitted(row_id, now, event))])

    after_commit(deliver)


def relay_outbox(limit: int = 500) -> None:
    """Deliver what a crash left behind. Cost: undelivered rows only."""
    with unit_of_work():
        rows = db.session.scalars(
            select(OutboxRow).where(OutboxRow.due_at <= utc_now()).order_by(OutboxRow.id).limit(limit)
        ).all()
        for row in rows:
            row.attempts += 1
            row.due_at = utc_now() + RETRY_AFTER * min(row.attempts, 40)
        pending = [(row.id, row.name, dict(row.payload), row.attempts, row.created_at) for row in rows]
    for row_id, name, payload, attempts, at in pending:
        event_type = Event.registry.get(name)
        if event_type is None or attempts > MAX_ATTEMPTS:
            log.error("event_given_up", event_name=name, outbox_id=row_id)
            _forget([row_id])
            continue
        try:
            event = event_type(**payload)
        except TypeError as error:  # written by another release; it is given up in time
            log.error("event_unreadable", event_name=name, outbox_id=row_id, exc_info=error)
            continue
        if _deliver(Emitted(row_id, at, event)):
            _forget([row_id])


def _deliver(emitted: Emitted) -> bool:
    """Whether everyone who listens has heard it."""
    event = emitted.event
    try:
        with _scope(event.tenant_id):
            for channel, name, data in event.live():
                publish(channel, name, data, tenant_id=event.tenant_id)
            for function in _subscribers[type(event).__name__]:
                function(event)
            for listener in _listeners:
                listener(emitted)
    except Exception as error:
        log.error("event_delivery_failed", event_name=type(event).__name__, outbox_id=emitted.id, exc_info=error)
        db.session.rollback()
        return False
    return True


def _forget(row_ids: list[int]) -> None:
    if row_ids:
        with unit_of_work():
            db.session.execute(delete(OutboxRow).where(OutboxRow.id.in_(row_ids)))


def _scope(tenant_id: int) -> AbstractContextManager[None]:
    return tenancy.tenant_scope(tenant_id)
