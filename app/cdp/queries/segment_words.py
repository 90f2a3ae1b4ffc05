"""What a tenant has to build conditions from: names and values as the newest people and events show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.cdp.models import EventName, Identity, Profile, ProfileEvent
from app.cdp.queries.lists import texts_in
from app.core.db import db

LOOKED_AT = 500  # of the newest people or events: enough to know their names, and always quick
MOST_WORDS = 200
LONGEST = 100


@dataclass(frozen=True)
class Word:
    """A name or value, and what kind of value it holds: text, number, date, list, bool or, when mixed, nothing."""

    name: str
    type: str = ""


OWN_FIELDS = (
    Word("email", "text"), Word("phone", "text"), Word("name", "text"), Word("user_id", "text"),
    Word("first_seen_at", "date"), Word("last_seen_at", "date"), Word("created_at", "date"),
)  # fmt: skip


def list_events() -> list[str]:
    """Event names, the ones seen last first."""
    statement = select(EventName.name).order_by(EventName.last_seen_at.desc(), EventName.name)
    return list(db.session.scalars(statement.limit(MOST_WORDS)))


def list_traits() -> list[Word]:
    """The profile's own fields, then the traits of the people seen last, most frequent first."""
    own = {word.name for word in OWN_FIELDS}
    return [*OWN_FIELDS, *(word for word in _words(_newest_traits()) if word.name not in own)]


def list_trait_values(trait: str) -> list[Word]:
    return _values(one.get(trait) for one in _newest_traits())


def list_properties(event: str) -> list[Word]:
    """Properties of the newest events of that name."""
    return _words(_newest_properties(event))


def list_property_values(event: str, name: str) -> list[Word]:
    return _values(one.get(name) for one in _newest_properties(event))


def list_external_kinds() -> list[str]:
    """The identifiers of other systems, as far as the newest people have some."""
    newest = select(Profile.id).where(Profile.merged_into_id.is_(None)).order_by(Profile.last_seen_at.desc())
    ids = newest.limit(LOOKED_AT).subquery()
    statement = select(Identity.kind).where(Identity.profile_id.in_(select(ids.c.id))).distinct()
    return sorted(kind for kind in db.session.scalars(statement) if kind.startswith("external:"))


def _newest_traits() -> list[dict[str, Any]]:
    statement = select(Profile.traits).where(Profile.merged_into_id.is_(None)).order_by(Profile.last_seen_at.desc())
    return list(db.session.scalars(statement.limit(LOOKED_AT)))


def _newest_properties(event: str) -> list[dict[str, Any]]:
    name_id = db.session.scalar(select(EventName.id).where(EventName.name.in_(texts_in([event]))))
    if name_id is None:
        return []
    statement = select(ProfileEvent.properties).where(ProfileEvent.name_id == name_id)
    return list(db.session.scalars(statement.order_by(ProfileEvent.day.desc()).limit(LOOKED_AT)))


def _words(rows: Iterable[dict[str, Any]]) -> list[Word]:
    counts: Counter[str] = Counter()
    types: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            counts[name] += 1
            types.setdefault(name, set()).add(_type_of(value))
    found = (name for name, _ in counts.most_common(MOST_WORDS))
    return [Word(name, _one_of(types[name])) for name in found]


def _one_of(types: set[str]) -> str:
    return next(iter(types)) if len(types) == 1 else ""


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    if isinstance(value, str):
        return "date" if _is_date(value) else "text"
    return ""


def _is_date(text: str) -> bool:
    return len(text) >= 10 and text[4] == text[7] == "-" and (text[:4] + text[5:7] + text[8:10]).isdigit()


def _values(values: Iterable[Any]) -> list[Word]:
    """What was there, most frequent first; of lists their elements."""
    counts: Counter[str] = Counter()
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int | float) and not isinstance(one, bool) and 0 < len(str(one)) <= LONGEST:
                counts[str(one)] += 1
    return [Word(name) for name, _ in counts.most_common(MOST_WORDS)]
