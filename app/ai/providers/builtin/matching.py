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
Scores = Mapping[str, tuple[float, tuple[str, ...]]]
_BUSINESS = ("business", "businesses", "company", "companies", "b2b", "smb", "smbs", "sme", "smes", "saas", "firms",
             "enterprise", "enterprises", "employers", "organisations", "organizations", "teams", "wholesale",
             "procurement", "startups", "agencies", "retailers", "manufacturers", "contractors", "owners", "managers",
             "departments", "offices", "operators", "franchises")  # fmt: skip
_CONSUMER = ("families", "family", "parents", "consumers", "shoppers", "households", "people", "women", "men", "adults",
             "members", "donors", "couples", "students", "individuals", "kids", "moms", "mums", "dads", "homeowners",
             "locals", "residents", "fans", "patients", "guests", "travellers", "travelers", "collectors", "teens",
             "retirees", "seniors", "pensioners", "young")  # fmt: skip


# What follows "for" or "to" when a business serves businesses, and the market that knows those buyers.
_TRADES = {
    "gyms": "gym", "fitness studios": "gym", "yoga studios": "gym", "studios": "gym", "restaurants": "restaurants",
    "cafes": "coffee_shop", "cafés": "coffee_shop", "coffee shops": "coffee_shop", "bakeries": "bakery_sweets",
    "bars": "wine_alcohol", "salons": "beauty", "spas": "beauty", "barbers": "beauty", "clinics": "health_clinic",
    "dentists": "health_clinic", "doctors": "health_clinic", "dental practices": "health_clinic",
    "practices": "health_clinic", "vets": "pet_care", "vet clinics": "pet_care", "pet shops": "pet_care", "hotels": "hotels",
    "law firms": "legal_services", "lawyers": "legal_services", "solicitors": "legal_services",
    "accountants": "accounting", "accounting firms": "accounting", "agencies": "agency_services",
    "charities": "childrens_charity", "nonprofits": "childrens_charity", "schools": "tutoring", "daycares": "childcare",
    "nurseries": "childcare", "builders": "home_improvement", "contractors": "home_improvement",
    "real estate agents": "real_estate", "realtors": "real_estate", "estate agents": "real_estate",
    "florists": "weddings", "wedding planners": "weddings", "dealerships": "cars", "garages": "cars",
    "online shops": "ecommerce_tools", "online stores": "ecommerce_tools", "recruiters": "recruitment",
    "care homes": "senior_care", "museums": "arts_culture", "theatres": "arts_culture", "sports clubs": "sports_club",
    "bike shops": "cycling", "pharmacies": "nutrition_supplements", "travel agencies": "travel", "farm shops": "farm_shop",
    "jewellers": "jewellery", "furniture shops": "furniture", "farms": "agriculture_supply",
    "companies": "", "businesses": "", "offices": "", "firms": "", "startups": "", "start ups": "", "employers": "",
    "teams": "", "retailers": "", "shops": "", "manufacturers": "", "enterprises": "", "factories": "", "hospitals": "",
    "merchants": "", "wholesalers": "", "freelancers": "", "landlords": "",
}  # fmt: skip
_FOR_TRADE = re.compile(r"\b(?:for|to|helps?|helping|serving) (?:[\w'-]+ ){0,3}?(" + "|".join(
    re.escape(noun) for noun in sorted(_TRADES, key=len, reverse=True)) + r")\b")  # fmt: skip
_SOLD_TO_WORK = re.compile(r"\b(software|saas|b2b|point of sale|pos|crm|erp|wholesale|practice management|payroll)\b")


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
    served = _served(brief)
    business = served is not None or _is_business(brief, scored)
    trade = _trade(served, scored) if business else None
    mine = _ranked(scored, business, trade)
    best = mine[0]
    if scored[best][0] < KNOWN_FROM:
        general = markets()["general_business" if business else "general_consumer"]
        return Match(general, None, trade, False, ())
    return Match(markets()[best], _second(mine, scored), trade, True, scored[best][1])


def _served(brief: Brief) -> str | None:
    """The market whose businesses the brief sells to, "" for businesses in general, None when it sells to people."""
    found = _FOR_TRADE.search(_plain(f"{brief.words('business_description')} . {brief.words('name')}"))
    return _TRADES[found[1]] if found else None


def _ranked(scored: Scores, business: bool, trade: Market | None) -> list[str]:
    """Markets of the right kind, best first; the trade served comes last when another market fits."""
    ranked = sorted(scored, key=lambda key: (-scored[key][0], key))
    mine = [key for key in ranked if markets()[key].is_business == business]
    others = [key for key in mine if trade is None or key != trade.key]
    return others if scored[others[0]][0] >= KNOWN_FROM else mine


def _second(mine: list[str], scored: Scores) -> Market | None:
    """Another market only when the brief speaks of it nearly as loudly, in words of its own."""
    best, second = mine[0], mine[1]
    loud = scored[second][0] >= max(7.5, 0.62 * scored[best][0])
    own = any(not any(word in heard for heard in scored[best][1]) for word in scored[second][1])
    return markets()[second] if loud and own else None


def _trade(served: str | None, scored: Scores) -> Market | None:
    """The trade a business offer is for, as in software for gyms: named outright, else the consumer market it mentions."""
    if served:
        return markets()[served] if markets()[served].trade else None
    trades = [k for k, m in markets().items() if m.trade and not m.is_business and scored[k][0] >= 4.0]
    return markets()[min(trades, key=lambda key: (-scored[key][0], key))] if trades and served is None else None


def _is_business(brief: Brief, scored: Scores) -> bool:
    buyer = _lean(brief.words("customers"), 8.0) + _lean(brief.words("business_description"), 1.5)
    buyer += _lean(brief.words("industry"), 3.0) + _lean(brief.words("name"), 1.0)
    if _SOLD_TO_WORK.search(_plain(" ".join(brief.words(f) for f in ("business_description", "industry", "name")))):
        buyer += 6.0
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
