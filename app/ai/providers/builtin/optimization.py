"""Optimization: marketing changes in order of likely worth, each with a direction to expect and a way to measure it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.ai.providers.base import Citation
from app.ai.providers.builtin.cite import Sources
from app.ai.providers.builtin.dice import Dice
from app.ai.providers.builtin.given import Group, Handed, handed
from app.ai.providers.builtin.prose import bullets, full_stop, lower_first, section


@dataclass(frozen=True)
class Change:
    """One thing to do, for whom, what should move, and how to see it."""

    title: str
    what: str
    expect: str
    measure: str


def optimization(facts: Mapping[str, Any]) -> tuple[str, tuple[Citation, ...]]:
    given = handed(facts)
    cited = Sources()
    changes = _changes(given)
    parts = [
        f"# What to change, in order: {given.plan.brief.brand or given.plan.market.offer}",
        "Ranked by the size of the segment each helps and by how early in the purchase it acts. Directions are expectations "
        "to test, not promises; change one thing at a time.",
        *(_written(number, change) for number, change in enumerate(changes, 1)),
        section("Message by segment", _messages(given)),
        section("What to stop", bullets(_stops(given))),
        section("Grounds", bullets(f"{cited.stated(key)}. {meaning}" for key, meaning in
                                   given.plan.market.facts[: None if given.deep else 3])),
    ]  # fmt: skip
    if given.deep:
        parts.append(section("Ninety days", _calendar(changes)))
    return "\n\n".join(part for part in parts if part), cited.citations()


def _changes(given: Handed) -> list[Change]:
    """One change per segment, largest first, with the market's own moves between them."""
    groups = sorted(given.groups, key=lambda g: -(g.size or 0))
    moves = list(given.plan.market.moves)
    changes = []
    for position, group in enumerate(groups):
        changes.append(_for_group(given, group))
        if position < len(moves):
            changes.append(_for_all(given, moves[position], position))
    return changes[: 8 if given.deep else 6]


def _for_group(given: Handed, group: Group) -> Change:
    fill, seed = given.plan.fill, group.part.seed
    person = f" Try it first on someone like {group.members[0].name}." if group.members else ""
    measure = Dice("measure", seed.key).pick((
        "the share of this segment that comes back within sixty days, against the two months before",
        "first purchases per hundred visits from the channel this segment uses, two weeks with and two without",
        "ten short calls: how many repeat the message in their own words",
        "the answers to one question at checkout: what made you choose us today?",
    ), "measure")  # fmt: skip
    size = f", {group.size}% of the audience" if group.size is not None else ""
    return Change(f"For {lower_first(group.name)}{size}", f"{full_stop(fill(seed.approach))}{person}",
                  f"more first purchases from people held back by “{fill(seed.pains[0])}”", measure)  # fmt: skip


def _for_all(given: Handed, move: str, position: int) -> Change:
    sides = (("more of those who look go on to try", "the share of visitors who start to buy, half of them seeing the change"),
             ("fewer first buyers lost before the second purchase", "second purchases within ninety days, by month of joining"),
             ("more buyers sent by other buyers", "the share of new buyers who name a person as the reason"))  # fmt: skip
    expect, measure = sides[position % len(sides)]
    return Change("For everyone", given.plan.fill(move), expect, measure)


def _written(number: int, change: Change) -> str:
    return (f"## {number}. {change.title}\n\n{full_stop(change.what)}\n\n- **Expect:** {change.expect}.\n"
            f"- **Measure:** {change.measure}.")  # fmt: skip


def _messages(given: Handed) -> str:
    fill = given.plan.fill
    return bullets(f"**{group.name}**: open with “{fill(group.part.seed.pains[0])}”, close with “{fill(group.part.seed.goals[0])}”."
                   for group in given.groups)  # fmt: skip


def _stops(given: Handed) -> list[str]:
    market = given.plan.market
    return [f"Stop answering questions nobody asks; the one they do ask is “{market.objections[0]}”",
            "Stop reporting reach. Report how many of each segment bought twice.",
            f"Stop treating price as one thing. {full_stop(market.price)}"]  # fmt: skip


def _calendar(changes: list[Change]) -> str:
    spans = ("Weeks 1 to 3", "Weeks 4 to 6", "Weeks 7 to 9", "Weeks 10 to 13")
    return bullets(f"**{span}:** {lower_first(change.title)}; read the measure before going on."
                   for span, change in zip(spans, changes, strict=False))  # fmt: skip
