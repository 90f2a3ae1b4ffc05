"""Writing personas: a drawn person plus what their segment wants, fears and does, each field with its evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.ai.providers.builtin.audience import Part, Plan, firms, part_for, plan
from app.ai.providers.builtin.brief import clean, clip, read_brief
from app.ai.providers.builtin.dice import Dice
from app.ai.providers.builtin.evidence import Evidence, evidence_of, social_channels
from app.ai.providers.builtin.people import Person, draw, name_set
from app.ai.providers.builtin.prose import article, full_stop, lower_first

MOST_AT_ONCE = 12


def personas(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The `count` people asked for of one segment, none bearing a taken name."""
    made = plan(read_brief(facts.get("brief")))
    segment = facts.get("segment")
    given = segment if isinstance(segment, Mapping) else {}
    part = part_for(made, clean(given.get("name")), clean(given.get("description")))
    names = facts.get("taken_names")
    taken = name_set(names if isinstance(names, Sequence) and not isinstance(names, str) else ())
    return {"personas": [persona(made, part, index, taken) for index in range(_count(facts.get("count")))]}


def _count(value: Any) -> int:
    try:
        return min(MOST_AT_ONCE, max(1, int(value)))
    except (TypeError, ValueError):
        return 3


def persona(made: Plan, part: Part, index: int, taken: set[str]) -> dict[str, Any]:
    person = draw(made, part, index, taken)
    data: dict[str, Any] = {
        "name": person.name,
        "age": person.age,
        "gender": "Female" if person.woman else "Male",
        "occupation": occupation_text(person),
        "income": income_text(made, person),
        "education": person.education,
        "location": person.place.label,
        "interests": _interests(made, part, person),
        "goals": _goals(made, part, person),
        "pain_points": _pains(made, part, person),
        "behaviors": _behaviors(made, part, person),
        "values": _suits(person, part, person.dice.order(part.market.values, "values"))[:3],
        "preferred_channels": _channels(made, part, person),
        "purchasing_habits": _habits(made, part, person),
        "quote": quote(part, person, made),
    }
    data["evidence"] = {field: _entry(note) for field, note in evidence_of(made, part, person).items()}
    return data


def _entry(note: Evidence) -> dict[str, str]:
    return {"kind": note.kind, "basis": note.basis, "url": note.url}


def occupation_text(person: Person) -> str:
    label = person.role.label
    if not person.retired:
        return label
    return f"Retired {label if label[:2].isupper() else label[:1].lower() + label[1:]}"


def income_text(made: Plan, person: Person) -> str:
    """A yearly sum that says whose it is, and that it is American where the place is not."""
    pay = made.brief.pay
    whose = "household" if person.household_pay else "own pay"
    if pay and pay.currency and pay.currency != "$":
        return f"{pay.currency}{person.pay:,} a year ({whose})"
    if person.place.country not in ("US", ""):
        return f"about US${person.pay:,} a year ({whose}, at US rates)"
    return f"${person.pay:,} a year ({whose})"


_AT_EVERY_AGE = {
    30: ("Gigs and small venues", "Weekend trips with friends", "Bouldering", "Thrift finds", "Short video", "Gaming nights"),
    45: ("Podcasts on the way to work", "Home cooking", "Running", "Weekend markets", "Box sets", "Board games"),
    60: ("Gardening", "Hiking", "Local history", "Home improvement", "Live music", "Cooking for friends"),
    120: ("Walking groups", "Gardening", "Reading crime novels", "Grandparent days", "Choir", "Local history"),
}  # fmt: skip


def _interests(made: Plan, part: Part, person: Person) -> list[str]:
    """Three that go with the market and one or two of the person's time of life."""
    own = _suits(person, part, person.dice.order(part.market.interests, "interests"))[:3]
    common = next(items for end, items in _AT_EVERY_AGE.items() if person.age < end)
    childless = ("Grandparent days",) if person.home.kind in ("single", "couple") else ()
    spare = [i for i in person.dice.order(common, "pastimes") if i not in childless and not _overlap(i, own)]
    return own + spare[:2]


def _overlap(item: str, others: Sequence[str]) -> bool:
    words = set(re.findall(r"[a-z]{4,}", item.lower()))
    return any(words & set(re.findall(r"[a-z]{4,}", other.lower())) for other in others)


def _goals(made: Plan, part: Part, person: Person) -> list[str]:
    """The brief's core need in its own words, then the segment's goals, then one the market shares."""
    goals = [made.fill(g) for g in rotate(part.seed.goals, person.index)][:2]
    if made.brief.need:
        goals = [goal for goal in goals if not _same(goal, made.brief.need)]
        goals.insert(min(1, len(goals)), _capital(clip(made.brief.need, 90)))
    else:
        goals += [made.fill(need) for need in _suits(person, part, person.dice.order(part.market.needs, "needs"))[:1]]
    return list(dict.fromkeys(goals))


def _same(goal: str, need: str) -> bool:
    """Whether the two say nearly the same words."""
    words, others = (set(re.findall(r"[^\W\d_]{4,}", text.lower())) for text in (goal, need))
    return len(words & others) > len(words) / 2


def _pains(made: Plan, part: Part, person: Person) -> list[str]:
    own = [made.fill(p) for p in rotate(part.seed.pains, person.index)][:2]
    shared = _suits(person, part, person.dice.order(part.market.pains, "pains"))[:1]
    return list(dict.fromkeys([*own, *map(made.fill, shared)]))


def _behaviors(made: Plan, part: Part, person: Person) -> list[str]:
    first = [person.home.text] if person.home.text else []
    if part.seed.firms:
        first = [_workplace(made, part, person)]
    return [*first, *(made.fill(a) for a in rotate(part.seed.acts, person.index))][:4]


def _workplace(made: Plan, part: Part, person: Person) -> str:
    """Where a business buyer works; an owner runs a place of the kind their title names."""
    options = Dice("firm", made.base, part.seed.key).order(firms(made, part), "firms")
    firm, label = options[person.index % len(options)], person.role.label
    staff = re.match(r"an? ([\d,]+-person) ", firm)
    if label.endswith(" owner") and not label.lower().startswith("small-business"):
        kind = lower_first(label.removesuffix(" owner"))
        return f"Runs {article(f'{staff[1]} {kind}' if staff else kind)}"
    heads = person.role.key in ("ceo", "business_owner", "agency_owner", "farmer") or "ounder" in label
    return f"{'Runs' if heads or '-owner' in label else 'Works at'} {firm}"


def _channels(made: Plan, part: Part, person: Person) -> list[str]:
    """Where the market is met, and one network people of this age use, chosen by the published figures."""
    own = person.dice.order(part.market.channels, "channels")[:3]
    social = [label for label, _ in social_channels(part.market.is_business, person.age) if not _overlap(label, own)]
    return list(dict.fromkeys([*own, *social[person.index % 2 :][:1]]))


def _habits(made: Plan, part: Part, person: Person) -> list[str]:
    shared = _suits(person, part, person.dice.order(part.market.habits, "habits"))[:2]
    return [made.fill(part.seed.decides), *map(made.fill, shared)]


def quote(part: Part, person: Person, made: Plan) -> str:
    """A line in the first person; the segment's own first, then the market's."""
    number = int(part.seed.key.split("/")[1])
    spare = rotate([*part.market.voice, *map(full_stop, part.market.objections)], number)
    lines = [*part.seed.quotes, *_suits(person, part, spare)]
    return made.fill(lines[person.index % len(lines)])


_OF_CHILDREN = re.compile(
    r"\b(child|children|kids?|bab(y|ies)|toddlers?|my (son|daughter)|grandparent|homework|he|she|him|her"
    r"|mothers?|fathers?|wife|husband|famil(y|ies)|parents?)\b",
    re.IGNORECASE,
)


def _suits(person: Person, part: Part, lines: Sequence[str]) -> list[str]:
    """The market's lines without those that speak of a family to people who have no children at home."""
    if part.market.is_business or person.home.children:
        return list(lines)
    return [line for line in lines if not _OF_CHILDREN.search(line)]


def rotate(items: Sequence[str], by: int) -> list[str]:
    """The items from another start, so that neighbours in a segment lead with different ones."""
    start = by % len(items) if items else 0
    return [*items[start:], *items[:start]]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
