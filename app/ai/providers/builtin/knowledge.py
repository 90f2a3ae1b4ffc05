"""The shipped knowledge base: markets with their segments, roles, and published figures with their sources."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Source:
    id: str
    publisher: str
    title: str
    year: str
    url: str
    kind: str


@dataclass(frozen=True)
class Fact:
    id: str
    claim: str
    figure: str
    unit: str
    population: str
    year: str
    source_id: str
    evidence: str

    @property
    def number(self) -> float:
        return float(self.figure)


@dataclass(frozen=True)
class Occupation:
    title: str
    median: int
    p10: int | None
    p90: int | None
    wage_year: str
    education: str
    women: float | None
    jobs: int
    source_id: str


@dataclass(frozen=True)
class Role:
    """A job someone in a persona may hold, and the published occupation behind its figures."""

    key: str
    label: str
    occupation: Occupation
    youngest: int
    worked_share: float = 1.0


@dataclass(frozen=True)
class Seed:
    """A kind of buyer within a market, from which segments and personas are made."""

    key: str
    name: str
    who: str
    ages: tuple[int, int]
    pay: tuple[int, int]
    home: str
    area: str
    work: tuple[str, ...]
    firms: tuple[str, ...]
    decides: str
    traits: tuple[str, ...]
    approach: str
    goals: tuple[str, ...]
    pains: tuple[str, ...]
    acts: tuple[str, ...]
    quotes: tuple[str, ...]
    weight: float
    women: float | None


@dataclass(frozen=True)
class Market:
    """One archetype: what its buyers want, fear, believe and do, and the figures that bear on it."""

    key: str
    sector: str
    title: str
    kind: str
    offer: str
    words: tuple[tuple[str, float], ...]
    tension: str
    trigger: str
    proof: str
    price: str
    needs: tuple[str, ...]
    pains: tuple[str, ...]
    objections: tuple[str, ...]
    values: tuple[str, ...]
    interests: tuple[str, ...]
    channels: tuple[str, ...]
    habits: tuple[str, ...]
    voice: tuple[str, ...]
    moves: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    spend: tuple[str, ...]
    reach: str
    operators: tuple[str, ...]
    trade: str
    seeds: tuple[Seed, ...]

    @property
    def is_business(self) -> bool:
        return self.kind == "business"


def rows(name: str) -> list[dict[str, str]]:
    """All rows of a shipped csv file."""
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def toml(name: str) -> dict[str, Any]:
    """A shipped toml file."""
    with (DATA / name).open("rb") as handle:
        return tomllib.load(handle)


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    return {r["id"]: Source(r["id"], r["publisher"], r["title"], r["year"], _address(r["address"]), r["kind"])
            for r in rows("sources.csv")}  # fmt: skip


def _address(text: str) -> str:
    """The first address a source gives; the rest of the cell says how the file was reached."""
    return next((word for word in text.split() if word.startswith("http")), "")


@lru_cache(maxsize=1)
def facts() -> Mapping[str, Fact]:
    names = ("id", "claim", "figure", "unit", "population", "year", "source_id", "evidence")
    return {r["id"]: Fact(*(r[name] for name in names)) for r in rows("facts.csv")}


@lru_cache(maxsize=1)
def occupations() -> Mapping[str, Occupation]:
    return {r["title"]: _occupation(r) for r in rows("occupations.csv")}


def _occupation(row: Mapping[str, str]) -> Occupation:
    def whole(name: str) -> int | None:
        return int(row[name]) if row[name] else None

    return Occupation(
        row["title"], int(row["median_annual_wage_usd"]), whole("p10_annual_wage_usd"), whole("p90_annual_wage_usd"),
        row["wage_year"], row["entry_education"], float(row["pct_women"]) if row["pct_women"] else None,
        whole("jobs") or 0, row["source_ids"].split(";")[0],
    )  # fmt: skip


@lru_cache(maxsize=1)
def _role_file() -> dict[str, Any]:
    return toml("roles.toml")


@lru_cache(maxsize=512)
def role(name: str) -> Role:
    """A role by key; "Label=key" gives it another label, as in "Clinic owner=dentist"."""
    label, _, key = name.rpartition("=")
    entry = _role_file()[key]
    return Role(key, label or entry[0], occupations()[entry[1]], entry[2], _role_file()["part_time"].get(key, 1.0))


def tier_roles(tier: str) -> tuple[str, ...]:
    """Ordinary jobs of a pay tier: low, middle or high."""
    return tuple(_role_file()["tiers"][tier])


@lru_cache(maxsize=1)
def markets() -> Mapping[str, Market]:
    found: dict[str, Market] = {}
    for path in sorted((DATA / "markets").glob("*.toml")):
        for key, entry in toml(f"markets/{path.name}").items():
            found[key] = _market(key, path.stem, entry)
    return found


def _market(key: str, sector: str, entry: dict[str, Any]) -> Market:
    def many(name: str) -> tuple[str, ...]:
        return tuple(entry.get(name, ()))

    return Market(
        key=key, sector=sector, title=entry["title"], kind=entry["kind"], offer=entry["offer"],
        words=tuple(_word(word) for word in entry["words"]),
        tension=entry["tension"], trigger=entry["trigger"], proof=entry["proof"], price=entry["price"],
        needs=many("needs"), pains=many("pains"), objections=many("objections"), values=many("values"),
        interests=many("interests"), channels=many("channels"), habits=many("habits"), voice=many("voice"),
        moves=many("moves"), facts=tuple(_fact_note(note) for note in entry.get("facts", ())),
        spend=many("spend"), reach=entry.get("reach", ""), operators=many("operators"), trade=entry.get("trade", ""),
        seeds=tuple(_seed(key, number, seed) for number, seed in enumerate(entry["segments"])),
    )  # fmt: skip


def _word(word: str) -> tuple[str, float]:
    """A trailing + marks a word that alone all but names the market; =3 gives it that weight."""
    name, _, weight = word.rstrip("+").partition("=")
    usual = 6.0 + 1.5 * name.count(" ") if word.endswith("+") else 2.0 + name.count(" ")
    return name, float(weight) if weight else usual


def _fact_note(note: str) -> tuple[str, str]:
    fact_id, _, meaning = note.partition("|")
    return fact_id.strip(), meaning.strip()


def _seed(market: str, number: int, entry: dict[str, Any]) -> Seed:
    def many(name: str) -> tuple[str, ...]:
        return tuple(entry.get(name, ()))

    low, high = entry["age"]
    pay = entry.get("pay", (0, 400))
    return Seed(
        key=f"{market}/{number}", name=entry["name"], who=entry["who"], ages=(low, high),
        pay=(pay[0] * 1000, pay[1] * 1000), home=entry.get("home", "any"), area=entry.get("area", "any"),
        work=many("work"), firms=many("firms"), decides=entry["decides"], traits=many("traits"),
        approach=entry["approach"], goals=many("goals"), pains=many("pains"), acts=many("acts"),
        quotes=many("quotes"), weight=float(entry.get("weight", 1.0)), women=entry.get("women"),
    )  # fmt: skip
