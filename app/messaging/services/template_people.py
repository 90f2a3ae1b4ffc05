"""A text held against the people it would go to: how it reads for one of them, who lacks a value, how long it gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text as sql

from app.cdp.queries import segment_words
from app.cdp.queries.segment_pages import load_people
from app.cdp.services import computed_traits, evaluation, identity
from app.cdp.services.conditions import parse
from app.cdp.services.engine.idset import IdSet
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import ValidationFailed
from app.core.tenancy import current_tenant_id
from app.messaging.services import text_parts
from app.messaging.services.links import LinkSet
from app.messaging.services.plain_values import BUILT_IN, PersonValues, values_of
from app.messaging.services.rendering import Compiled
from app.messaging.services.text_parts import Parts

SAMPLE = 200
SAMPLE_OF_COMPUTED = 40  # each of them costs a read of their events
_NAME_OF_ANY_KIND = ("name", "first_name", "firstName")


@dataclass(frozen=True)
class Shown:
    """The text as one person reads it; what is missing stands in brackets, and then it is not sent to them.

    `characters` and `parts` are of what is sent: with tracked links in place of the addresses, where they are tracked.
    """

    text: str
    missing: list[str]
    parts: Parts
    characters: int


@dataclass(frozen=True)
class Variable:
    """A variable of a text. `kind` is built-in, trait, computed or unknown; `lacking` None: it cannot be counted."""

    name: str
    fallback: str | None
    kind: str
    lacking: int | None


@dataclass(frozen=True)
class Spread:
    """How the text comes out for a sample of people: how many are left out, and how many parts the others need."""

    people: int
    missing: int
    parts: Mapping[int, int]

    @property
    def average(self) -> float:
        """Parts a message, over those of the sample who get one; 0 when nobody does."""
        sent = sum(self.parts.values())
        return sum(parts * n for parts, n in self.parts.items()) / sent if sent else 0.0


def reachable(channel: str, segment_id: int | None = None) -> IdSet:
    """Everyone with a number who agreed to the channel, or those of them in a segment."""
    conditions: list[dict[str, Any]] = [
        {"type": "consent", "channel": channel, "state": "granted"},
        {"type": "trait", "trait": "phone", "operator": "is_set"},
    ]
    if segment_id is not None:
        conditions.append({"type": "segment", "segment_id": segment_id, "operator": "in"})
    return _who({"operator": "and", "conditions": conditions})


def show(text: Compiled, values: PersonValues, links: LinkSet | None = None) -> Shown:
    """The text for one person, counted with these links tracked."""
    missing = text.missing(values)
    filled = {name: f"[{name}]" for name in missing}
    whole = text.render(_Filled(values, filled)) if missing else text.render(values)
    sent = links.rewrite(whole, 0) if links else whole  # links of any message are of one length
    return Shown(whole, missing, text_parts.count(sent), len(sent))


def describe(text: Compiled, among: IdSet) -> list[Variable]:
    """The variables of a text in order, with how many of these people have no value for each."""
    computed = computed_names()
    known = {word.name for word in segment_words.list_traits()}
    return [_variable(one, among, known, computed) for one in text.variables]


def spread(text: Compiled, among: IdSet, tenant_name: str, links: LinkSet | None = None) -> Spread:
    """The text rendered for up to 200 of these people (40 where figures over events stand in it), evenly drawn, and
    counted with these links tracked."""
    names = text.names
    is_dear = not computed_names().isdisjoint(names)
    chosen = drawn(among, SAMPLE_OF_COMPUTED if is_dear else SAMPLE)
    parts: Counter[int] = Counter()
    computed = computed_values(chosen, names)
    people = load_people(chosen)
    for row in people:
        found = show(text, values_of(row, tenant_name, computed.get(row.id)), links)
        if not found.missing:
            parts[found.parts.parts] += 1
    return Spread(len(people), len(people) - sum(parts.values()), dict(sorted(parts.items())))


def computed_values(profile_ids: Iterable[int], names: Iterable[str]) -> dict[int, dict[str, Any]]:
    """Computed traits of these people, by profile; nothing is read unless one of the names is computed."""
    wanted = set(names) & computed_names()
    return computed_traits.values_of_people(list(profile_ids), wanted) if wanted else {}


def computed_names() -> set[str]:
    """The names of the workspace's computed traits."""
    return {one.name for one in computed_traits.list_definitions()}


def values_for(profile: Any, text: Compiled, tenant_name: str) -> PersonValues:
    """What the text can say about this person, figures over their events included."""
    return values_of(profile, tenant_name, computed_values([profile.id], text.names).get(profile.id))


def drawn(among: IdSet, most: int) -> list[int]:
    """Up to so many of them, evenly spaced: the same each time."""
    size = len(among)
    if size <= most:
        return among.page(0, most)
    ids = among.to_array()
    return [int(ids[place * size // most]) for place in range(most)]


class _Filled(dict[str, Any]):
    """The person's values, with words for those that are missing."""

    def __init__(self, values: PersonValues, filled: Mapping[str, str]) -> None:
        super().__init__(filled)
        self._values = values

    def get(self, key: str, default: Any = None) -> Any:
        return dict.get(self, key) or self._values.get(key, default)


def _variable(one: Mapping[str, str | None], among: IdSet, known: set[str], computed: set[str]) -> Variable:
    name = str(one["name"])
    if name == "company":
        return Variable(name, one["fallback"], "built-in", 0)
    having = _having(name, computed)
    lacking = None if having is None else len(among - having)
    if name in BUILT_IN:
        kind = "built-in"
    elif name in computed:
        kind = "computed"
    else:
        is_known = name in known or "." in name or bool(having)
        kind = "trait" if is_known else "unknown"
    return Variable(name, one["fallback"], kind, lacking)


def _having(name: str, computed: set[str]) -> IdSet | None:
    """Who has a value; None where the index cannot tell: a value inside another."""
    if name in BUILT_IN or name == "name":
        fields = {"name": ("name",), "first_name": _NAME_OF_ANY_KIND}.get(name, (name,))
        return IdSet.union_of([_with_trait(field) for field in fields])
    if "." in name:
        own = name.removeprefix("traits.")
        return None if "." in own else _with_trait(own)
    if name in computed:
        return _who({"type": "computed_trait", "trait": name, "operator": "is_set"}) | _with_trait(name)
    return _with_trait(name)


def _with_trait(name: str) -> IdSet:
    return _who({"type": "trait", "trait": name, "operator": "is_set"})


def _who(condition: dict[str, Any]) -> IdSet:
    try:
        tree = parse(condition)
    except ValidationFailed:  # a name no trait can have
        return IdSet()
    return evaluation.evaluate(tree)


def tenant_name() -> str:
    """The acting workspace's name."""
    return db.session.scalar(sql("SELECT name FROM tenants WHERE id = :id"), {"id": current_tenant_id()}) or ""


def find_by_phone(phone: str) -> Any | None:
    """The person with this number, E.164, be it the one lists show of them or another of theirs."""
    known = identity.find_known([("phone", phone)], utc_now()).get(("phone", phone))
    return next(iter(load_people([known.profile_id])), None) if known else None
