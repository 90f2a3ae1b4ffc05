"""Answers about money: what something may cost, how a sum lands, what a discount does."""

from __future__ import annotations

from app.ai.providers.builtin.talk.buying import concern, evidence, price_word
from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import Shape
from app.ai.providers.builtin.talk.price import verdict
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.turn import Turn


def budget(turn: Turn, reading: Reading) -> list[str]:
    known = turn.rank(turn.sheet.of("budget"), reading.question) or [
        fact
        for fact in turn.sheet.of("shopping", "habits", "decision")
        if pattern(r"[$£€]\s?\d|\b\d+\s?(?:dollars|euros|pounds)|\bbudget\b").search(fact.text)
    ]
    if known:
        said = [turn.tell(known[0])]
        return said if turn.terse else [*said, turn.line(f"buying.price_{price_word(turn)}")]
    worry = concern(turn, reading.question)
    said = [
        turn.line(
            "buying.budget_none",
            x=worry.noun if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND) else "what I need",
        )
    ]
    if not turn.terse:
        said.insert(0, turn.line(f"buying.price_{price_word(turn)}"))
    return said


def price(turn: Turn, reading: Reading) -> list[str]:
    said = [turn.line(f"buying.price_{price_word(turn)}")]
    if fact := evidence(
        turn,
        r"\b(?:price|cost|budget|cheap|deal|discount|afford|value|premium|quality|pays? (?:more|extra|for)|money|saving)\w*",
        "pains",
        "shopping",
        "habits",
        "values",
        "goals",
        "objections",
    ):
        said.append(turn.tell(fact))
    return said


def discount(turn: Turn, reading: Reading) -> list[str]:
    said = [turn.line(f"buying.discount_{price_word(turn)}")]
    if fact := evidence(
        turn,
        r"\b(?:discount|deal|coupon|voucher|promo|offer|sale|bargain|price|loyalty|trial|free)\w*",
        "shopping",
        "habits",
        "pains",
        "values",
        "channels",
    ):
        said.append(turn.tell(fact))
    elif not turn.sheet.is_giving and pattern(r"\bfree (?:trial|sample|month)").search(reading.question):
        said.append(turn.line("buying.trial"))
    return said


def pay(turn: Turn, reading: Reading) -> list[str]:
    """How a sum lands. A question whether it is too much is answered the other way round, a mere statement without yes or no."""
    shown = _money(turn, reading, reading.amount or 0.0)
    answer = verdict(turn.sheet, reading.amount or 0.0, reading.question)
    worry = concern(turn, reading.question, "pay")
    noun = worry.noun if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND) else ""
    manner = _manner(reading)
    if manner != "pay":
        return [turn.line(f"buying.{manner}_{answer}", p=shown, x=noun or "what I need")]
    if answer in {"yes", "maybe"} and not noun:
        return [turn.line(f"buying.pay_{answer}_plain", p=shown), *([turn.tell(worry)] if worry else [])]
    said = [turn.line(f"buying.pay_{answer}", p=shown, x=noun)]
    money = r"\b(?:price|cost|budget|expensive|afford|deal|fee)\w*"
    if answer == "no" and (fact := evidence(turn, money, "pains", "shopping", "goals", "objections")):
        said.append(turn.tell(fact))
    return said


def _manner(reading: Reading) -> str:
    if pattern(r"\b(?:too (?:much|expensive|high|steep|dear)|overpriced|expensive|a lot|steep)\b").search(
        reading.question
    ):
        return "too"
    asked = reading.yes_no or pattern(r"\byou\b|\?|^what about|^and\b").search(f"{reading.question} {reading.raw}")
    return "pay" if asked else "land"


def _money(turn: Turn, reading: Reading, amount: float) -> str:
    found = pattern(
        r"[$£€]\s?\d[\d,]*(?:\.\d+)?k?|\d[\d,]*(?:\.\d+)?k?\s?(?:dollars|bucks|usd|euros?|eur|pounds|quid|gbp)"
    ).search(reading.raw)
    tail = pattern(
        r"\b(?:a|per|each) (?:month|week|year|day|seat|user|person|visit|box|kilo|bottle|session|class|employee)\b"
    ).search(reading.raw)
    return f"{found.group() if found else f'{amount:g}'}{' ' + tail.group().lower() if tail else ''}"
