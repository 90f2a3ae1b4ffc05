"""Numbered sources: each figure in a text bears [n], and n leads to its publisher and address."""

from __future__ import annotations

import re

from app.ai.providers.base import Citation
from app.ai.providers.builtin.knowledge import Fact, Source, facts, sources

_VIA = re.compile(r"^(?P<carrier>.+?) (?:reporting|quoting|citing|copy of) (?P<author>.+)$")


def publisher(source: Source) -> str:
    """Who made the figure, and who carried it when we read it at second hand."""
    found = _VIA.match(source.publisher)
    return f"{found['author']}, via {found['carrier']}" if found else source.publisher


def figure(fact: Fact) -> str:
    """The figure with its unit as people write it: 79%, $69 per month, 65.1 million households."""
    number = f"{fact.number:,.2f}".rstrip("0").rstrip(".")
    if fact.unit.startswith("%"):
        return f"{number}%{fact.unit[1:]}"
    money = re.match(r"(USD|EUR)\s*(.*)", fact.unit)
    if money:
        sign = {"USD": "$", "EUR": "€"}[money[1]]
        return f"{sign}{number} {money[2]}".strip()
    return f"{number} {fact.unit}".strip()


def about(fact: Fact) -> str:
    """Population, year and publisher of a figure, for brackets or a basis line."""
    source = sources()[fact.source_id]
    return f"{fact.population}, {fact.year or 'year not given'}; {publisher(source)}"


def sentence(fact: Fact) -> str:
    """The figure, what it counts, of whom, when and by whom."""
    return f"**{figure(fact)}**: {_lower_first(fact.claim)} ({about(fact)})"


def _lower_first(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text if first.isupper() or first in _NAMES else text[:1].lower() + text[1:]


_NAMES = {"YouTube", "TikTok", "LinkedIn", "Instagram", "Facebook", "Pinterest", "Snapchat", "WhatsApp", "Reddit",
          "Gen", "Hispanic", "White", "Diwali", "Millennials", "Millennial", "CISOs", "B2B", "IT", "US", "UK", "EV",
          "Boomers", "E-mail", "X"}  # fmt: skip


class Sources:
    """Gives each source one number, in the order it is first named, and collects the citations."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._details: dict[str, list[str]] = {}

    def mark(self, source_id: str, detail: str) -> str:
        """The [n] of a source; `detail` is the claim and figure it is cited for."""
        number = self._numbers.setdefault(source_id, len(self._numbers) + 1)
        details = self._details.setdefault(source_id, [])
        if detail not in details:
            details.append(detail)
        return f"[{number}]"

    def fact(self, fact_id: str) -> str:
        """The [n] of a fact's source."""
        fact = facts()[fact_id]
        return self.mark(fact.source_id, f"{fact.claim}: {figure(fact)} ({fact.population}, {fact.year or 'undated'})")

    def stated(self, fact_id: str) -> str:
        """A fact as a sentence with its [n]."""
        return f"{sentence(facts()[fact_id])} {self.fact(fact_id)}"

    def citations(self) -> tuple[Citation, ...]:
        known = sources()
        return tuple(
            Citation(number, known[key].title, known[key].url, publisher(known[key]), known[key].year,
                     "; ".join(self._details[key]))
            for key, number in sorted(self._numbers.items(), key=lambda item: item[1])
        )  # fmt: skip
