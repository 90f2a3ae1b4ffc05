"""What is known of one persona, read from whatever shape of data it comes in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from app.ai.providers.builtin.talk.data import any_of, pattern, table
from app.ai.providers.builtin.talk.grammar import Fragment, fragment
from app.ai.providers.builtin.talk.text import clean, stems, words

MODES = {"goals": "goal", "habits": "habit", "shopping": "habit", "channels": "", "pains": ""}
ABOUT_THEM = ("segment", "brief")
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)])\.\s+(?=[A-Za-z])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Fact:
    """One thing known: `number` is its [n], 0 where it has none; `label` its field in words."""

    number: int
    topic: str
    label: str
    text: str
    kind: str = ""
    name: str = ""

    @property
    def mark(self) -> str:
        return f" [{self.number}]" if self.number else ""

    @property
    def said(self) -> Fragment:
        return fragment(self.text, self.name, MODES.get(self.topic, ""))

    @property
    def noun(self) -> str:
        return self.said.noun + self.mark

    @property
    def clause(self) -> str:
        return self.said.clause + self.mark

    @cached_property
    def stems(self) -> set[str]:
        return stems(f"{self.text} {self.label if self.topic == 'other' else ''}")


@dataclass(frozen=True)
class Sheet:
    """A persona as the engine sees it. Missing and wrongly typed data simply leaves gaps."""

    name: str
    facts: tuple[Fact, ...]
    segment: Mapping[str, str]
    brief: Mapping[str, str]

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else "me"

    @property
    def own(self) -> tuple[Fact, ...]:
        """The facts about the person, not about the segment or the business."""
        return tuple(fact for fact in self.facts if fact.topic not in ABOUT_THEM)

    def of(self, *topics: str) -> list[Fact]:
        """The facts of the topics, topic by topic."""
        return [fact for topic in topics for fact in self.facts if fact.topic == topic]

    def first(self, *topics: str) -> Fact | None:
        return next(iter(self.of(*topics)), None)

    @cached_property
    def age(self) -> int | None:
        fact = self.first("age")
        found = re.search(r"\d{1,3}", fact.text) if fact else None
        return int(found.group()) if found and 0 < int(found.group()) < 120 else None

    @cached_property
    def yearly_income(self) -> int | None:
        """Income in whole units of its currency; a monthly or hourly figure is brought to a year."""
        fact = self.first("income")
        found = re.search(r"(\d[\d,. ]*)\s*(k|m)?\b", fact.text.lower()) if fact else None
        if not fact or not found:
            return None
        digits = re.sub(r"[^\d]", "", re.sub(r"\.\d{1,2}$", "", found.group(1).strip().rstrip(".,")))
        amount = int(digits[:9] or 0) * {"k": 1000, "m": 1_000_000}.get(found.group(2) or "", 1)
        if re.search(r"month", fact.text, re.I):
            amount *= 12
        elif re.search(r"hour", fact.text, re.I):
            amount *= 1800
        return amount or None

    @cached_property
    def is_business(self) -> bool:
        """Whether this person buys on behalf of an organisation."""
        text = " ".join([*self.brief.values(), *self.segment.values()]).lower()
        marks = len(
            pattern(
                r"\bb2b\b|\bbusinesses\b|\bcompanies\b|\bpayroll\b|\bprocurement\b|\benterprises?\b|\bfirms\b|\bsmbs?\b|\bsmes?\b|"
                r"\bfinance teams?\b|\bhr\b|\bper seat\b|\bemployers\b|\bcfos?\b|\bvendors?\b|\bsaas\b"
            ).findall(text)
        )
        return marks >= 2 or bool(self.of("company", "decision"))

    @cached_property
    def is_giving(self) -> bool:
        """Whether the business asks for gifts rather than sells."""
        return bool(
            pattern(r"\b(?:charit\w*|donat\w*|donors?|non-?profit|fundrais\w*|ngo)\b").search(
                " ".join(self.brief.values())
            )
        )

    @cached_property
    def price_care(self) -> float:
        """How much price weighs with this person, 0 to 1."""
        text = " ".join(fact.text for fact in self.own) + " " + " ".join(self.segment.values())
        care = len(
            pattern(
                r"budget|price|cheap|deal|discount|afford|coupon|voucher|sale\b|bargain|save money|saving|costs?\b|value for money|fees?\b|thrift"
            ).findall(text)
        )
        ease = len(
            pattern(
                r"premium|luxur|quality|craft|bespoke|heritage|exclusiv|status|connoisseur|collector|investment piece|pays? (?:more|extra)|price is secondary"
            ).findall(text)
        )
        income = self.yearly_income
        base = 0.5 if income is None else 0.72 - min(income, 200_000) / 360_000
        return min(0.95, max(0.08, base + 0.07 * min(care, 5) - 0.07 * min(ease, 6)))

    @cached_property
    def channels(self) -> dict[str, Fact]:
        """The channels this person is known to use, each with the fact that says so, the preferred first."""
        known: dict[str, Fact] = {}
        for fact in [*self.of("channels"), *self.of("habits", "shopping", "interests")]:
            for channel in channels_in(fact.text):
                if not pattern(r"\b(?:avoid|never|ignore|quit|left|hate|distrust|doesn't|don't|skip)\w*\b").search(
                    fact.text
                ):
                    known.setdefault(channel, fact)
        return known

    def about(self, found: str, *, shunned: str = "") -> Fact | None:
        """The first fact about the person whose text matches, the persona's own fields before the segment's."""
        for fact in [*self.own, *self.of("segment")]:
            if pattern(found).search(fact.text) and not (shunned and pattern(shunned).search(fact.text)):
                return fact
        return None


def channels_in(text: str) -> list[str]:
    """The channels a text names, in the order of the table."""
    return [name for name, found in table("topics")["channels"].items() if pattern(found).search(text)]


@cache
def _aliases() -> dict[str, str]:
    return {key: topic for topic, keys in table("topics")["keys"].items() for key in keys.split()}


def topic_of(key: str) -> tuple[str, str]:
    """The topic and the label of a field name such as `pain_points` or `persona.data.petsOwned`."""
    low = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", key).lower()).strip("_")
    label = low.replace("_", " ")
    if low.startswith(("segment", "market_segment")) or low in table("topics")["segment"]["keys"].split():
        return "segment", label
    if low.startswith(("brief", "business_description", "website")):
        return "brief", label
    if low == "name":
        return "name", label
    return _aliases().get(low, "other"), label


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1000 else 0


def _flat(key: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth < 4:
        for inner, part in list(value.items())[:40]:
            known = topic_of(str(inner))[0] != "other"
            yield from _flat(str(inner) if known or not key else f"{key} {inner}", part, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 4:
        for part in value[:40]:
            yield from _flat(key, part, depth + 1)
    elif isinstance(value, bool):
        yield key, "yes" if value else "no"
    else:
        yield key, clean(value, 240)


def _numbered(facts: Any) -> Iterator[tuple[int, str, str, str]]:
    for entry in facts if isinstance(facts, (list, tuple)) else ():
        if isinstance(entry, Mapping):
            yield (
                _number(entry.get("n")),
                clean(entry.get("key"), 80),
                clean(entry.get("text"), 240),
                clean(entry.get("kind"), 20),
            )


def _text(key_label: str, text: str) -> str:
    """The text without the field's name in front, as in `Pets: two cats`."""
    head, colon, rest = text.partition(":")
    if colon and rest.strip() and words(head.replace("_", " ")) == words(key_label):
        return rest.strip()
    return text


def _plain(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    texts = {str(key): "; ".join(text for _, text in _flat(str(key), part) if text) for key, part in value.items()}
    return {key: text for key, text in texts.items() if text and not commanding(text)}


def commanding(text: str) -> bool:
    """Whether a text tries to give the speaker orders."""
    return bool(any_of("hostile", "commands").search(text))


def read_sheet(source: Mapping[str, Any]) -> Sheet:
    """The sheet of the persona in a request's facts. Fields that hold commands are left out: data is never obeyed."""
    persona = source.get("persona")
    persona = persona if isinstance(persona, Mapping) else {}
    name = clean(persona.get("name"), 60)
    facts: list[Fact] = []
    seen: set[tuple[str, str]] = set()

    def add(number: int, key: str, text: str, kind: str = "") -> None:
        topic, label = topic_of(key)
        text = _text(label, text)
        if not text or (text.lower() in {"null", "none", "n/a", "unknown"} and topic != "other") or commanding(text):
            return
        for part in _SENTENCE_END.split(text) if topic not in {"quote", "brief"} else [text]:
            if topic != "name" and part.strip() and (topic, part.lower()) not in seen:
                seen.add((topic, part.lower()))
                facts.append(Fact(number, topic, label, part.strip(), kind, name))

    for number, key, text, kind in _numbered(source.get("facts")):
        add(number, key, text, kind)
    has_numbered = {fact.topic for fact in facts if fact.topic != "other"}
    for key, text in _flat("", persona.get("data") if isinstance(persona.get("data"), Mapping) else {}):
        topic = topic_of(key)[0]
        if topic not in has_numbered and not any(text and text.lower() in fact.text.lower() for fact in facts):
            add(0, key, text)
    return Sheet(name, tuple(facts), _plain(source.get("segment")), _plain(source.get("brief")))
