"""Where a brief's people live: places named in its location, or ordinary towns of the country when none is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.ai.providers.builtin.knowledge import toml


@dataclass(frozen=True)
class Place:
    """A town or area; `area` is city, suburb or rural, `country` a name the figures know or plain text."""

    label: str
    area: str
    country: str


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    return toml("places.toml")


def find_places(text: str) -> tuple[Place, ...]:
    """Towns for every country, state or city the text names; its own words when none is known; () when empty."""
    if not text:
        return ()
    found = _cities(text)
    found += tuple(p for p in _states(text) if p.label[-2:] not in {k.label[-2:] for k in found if k.country == "US"})
    found += tuple(p for p in _countries(text) if p.country not in {k.country for k in found})
    return found or (Place(text[:60].strip(" ,.;"), "any", ""),)


def _says(text: str, word: str) -> bool:
    """Whole-word match; two-letter codes only in capitals, so "in" is not Indiana."""
    flags = 0 if len(word) <= 3 and word.isupper() else re.IGNORECASE
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, flags) is not None


def _cities(text: str) -> tuple[Place, ...]:
    found: list[Place] = []
    for country, groups in _all_towns().items():
        for area, label in groups:
            if _says(text, label.split(",")[0]) and not _another_state(text, label):
                found.append(Place(label, area, country))
    for metro, towns in _file()["metros"].items():
        if _says(text, metro) and not _another_state(text, (towns["city"] or [""])[0]):
            found = [p for p in found if not p.label.startswith(metro)]
            found += [Place(label, area, towns["country"]) for area in ("city", "suburb") for label in towns[area]]
    return tuple(dict.fromkeys(found))


def _another_state(text: str, label: str) -> bool:
    """ "Portland, Maine" names a town that the list only knows in Oregon."""
    tail = label.split(", ")[-1]
    named = [code for code, state in _file()["us"].items() if _says(text, state["name"])]
    return bool(named) and len(tail) == 2 and tail.isupper() and tail not in named


def _states(text: str) -> tuple[Place, ...]:
    found: list[Place] = []
    for code, state in _file()["us"].items():
        if _says(text, state["name"]) or re.search(rf"(^|[,;/(]\s*|\band )({code})\b", text):
            found += _towns(state, "US")
    for region, codes in _file()["regions"].items():
        if _says(text, region):
            found += [place for code in codes for place in _towns(_file()["us"][code], "US")[:2]]
    return tuple(dict.fromkeys(found))


def _countries(text: str) -> tuple[Place, ...]:
    found: list[Place] = []
    for country, entry in _file()["countries"].items():
        if any(_says(text, name) for name in (country, *entry["names"])):
            found += _towns(entry, country)
    own = re.sub(r"(?i)\b(south|latin|central) america\b", " ", text)
    if any(_says(own, name) for name in _file()["us_names"]["names"]):
        found += us_places()
    return tuple(dict.fromkeys(found))


def _towns(entry: Mapping[str, Any], country: str) -> list[Place]:
    return [Place(label, area, country) for area in ("city", "suburb", "rural") for label in entry.get(area, ())]


@lru_cache(maxsize=1)
def _all_towns() -> dict[str, list[tuple[str, str]]]:
    towns: dict[str, list[tuple[str, str]]] = {"US": []}
    for state in _file()["us"].values():
        towns["US"] += [(p.area, p.label) for p in _towns(state, "US")]
    for country, entry in _file()["countries"].items():
        towns[country] = [(p.area, p.label) for p in _towns(entry, country)]
    return towns


@lru_cache(maxsize=1)
def us_places() -> tuple[Place, ...]:
    """Ordinary towns over the whole United States, for briefs that name no place."""
    return tuple(place for code in _file()["spread"]["codes"] for place in _towns(_file()["us"][code], "US"))


def national_names(country: str) -> Mapping[str, list[str]] | None:
    """Common first and family names of a country the American lists do not serve, or None."""
    entry = _file()["countries"].get(country, {})
    return entry.get("people")
