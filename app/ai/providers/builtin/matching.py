"""Finding the market a brief speaks of: scores each archetype by the brief's words and tells business buyers apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.ai.providers.builtin.brief import Brief
from app.ai.providers.builtin.knowledge import Market, markets

FIELD_WEIGHT = {"industry": 1.6, "business_description": 1.3, "name": 1.0, "core_need": 0.8, "customers": 0.7,
                "additional_info": 0.4, "website": 0.3}  # fmt: skip
KNOWN_FROM = 4.0
_BUSINESS = ("business", "businesses", "company", "companies", "b2b", "smb", "smbs", "sme", "smes", "saas", "firms",
             "enterprise", "enterprises", "employers", "organisations", "organizations", "teams", "wholesale",
             "procurement", "startups", "agencies", "retailers", "manufacturers", "contractors", "owners", "managers",
             "departments", "offices", "operators", "franchises")  # fmt: skip
_CONSUMER = ("families", "family", "parents", "consumers", "shoppers", "households", "people", "women", "men", "adults",
             "members", "donors", "couples", "students", "individuals", "kids", "moms", "mums", "dads", "homeowners",
             "locals", "residents", "fans", "patients", "guests", "travellers", "travelers", "collectors", "teens",
             "retirees", "seniors", "pensioners", "young")  # fmt: skip


@dataclass(frozen=True)
class Match:
    """The market found, a second one the brief leans on, and the trade a business offer serves."""

    primary: Market
    secondary: Market | None
    trade: Market | None
    known: bool
    words: tuple[str, ...]


def match(brief: Brief) -> Match:
    """The best archetype for the brief; a general one, marked unknown, when none fits."""
    scored = {key: score(brief, market) for key, market in markets().items() if not key.startswith("general_")}
    business = _is_business(brief, scored)
    ranked = sorted(scored, key=lambda key: (-scored[key][0], key))
    mine = [key for key in ranked if markets()[key].is_business == business]
    best = mine[0]
    if scored[best][0] < KNOWN_FROM:
        general = markets()["general_business" if business else "general_consumer"]
        return Match(general, None, _trade(scored, business), False, ())
    return Match(markets()[best], _second(mine, scored), _trade(scored, business), True, scored[best][1])


def _second(mine: list[str], scored: Mapping[str, tuple[float, tuple[str, ...]]]) -> Market | None:
    """Another market only when the brief speaks of it nearly as loudly."""
    best, second = mine[0], mine[min(1, len(mine) - 1)]
    loud = scored[second][0] >= max(6.5, 0.62 * scored[best][0])
    return markets()[second] if loud and not set(scored[second][1]) <= set(scored[best][1]) else None


def _trade(scored: Mapping[str, tuple[float, tuple[str, ...]]], business: bool) -> Market | None:
    """The consumer trade a business offer is for, as in software for gyms."""
    if not business:
        return None
    trades = [k for k, m in markets().items() if m.trade and not m.is_business and scored.get(k, (0.0, ()))[0] >= 4.0]
    return markets()[min(trades, key=lambda key: (-scored[key][0], key))] if trades else None


def _is_business(brief: Brief, scored: Mapping[str, tuple[float, tuple[str, ...]]]) -> bool:
    buyer = _lean(brief.words("customers"), 5.0) + _lean(brief.words("business_description"), 1.5)
    buyer += _lean(brief.words("industry"), 3.0) + _lean(brief.words("name"), 1.0)
    if re.search(r"\b(software|platform|system|supplies|supplier|services?|tools?|app|payroll|training) (for|to) ",
                 brief.words("business_description").lower()):  # fmt: skip
        buyer += 1.0
    top = {kind: max((s for k, (s, _) in scored.items() if markets()[k].is_business == kind), default=0.0)
           for kind in (True, False)}  # fmt: skip
    return buyer + top[True] - top[False] > 0


def _lean(text: str, weight: float) -> float:
    """Above zero when the words name businesses, below when they name people."""
    words = set(re.findall(r"[a-z0-9']+", text.lower()))
    return weight * (min(2, len(words & set(_BUSINESS))) - min(2, len(words & set(_CONSUMER))))


def score(brief: Brief, market: Market) -> tuple[float, tuple[str, ...]]:
    """How strongly the brief's words name this market, and the words that did."""
    total = 0.0
    hits: dict[str, None] = {}
    for field, weight in FIELD_WEIGHT.items():
        text = _plain(brief.words(field))
        for word, worth in market.words:
            if text and _pattern(word).search(text):
                total += worth * weight * (1.0 if word not in hits else 0.5)
                hits[word] = None
    return total, tuple(hits)


def _plain(text: str) -> str:
    return text.lower().replace("-", " ").replace("’", "'")


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """The word or phrase, in the singular or the plural."""
    stem = re.escape(word.lower().replace("-", " "))
    return re.compile(rf"(?<!\w){stem}(?:s|es|'s)?(?!\w)")
