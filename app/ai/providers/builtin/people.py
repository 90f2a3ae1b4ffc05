"""Drawing people: age, job, pay, schooling, home, place and name that hang together, each repeatable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.ai.providers.builtin import sizing
from app.ai.providers.builtin.audience import Part, Plan, affords, pay_limits, pay_range
from app.ai.providers.builtin.dice import Dice
from app.ai.providers.builtin.home import Home, home_for
from app.ai.providers.builtin.knowledge import Role, rows
from app.ai.providers.builtin.places import Place, national_names, us_places

THIS_YEAR = 2026  # The knowledge base was made in 2026; a clock here would make the same brief age.
RETIRES_AT = 66
ENGLISH_ABROAD = {"UK", "Scotland", "Wales", "Ireland", "Canada", "Australia", "New Zealand"}
_FAMOUS = {"Michael Jackson", "Taylor Swift", "George Washington", "James Brown", "Paul Simon", "Elizabeth Taylor",
           "Michael Jordan", "Will Smith", "George Clinton", "Bill Clinton", "James Dean", "Jennifer Lopez",
           "Kelly Clarkson", "Anna Nicole Smith", "Tom Jones", "David Cameron", "Boris Johnson"}  # fmt: skip


@dataclass(frozen=True)
class Person:
    name: str
    age: int
    woman: bool
    role: Role
    retired: bool
    pay: int
    household_pay: bool
    education: str
    home: Home
    place: Place
    dice: Dice
    index: int


def draw(made: Plan, part: Part, index: int, taken: set[str]) -> Person:
    """The index-th person of a segment; their name is new to `taken`, and is added to it."""
    dice = Dice("person", made.base, part.seed.key, index)
    group = Dice("group", made.base, part.seed.key)
    age, held, retired = _age_and_role(made, part, group, index)
    woman = _is_woman(part, held, dice)
    home = home_for(part, age, dice, made.market.is_business)
    pay, household = _pay(made, held, age, retired, home, dice)
    place = _place(made, part, index)
    name = _name(dice, age, woman, place, taken)
    return Person(
        name, age, woman, held, retired, pay, household, _education(held, age, dice), home, place, dice, index
    )


def _age_and_role(made: Plan, part: Part, group: Dice, index: int) -> tuple[int, Role, bool]:
    """An age spread over the segment's range and a job someone of that age can hold."""
    low, high = part.ages
    age = low + int(group.spread("age", index) * (high - low + 1))
    jobs = group.order(part.roles, "jobs")
    retired = age >= RETIRES_AT and not part.market.is_business
    students = [job for job in jobs if job.worked_share < 1.0]
    if students and age > 24:
        jobs = [job for job in jobs if job not in students] or jobs
    possible = [job for job in jobs if job.youngest <= age] or [min(jobs, key=lambda job: job.youngest)]
    held = possible[index % len(possible)]
    return max(age, min(held.youngest, high)), held, retired


def _is_woman(part: Part, held: Role, dice: Dice) -> bool:
    share = part.seed.women if part.seed.women is not None else held.occupation.women
    return dice.roll("gender") * 100 < (50.0 if share is None else share)


def _pay(made: Plan, held: Role, age: int, retired: bool, home: Home, dice: Dice) -> tuple[int, bool]:
    """Yearly income and whether it is the household's: own pay for workers, household income for the retired."""
    brief = made.brief
    limits = pay_limits(brief)
    if retired:
        mean = sizing.spend("Income before taxes", group=sizing.age_group(age))
        low, high = mean * 0.45, mean * 1.25
        value = low + dice.roll("pay") * (high - low)
        return _rounded(min(max(value, brief.pay.low if brief.pay else 0), brief.pay.high if brief.pay else 1e9)), True
    low, high = pay_range(held)
    seniority = min(1.0, max(0.0, (age - 22) / 28))
    point = min(0.92, max(0.06, 0.16 + 0.5 * seniority + 0.3 * (dice.roll("pay") - 0.5)))
    median = min(max(held.occupation.median * held.worked_share, low), high)
    value = low + (median - low) * point * 2 if point < 0.5 else median + (high - median) * (point - 0.5) * 2
    floor, ceiling = max(low, limits[0]), min(high, limits[1])
    if affords(held, limits) and value < floor:
        # Spread above the floor, so that a high income level does not give everyone the same sum.
        value = floor + (min(ceiling, floor * 1.3) - floor) * dice.roll("above the floor")
    value = min(max(value, floor), ceiling) if affords(held, limits) else value
    if brief.pay and brief.pay.currency not in ("", "$"):
        # Another currency: the brief's band is all there is to go by, so the person stands in it by seniority.
        top = min(brief.pay.high, brief.pay.low * 2.5)
        return _rounded(brief.pay.low + (top - brief.pay.low) * point, low=brief.pay.low, high=top), brief.pay.household
    if brief.pay and brief.pay.household and home.partner:
        together = min(max(value * (1.35 + 0.4 * dice.roll("second pay")), brief.pay.low), brief.pay.high)
        return _rounded(together), True
    return _rounded(value, low=max(low, limits[0]), high=min(high, limits[1])), False


def _rounded(value: float, *, low: float = 0, high: float = 1e9) -> int:
    """To the nearest 500 without leaving the limits."""
    nearest = int(round(value / 500.0) * 500)
    return nearest if low <= nearest <= high else int(value)


_SCHOOLING = {
    "No formal educational credential": ("High school diploma", "Some college, no degree"),
    "High school diploma or equivalent": ("High school diploma", "Some college, no degree", "Associate's degree"),
    "Some college, no degree": ("Some college, no degree", "Associate's degree"),
    "Postsecondary nondegree award": ("Vocational certificate",),
    "Associate's degree": ("Associate's degree",),
    "Bachelor's degree": ("Bachelor's degree", "Bachelor's degree", "Master's degree"),
    "Master's degree": ("Master's degree",),
    "Doctoral or professional degree": ("Doctoral or professional degree",),
    "See How to Become One": ("Vocational certificate", "Associate's degree"),
}
_GRADUATE_BY_CUSTOM = {"social_worker", "professor", "psychologist", "farmer", "farm_manager"}


def _education(held: Role, age: int, dice: Dice) -> str:
    """Schooling the job asks for; students are still at it, and a second degree takes years."""
    if held.worked_share < 1.0:
        return "Studying for a bachelor's degree"
    if held.key in ("professor", "psychologist"):
        return "Doctoral or professional degree" if held.key == "psychologist" else "Master's degree"
    options = _SCHOOLING.get(held.occupation.education, ("Some college, no degree",))
    chosen = "Bachelor's degree" if held.key == "social_worker" else dice.pick(options, "schooling")
    return "Bachelor's degree" if chosen == "Master's degree" and age < 26 and len(options) > 1 else chosen


def _place(made: Plan, part: Part, index: int) -> Place:
    """A town of the brief's location, of the segment's kind of area where there is one."""
    places = made.brief.places or us_places()
    wanted = [p for p in places if part.seed.area in ("any", p.area)] or list(places)
    order = Dice("places", made.base, part.seed.key).order(wanted, "order")
    return order[index % len(order)]


@lru_cache(maxsize=1)
def _first_names() -> Mapping[tuple[str, str], tuple[list[str], list[float]]]:
    found: dict[tuple[str, str], tuple[list[str], list[float]]] = {}
    for row in rows("names_by_birth_decade.csv"):
        names, births = found.setdefault((row["birth_decade"], row["gender"]), ([], []))
        names.append(row["name"])
        births.append(float(row["births"]) ** 0.6)  # Damped, so that a decade's commonest names do not fill the room.
    return found


@lru_cache(maxsize=2)
def _surnames(english: bool) -> tuple[list[str], list[float]]:
    kept = [r for r in rows("surnames.csv") if not english or float(r["pct_hispanic"] or 0) < 10]
    return [r["surname"] for r in kept], [float(r["count"]) ** 0.6 for r in kept]


def birth_decade(age: int) -> str:
    return f"{min(2000, max(1940, (THIS_YEAR - age) // 10 * 10))}s"


def _name(dice: Dice, age: int, woman: bool, place: Place, taken: set[str]) -> str:
    """A name of the person's sex and decade; one already taken, or a famous one, is drawn again."""
    firsts = {name.split(" ")[0] for name in taken}
    lasts = {name.rsplit(" ", 1)[-1] for name in taken}
    fallback = ""
    for attempt in range(60):
        first, last = _draw_name(dice, age, woman, place, attempt)
        name = f"{first} {last}"
        if name in taken or name in _FAMOUS:
            continue
        fallback = fallback or name
        if attempt > 25 or (first not in firsts and last not in lasts):
            taken.add(name)
            return name
    name = fallback or f"{first} {last} {len(taken) + 1}"
    taken.add(name)
    return name


def _draw_name(dice: Dice, age: int, woman: bool, place: Place, attempt: int) -> tuple[str, str]:
    own = national_names(place.country)
    gender = "female" if woman else "male"
    if own:
        return dice.pick(own[gender], f"first/{attempt}"), dice.pick(own["family"], f"last/{attempt}")
    names, weights = _first_names()[(birth_decade(age), gender)]
    surnames, counts = _surnames(place.country in ENGLISH_ABROAD)
    return dice.weighted(names, weights, f"first/{attempt}"), dice.weighted(surnames, counts, f"last/{attempt}")


def name_set(names: Iterable[object]) -> set[str]:
    """Names already used in the audience, from whatever list was given."""
    return {str(name).strip() for name in names if str(name).strip()}
