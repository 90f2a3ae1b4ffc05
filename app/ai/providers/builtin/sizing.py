"""How many: shares of population and households from the published tables, and the market's size with its arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from app.ai.providers.builtin.knowledge import facts, rows

HOME_SHARES = {
    "young_family": ("Oldest child under 6", "Oldest child 6 to 17"), "family": ("Oldest child 6 to 17",),
    "grown": ("Oldest child 18 or older",), "couple": ("Married couple only",),
    "first_baby": ("Oldest child under 6",), "two_small": ("Oldest child under 6", "Oldest child 6 to 17"),
    "empty_nest": ("Married couple only",), "single": ("Single person and other consumer units",),
    "solo_parent": ("One parent, at least one child under 18",),
}  # fmt: skip
AREA_SHARES = {"city": ("Urban principal city",), "suburb": ("Other urban",), "rural": ("Rural",)}


@lru_cache(maxsize=1)
def _population() -> Mapping[tuple[str, str], dict[str, float]]:
    tables: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows("population.csv"):
        tables.setdefault((row["region"], row["dimension"]), {})[row["band"]] = float(row["value"])
    return tables


def share(dimension: str, bands: tuple[str, ...], region: str = "US") -> float:
    """The percentage of households (or persons) in the named bands."""
    table = _population().get((region, dimension), {})
    return sum(table.get(band, 0.0) for band in bands)


def _edges(band: str) -> tuple[float, float] | None:
    """The limits of a band of years or dollars from its name."""
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", band)]
    lowered = band.lower()
    if len(numbers) == 2:
        return numbers[0], numbers[1] + 1
    if not numbers:
        return None
    if lowered.startswith(("under", "less")):
        return 0, numbers[0]
    return numbers[0], (numbers[0] * 2.5 if numbers[0] > 1000 else 95)


def _span(table: Mapping[str, float], low: float, high: float, floor: float = 0) -> float:
    """The share of the table between two limits, taking each band as even inside."""
    total = 0.0
    for band, value in table.items():
        edges = _edges(band)
        if edges is None or band in ("65 years and older",):
            continue
        start, end = max(edges[0], floor), edges[1]
        total += value * max(0.0, min(high, end) - max(low, start)) / (end - start)
    return total


def age_share(low: int, high: int) -> float:
    """Percentage of US households whose reference person is within the ages (BLS CE 2024)."""
    return _span(_population()[("US", "age_of_reference_person")], low, high + 1, floor=18)


def persons_share(country: str, low: int, high: int) -> float | None:
    """Percentage of a country's people within the ages (UN), or None when the tables lack the country."""
    table = _population().get((country, "age_band_persons"))
    return _span(table, low, high + 1) if table else None


def income_share(low: int, high: int) -> float:
    """Percentage of US households with income before taxes between two yearly sums (BLS CE 2024)."""
    return _span(_population()[("US", "household_income_band")], low, high)


def home_share(home: str) -> float:
    bands = HOME_SHARES.get(home)
    return share("household_type", bands) if bands else 100.0


def area_share(area: str) -> float:
    bands = AREA_SHARES.get(area)
    return share("urban_rural", bands) if bands else 100.0


@lru_cache(maxsize=1)
def _spending() -> Mapping[tuple[str, str, str], tuple[float, str]]:
    return {(r["dimension"], r["group"], r["category"]): (float(r["annual_usd_per_household"]), r["source_id"])
            for r in rows("spending.csv") if r["annual_usd_per_household"]}  # fmt: skip


def spend(category: str, dimension: str = "age_of_reference_person", group: str = "All consumer units") -> float:
    """Mean dollars a year per household in the group; 0 when the tables do not say."""
    return _spending().get((dimension, group, category), (0.0, ""))[0]


def spend_by(category: str, dimension: str) -> list[tuple[str, float]]:
    """Mean dollars a year by group, without the all-households and subtotal rows."""
    return [(group, value[0]) for (dim, group, name), value in _spending().items()
            if dim == dimension and name == category
            and "All consumer" not in group and "Total" not in group and group != "65 years and older"]  # fmt: skip


def age_group(age: int) -> str:
    """The published age group a person of this age heads a household in."""
    ends = ((25, "Under 25 years"), (35, "25-34 years"), (45, "35-44 years"), (55, "45-54 years"),
            (65, "55-64 years"), (75, "65-74 years"))  # fmt: skip
    return next((name for end, name in ends if age < end), "75 years and older")


def households_millions(country: str = "US") -> float:
    return facts()["P0004" if country == "UK" else "P0001"].number


def whole_percentages(weights: list[float], least: int = 6) -> list[int]:
    """Whole percentages in proportion to the weights, none under `least`, adding up to exactly 100."""
    total = sum(weights) or 1.0
    room = 100 - least * len(weights)
    exact = [least + room * weight / total for weight in weights]
    whole = [int(value) for value in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_rest[: 100 - sum(whole)]:
        whole[i] += 1
    return whole


def mean_spend(category: str, low: int, high: int) -> float:
    """Mean dollars a year per household whose head is within the ages, weighted by the households in each age group."""
    amount = weight = 0.0
    table = _population()[("US", "age_of_reference_person")]
    for group, dollars in spend_by(category, "age_of_reference_person"):
        held = _span({group: table.get(group, 0.0)}, low, high + 1, floor=18)
        amount, weight = amount + held * dollars, weight + held
    return amount / weight if weight else spend(category)


def leisure(low: int, high: int) -> list[tuple[str, dict[str, float]]]:
    """Hours a day by activity for each published age group that touches the ages; groups with gaps are left out."""
    groups: dict[str, dict[str, float]] = {}
    for row in rows("time_use.csv"):
        if row["group_kind"] == "age" and row["hours"]:
            groups.setdefault(row["group"], {})[row["activity"]] = float(row["hours"])
    needed = {"Watching TV", "Reading", "Socializing and communicating"}
    return [(group, hours) for group, hours in groups.items()
            if (edges := _edges(group)) and edges[0] <= high and edges[1] > low and needed <= hours.keys()]  # fmt: skip
