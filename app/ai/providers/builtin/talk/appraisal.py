"""How a message, an offer or an idea lands with a persona: a score, and what speaks for and against it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from math import exp

from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.price import verdict
from app.ai.providers.builtin.talk.question import amount_in
from app.ai.providers.builtin.talk.sheet import Fact, Sheet, channels_in
from app.ai.providers.builtin.talk.text import excerpt, share_of, stem, stems, words

_WEIGHTS = {
    "pains": 3.0,
    "objections": 3.0,
    "goals": 2.2,
    "values": 2.0,
    "shopping": 1.2,
    "habits": 1.0,
    "interests": 1.0,
    "decision": 1.5,
    "segment": 0.6,
}
_WISHES = frozenset(
    "green quality health family community giving learning status".split()
)  # sought for their own sake, not as relief
_PRICE_UP = r"\b(?:rais\w+|increas\w+|put(?:ting)?|higher|rise|hike)\b.{0,25}\b(?:price|prices|fees?|cost)\b|\bprice (?:rise|increase|hike)|\bprices? (?:go|goes|going|went) up"


@dataclass(frozen=True)
class Point:
    """One thing that counts for or against: `kind` is a theme or a fault, `words` what in the text shows it."""

    kind: str
    weight: float
    words: str = ""
    fact: Fact | None = None


@dataclass
class Appraisal:
    """The verdict on one text. `score` runs from 1 (strongly against) to 5 (strongly for)."""

    score: float
    pros: list[Point] = field(default_factory=list)
    cons: list[Point] = field(default_factory=list)

    @property
    def stance(self) -> int:
        return max(1, min(5, int(self.score + 0.5)))

    @cached_property
    def out_of_ten(self) -> int:
        return max(1, min(10, round((self.score - 1) * 9 / 4 + 1)))


@dataclass(frozen=True)
class Interest:
    """How much one theme weighs with a persona, and the fact that says so most plainly."""

    weight: float
    fact: Fact | None


def interests_of(sheet: Sheet) -> dict[str, Interest]:
    """What the persona cares for, by theme."""
    found: dict[str, Interest] = {}
    for name, theme in table("themes")["theme"].items():
        hits = [fact for fact in sheet.facts if fact.topic in _WEIGHTS and pattern(theme["words"]).search(fact.text)]
        weight = sum(_WEIGHTS[fact.topic] for fact in hits)
        wished = name in _WISHES
        best = max(
            (fact for fact in hits if fact.topic != "segment"),
            key=lambda fact: _WEIGHTS[fact.topic] - (2.5 if wished and fact.topic == "pains" else 0),
            default=None,
        )
        found[name] = Interest(min(weight, 6.0), best)
    return found


def appraise(sheet: Sheet, text: str, seed: int = 0, *, neutral: bool = False) -> Appraisal:
    """Weigh a text. `neutral`: a text that touches nothing the persona cares for is not held against it."""
    text = text[:3000]
    result = Appraisal(2.7)
    worse = pattern(table("themes")["tone"]["worse"]).search(text)
    _weigh_themes(sheet, text, result, worse=bool(worse))
    _weigh_own_words(sheet, text, result, worse=bool(worse))
    _weigh_money(sheet, text, result, worse=bool(worse))
    _weigh_tone(sheet, text, result, neutral=neutral)
    _weigh_channel(sheet, text, result)
    if worse and "price_up" not in {point.kind for point in result.cons}:
        result.cons.append(Point("worse", 0.5, worse.group()))
    if not result.pros and not neutral:
        result.cons.append(Point("beside", 0.55, "", sheet.first("pains", "goals")))
    if {"hostile", "guilt"} & {point.kind for point in result.cons}:
        result.pros = []
    result.pros.sort(key=lambda point: -point.weight)
    result.cons.sort(key=lambda point: -point.weight)
    result.pros = _distinct(result.pros)
    gain = sum(point.weight * share for point, share in zip(result.pros, (1, 0.7, 0.5, 0.35, 0.2), strict=False))
    if not stems(text) & _world(sheet):
        gain *= 0.45  # It speaks to no matter of this person's at all, whatever it promises.
    loss = sum(point.weight for point in result.cons)
    temper = (share_of(sheet.name, "temper") - 0.5) * 0.5 + (share_of(sheet.name, *sorted(stems(text))) - 0.5) * 0.3
    drift = (share_of(sheet.name, seed, text) - 0.5) * 0.6 if seed else 0.0
    result.score = _settled(2.6 + 2.3 * (1 - exp(-gain / 1.3)) - loss + temper + drift, result)
    return result


def _world(sheet: Sheet) -> set[str]:
    """The words of the persona's life and of the business they are a customer of."""
    own = set().union(*(fact.stems for fact in sheet.own)) if sheet.own else set()
    return own | stems(" ".join(sheet.brief.values()))


def _settled(score: float, result: Appraisal) -> float:
    """A score that its own reasons bear out."""
    if not result.pros:
        score = min(score, 3.3)
    if not result.cons:
        score = max(score, 3.5 if result.pros and result.pros[0].weight >= 0.3 else 2.6)
    return max(1.0, min(5.0, score))


def _distinct(points: list[Point]) -> list[Point]:
    kept: list[Point] = []
    for point in points:
        same_fact = any(point.fact is not None and point.fact == other.fact for other in kept)
        if (
            not same_fact
            and point.kind not in {other.kind for other in kept}
            and (not point.words or point.words not in {other.words for other in kept})
        ):
            kept.append(point)
    return kept


def _weigh_themes(sheet: Sheet, text: str, result: Appraisal, *, worse: bool) -> None:
    for name, interest in interests_of(sheet).items():
        hits = [
            phrase_around(text, match.group().lower())
            for match in pattern(table("themes")["theme"][name]["words"]).finditer(text)
        ]
        if not hits or name == "money" or interest.weight < 1.0:
            continue
        weight = min(0.22 * interest.weight, 1.1)
        point = Point(name, weight, max(hits, key=lambda shown: len(shown.split())), interest.fact)
        (result.cons if worse else result.pros).append(point)


def _weigh_own_words(sheet: Sheet, text: str, result: Appraisal, *, worse: bool) -> None:
    """Words the message shares with what the persona says of themselves."""
    said = stems(text)
    for fact in sheet.own:
        shared = said & fact.stems if fact.topic in _WEIGHTS else set()
        if not shared or (len(shared) == 1 and max(map(len, shared)) < 4):
            continue
        weight = min(0.16 * _WEIGHTS[fact.topic] * len(shared), 1.1)
        if weight < 0.15 and not worse:
            continue
        shown = phrase_around(text, next((word for word in words(text) if stem(word) in shared), ""))
        target = result.cons if worse else result.pros
        kind = f"own:{fact.topic}:{shown}"
        if same := next((point for point in target if point.fact == fact), None):
            target.remove(same)
            target.append(Point(same.kind, min(max(same.weight, weight) + 0.2, 1.4), same.words, fact))
        else:
            target.append(Point(kind, weight, shown, fact))


def _weigh_money(sheet: Sheet, text: str, result: Appraisal, *, worse: bool) -> None:
    care = sheet.price_care
    interest = interests_of(sheet)["money"]
    if pattern(_PRICE_UP).search(text):
        size = pattern(r"(\d{1,3}) ?%").search(text)
        result.cons.append(
            Point(
                "price_up",
                (0.4 + care) * (0.7 if size and int(size[1]) <= 7 else 1.5 if size and int(size[1]) >= 25 else 1.0),
                "",
                interest.fact,
            )
        )
        return
    off = pattern(r"\d+ ?% off|[$£€]\s?\d+ off").search(text) or pattern(
        r"\d+ ?% off|[$£€]\s?\d+ off|half[- ]price|discount\w*|vouchers?|coupons?|free (?:\w+ )?(?:trial|delivery|shipping|month|gift|sample)|cashback|sale\b|cheap\w*|bargain\w*|deals?\b|save (?:up to )?[$£€\d]\S*|low(?:er|est)? prices?|affordable|no (?:hidden )?fees"
    ).search(text)
    if off and not worse:
        if sheet.is_giving:
            return
        if care > 0.42:
            result.pros.append(
                Point(
                    "offer",
                    0.2 + 1.0 * (care - 0.42) + 0.1 * min(interest.weight, 4),
                    phrase_around(text, off.group().lower()),
                    interest.fact,
                )
            )
        elif care < 0.32:
            result.cons.append(Point("cheapens", 0.3, off.group().lower(), sheet.first("values")))
    elif (amount := amount_in(text)) is not None and not off:
        landed = verdict(sheet, amount, text)
        if landed in {"cheap", "yes"}:
            result.pros.append(Point("price_ok", 0.4 if landed == "cheap" else 0.25, sum_words(text)))
        else:
            result.cons.append(Point("price_high", 0.35 if landed == "maybe" else 1.2, sum_words(text), interest.fact))


def phrase_around(text: str, word: str) -> str:
    """The few words of the text in which a word stands, as it can be quoted."""
    for part in re.split(r"[.,;:!?()\n–—]+| - | and (?=\w+ \w+)", text):
        if word and word in part.lower():
            found = part.split()
            at = next((index for index, item in enumerate(found) if word.split()[0] in item.lower()), 0)
            start = 0 if len(found) <= 6 else max(0, min(at - 2, len(found) - 5))
            return excerpt(" ".join(found[start : start + (6 if len(found) <= 6 else 5)]), 48)
    return word


def sum_words(text: str) -> str:
    """The first sum of money as it is written in a text."""
    found = pattern(r"[$£€]\s?\d[\d,.]*\d|[$£€]\s?\d|\d[\d,.]*\s?(?:dollars|euros|pounds)").search(text)
    return found.group() if found else ""


def _weigh_tone(sheet: Sheet, text: str, result: Appraisal, *, neutral: bool) -> None:
    tone = table("themes")["tone"]
    doubt = 1.0 + 0.25 * (share_of(sheet.name, "doubt") - 0.5) + (0.25 if sheet.is_business else 0.0)
    for kind, weight in (
        ("hype", 0.4),
        ("urgency", 0.35),
        ("jargon", 0.3),
        ("hostile", 2.6),
        ("guilt", 0.9),
        ("empty", 0.4),
    ):
        if found := pattern(tone[kind]).search(text):
            result.cons.append(
                Point(
                    kind,
                    weight * doubt,
                    found.group().strip().lower() if found.group().isupper() else found.group().strip(),
                )
            )
    shouted = re.findall(r"\b[A-Z]{4,}\b", text)
    if len(shouted) >= 2 or "!!" in text:
        result.cons.append(Point("shouting", 0.3))
    if len(text.split()) > 90:
        result.cons.append(Point("long", 0.25))
    elif len(stems(text)) < 2 and not neutral:
        result.cons.append(Point("vague", 0.25))


def _weigh_channel(sheet: Sheet, text: str, result: Appraisal) -> None:
    if not sheet.of("channels"):
        return
    for channel in channels_in(text):
        if channel in {
            "instagram",
            "facebook",
            "tiktok",
            "youtube",
            "linkedin",
            "whatsapp",
            "snapchat",
            "email",
            "text",
            "phone",
            "podcasts",
            "post",
        }:
            known = sheet.channels.get(channel)
            (result.pros if known else result.cons).append(
                Point("channel" if known else "wrong_channel", 0.3, channel, known or sheet.of("channels")[0])
            )
