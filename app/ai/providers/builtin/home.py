"""Households that people of an age can have: partners, children and who has left home."""

from __future__ import annotations

from dataclasses import dataclass

from app.ai.providers.builtin.audience import Part
from app.ai.providers.builtin.dice import Dice

# Youngest and oldest a first child may be, and how often there is a second one.
WITH_CHILDREN = {
    "first_baby": (1, 2, 0.0),
    "two_small": (3, 7, 1.0),
    "young_family": (1, 6, 0.6),
    "family": (6, 17, 0.6),
    "solo_parent": (3, 15, 0.5),
}


@dataclass(frozen=True)
class Home:
    """Who lives with the person; `children` are the ages of those under its roof, or of grown ones."""

    kind: str
    partner: bool
    children: tuple[int, ...]
    text: str


def home_for(part: Part, age: int, dice: Dice, business: bool) -> Home:
    """A household that a person of this age can have; business buyers are drawn without one."""
    if business:
        return Home("none", False, (), "")
    kind = part.seed.home
    if kind in ("any", "no_kids"):
        kind = _usual_home(age, dice, kind == "no_kids")
    if kind in WITH_CHILDREN and not 20 <= age <= 62:
        kind = "single" if age < 20 else "empty_nest"
    if kind in ("empty_nest", "grown") and age < 46:
        kind = "couple" if age >= 24 else "shared"
    return _household(kind, age, dice)


def _usual_home(age: int, dice: Dice, childless: bool = False) -> str:
    if childless:
        return dice.pick(("single", "couple", "shared") if age < 35 else ("single", "couple"), "home")
    stages = ((24, ("parents", "shared", "shared", "single")), (32, ("single", "couple", "shared", "couple")),
              (48, ("family", "couple", "single", "family")), (60, ("family", "couple", "empty_nest", "single")))  # fmt: skip
    options = next((kinds for end, kinds in stages if age < end), ("empty_nest", "empty_nest", "couple", "single"))
    return dice.pick(options, "home")


def _household(kind: str, age: int, dice: Dice) -> Home:
    if kind in WITH_CHILDREN:
        ages = _children(kind, age, dice)
        who = "Brings up" if kind == "solo_parent" else "Lives with a partner and"
        return Home(kind, kind != "solo_parent", ages, f"{who} {_children_text(ages)}{_alone(kind)}")
    if kind in ("empty_nest", "grown"):
        partner = dice.roll("partner") < 0.7
        return Home(kind, partner, (), "Lives with a partner; the children have left home" if partner
                    else "Lives alone; the children have left home")  # fmt: skip
    texts = {"couple": "Lives with a partner, no children at home", "single": "Lives alone",
             "shared": "Shares a flat with friends", "parents": "Lives with parents"}  # fmt: skip
    return Home(kind, kind == "couple", (), texts.get(kind, "Lives alone"))


def _alone(kind: str) -> str:
    return " alone" if kind == "solo_parent" else ""


def _children(kind: str, age: int, dice: Dice) -> tuple[int, ...]:
    """Ages of children born when the parent was between 22 and 42, none grown up."""
    lowest, highest, several = WITH_CHILDREN[kind]
    youngest_possible = max(0, age - 42)
    top = min(max(0, min(age - 22, 17)), highest)
    low = min(max(youngest_possible, lowest), top)
    first = low + int(dice.roll("first child") * (top - low + 1))
    second = first - 2 - int(dice.roll("gap") * 3)
    if several == 1.0:
        second = max(second, youngest_possible)
    more = dice.roll("children") < several and youngest_possible <= second < first
    return (first, second) if more else (first,)


def _children_text(ages: tuple[int, ...]) -> str:
    told = [str(a) if a else "under 1" for a in ages]
    if len(ages) == 1:
        return "a baby under 1" if not ages[0] else f"a child of {told[0]}"
    return f"two children, aged {told[0]} and {told[1]}"
