"""What a tenant wants counted from events under a name of its own, and one person's values."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby, islice
from typing import Any

from sqlalchemy import select

from app.accounts.services import audit
from app.cdp.models import ComputedTrait, EventName, ProfileEvent
from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed

MAX_TRAITS = 100
MOST_EVENTS = 50_000  # of one person that are looked at
_Events = dict[str, list[tuple[datetime, dict[str, Any]]]]


class Function(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    MOST_FREQUENT = "most_frequent"
    UNIQUE_COUNT = "unique_count"
    DAYS_SINCE = "days_since"


WITHOUT_PROPERTY = (Function.COUNT, Function.DAYS_SINCE)


@dataclass(frozen=True)
class Definition:
    """A computed trait: a function over an event, or over a property of it. `id` is None for a built-in one."""

    name: str
    function: str
    event: str
    property: str = ""
    id: int | None = None


BUILT_IN = (Definition("total_purchases", Function.SUM, "purchase", "amount"),)


def list_definitions() -> list[Definition]:
    """The built-in ones, then the tenant's, by name."""
    rows = db.session.scalars(select(ComputedTrait).order_by(ComputedTrait.name))
    return [*BUILT_IN, *(Definition(row.name, row.function, row.event, row.property, row.id) for row in rows)]


def find_definition(name: str) -> Definition | None:
    return next((one for one in list_definitions() if one.name == name), None)


def create(name: str, function: str, event: str, prop: str) -> ComputedTrait:
    """Define one. Refused for a name that is taken, a function that needs a property, more than 100."""
    if function in WITHOUT_PROPERTY and prop:
        raise ValidationFailed(f"property: {function} counts events, not a property.", field="property")
    if function not in WITHOUT_PROPERTY and not prop:
        raise ValidationFailed(f"property: {function} needs one.", field="property")
    known = list_definitions()
    if any(one.name == name for one in known):
        raise Conflict("There is a computed trait of this name already.", field="name")
    if len(known) >= MAX_TRAITS + len(BUILT_IN):
        raise Conflict(f"A workspace has at most {MAX_TRAITS} computed traits.")
    row = ComputedTrait(name=name, function=function, event=event, property=prop)
    db.session.add(row)
    db.session.flush()
    after = {"name": name, "function": function, "event": event, "property": prop}
    audit.record("computed_trait.created", row, after=after)
    return row


def delete(trait_id: int) -> None:
    """Forget a definition; the events stay."""
    row = get_required(ComputedTrait, trait_id, label="Computed trait")
    audit.record("computed_trait.deleted", row, before={"name": row.name, "function": row.function})
    db.session.delete(row)
    db.session.flush()


def values_of(profile_id: int) -> dict[str, Any]:
    """The person's value of each computed trait; those without anything to count are left out."""
    return values_of_people([profile_id]).get(profile_id, {})


def values_of_people(profile_ids: Sequence[int], names: Container[str] | None = None) -> dict[int, dict[str, Any]]:
    """The same of several people, of these traits only when they are named; who has no value at all is left out.

    Three statements, however many they are. Reads every event of the traits' names of these people.
    """
    definitions = [one for one in list_definitions() if names is None or one.name in names]
    found = {}
    for profile_id, events in _events_of(profile_ids, {one.event for one in definitions}):
        values = {one.name: _value(one, events.get(one.event, [])) for one in definitions}
        found[profile_id] = {name: value for name, value in values.items() if value is not None}
    return found


def _events_of(profile_ids: Sequence[int], names: Iterable[str]) -> Iterator[tuple[int, _Events]]:
    """Person by person, each one's events by name, in order of time."""
    known = {row.id: row.name for row in db.session.scalars(select(EventName).where(EventName.name.in_(names)))}
    if not known:
        return
    statement = (
        select(ProfileEvent.profile_id, ProfileEvent.name_id, ProfileEvent.at, ProfileEvent.properties)
        .where(ProfileEvent.profile_id.in_(ids_in(profile_ids)), (ProfileEvent.name_id + 0).in_(known))
        .order_by(ProfileEvent.profile_id, ProfileEvent.at, ProfileEvent.id)
    )
    for profile_id, rows in groupby(db.session.execute(statement), key=lambda row: row.profile_id):
        by_name: _Events = {}
        for row in islice(rows, MOST_EVENTS):
            by_name.setdefault(known[row.name_id], []).append((row.at, row.properties))
        yield profile_id, by_name


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(definition: Definition, events: list[tuple[datetime, dict[str, Any]]]) -> Any:
    if not events:
        return None
    if definition.function == Function.COUNT:
        return len(events)
    if definition.function == Function.DAYS_SINCE:
        return (utc_now() - events[-1][0]) // timedelta(days=1)
    values = [given for _, properties in events if (given := properties.get(definition.property)) is not None]
    if definition.function in _OF_NUMBERS:
        numbers = [value for value in values if is_number(value)]
        return _OF_NUMBERS[definition.function](numbers) if numbers else None
    plain = [value for value in values if isinstance(value, str | int | float)]
    return _OF_ANYTHING[definition.function](plain) if plain else None


def _most_frequent(values: list[Any]) -> Any:
    """The value that came most often; of several, the one that came last."""
    counts = Counter(values)
    most = max(counts.values())
    return next(value for value in reversed(values) if counts[value] == most)


_OF_NUMBERS: dict[str, Callable[[list[float]], float]] = {
    Function.SUM: sum,
    Function.AVG: statistics.fmean,
    Function.MIN: min,
    Function.MAX: max,
}
_OF_ANYTHING: dict[str, Callable[[list[Any]], Any]] = {
    Function.FIRST: lambda values: values[0],
    Function.LAST: lambda values: values[-1],
    Function.MOST_FREQUENT: _most_frequent,
    Function.UNIQUE_COUNT: lambda values: len(set(values)),
}
