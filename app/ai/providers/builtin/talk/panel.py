"""A persona's part in a panel: a stance on a question or a message, with reasons, objections and a quote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.ai.providers.builtin.talk.appraisal import Appraisal, Point, appraise, sum_words
from app.ai.providers.builtin.talk.buying import concern, objection
from app.ai.providers.builtin.talk.chat import answer_one
from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import as_sentence
from app.ai.providers.builtin.talk.life import uses
from app.ai.providers.builtin.talk.memory import Memory
from app.ai.providers.builtin.talk.price import verdict
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.reactions import con_line, pro_line, reaction
from app.ai.providers.builtin.talk.reading import read_message
from app.ai.providers.builtin.talk.rewrite import rewrites, steps
from app.ai.providers.builtin.talk.sheet import Sheet, read_sheet
from app.ai.providers.builtin.talk.text import clean, clean_block, share_of, unmark
from app.ai.providers.builtin.talk.turn import Turn, voice_of

_LANDED = {"cheap": 4.6, "yes": 4.0, "maybe": 2.8, "no": 1.4}


def answer_panel(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Stance 1 to 5, reasons, objections, quote and would_change. The same facts and seed give the same answer."""
    sheet = read_sheet(facts)
    message, question = clean_block(facts.get("message")), clean_block(facts.get("question"))
    seed = facts.get("seed")
    drift = seed if isinstance(seed, int) and not isinstance(seed, bool) else 0
    turn = Turn(sheet, Memory(), voice_of(sheet), message or question)
    if message:
        return _on_message(turn, message, drift, optimise=facts.get("type") == "optimization")
    return _on_question(turn, question, drift, optimise=facts.get("type") == "optimization")


def _on_message(turn: Turn, message: str, seed: int, *, optimise: bool) -> dict[str, Any]:
    landed = appraise(turn.sheet, message, seed)
    fors, against = _sides(turn, landed, "s")
    quote = reaction(turn, landed, "s")
    return _shape(
        turn,
        landed,
        _by_weight(landed, fors, against),
        against,
        quote,
        _changed(turn, landed, message, optimise=optimise),
    )


def _on_question(turn: Turn, question: str, seed: int, *, optimise: bool) -> dict[str, Any]:
    reading = read_message(question, clean(turn.sheet.brief.get("name", ""), 60))[0]
    landed = _stance_of(turn.sheet, reading, question, seed)
    said = answer_one(turn, reading)
    fors, against = _sides(turn, landed, "idea")
    if reading.intent not in {"proposal", "opinion", "pay", "compare", "react"}:
        fors, against = [unmark(line) for line in said[-2:]], [unmark(line) for line in objection(turn, reading)[:1]]
    worry = concern(turn, question)
    changed = _changed(turn, landed, question, optimise=optimise)
    if worry and not landed.cons and not optimise:
        changed = f"Show me that it helps with {worry.said.noun}."
    return _shape(turn, landed, _by_weight(landed, fors, against), against, said, changed)


def _stance_of(sheet: Sheet, reading: Reading, question: str, seed: int) -> Appraisal:
    """How far the persona is for what the question puts to it."""
    landed = appraise(sheet, question, seed, neutral=True)
    if reading.intent == "pay" and reading.amount is not None:
        raised = pattern(r"\brais\w+|\bincreas\w+|\bgo(?:ing)? up\b").search(question)
        base = _LANDED[verdict(sheet, reading.amount, reading.question)] - (0.8 if raised else 0.0)
        _price_point(landed, verdict(sheet, reading.amount, reading.question), question)
        landed.score = min(5.0, max(1.0, base + (share_of(sheet.name, seed, "price") - 0.5) * 0.4))
    elif reading.intent == "channel" and reading.channels:
        known = uses(sheet, reading.channels[0])
        landed.score = 4.4 if known else 3.0 if known is None else 1.9
    return landed


def _price_point(landed: Appraisal, answer: str, question: str) -> None:
    """The price itself comes first among the reasons."""
    point = Point("price_ok" if answer in {"cheap", "yes"} else "price_high", 1.0, sum_words(question))
    side = landed.pros if point.kind == "price_ok" else landed.cons
    side[:] = [point, *[other for other in side if other.kind not in {"price_ok", "price_high", "offer"}]]


def _sides(turn: Turn, landed: Appraisal, kind: str) -> tuple[list[str], list[str]]:
    fors = [unmark(line) for line in [pro_line(turn, point, kind) for point in landed.pros[:3]] if line]
    return fors, [unmark(line) for line in [con_line(turn, point) for point in landed.cons[:4]] if line]


def _by_weight(landed: Appraisal, fors: list[str], against: list[str]) -> list[str]:
    """The reasons that bear the stance out: for it, against it, or some of both."""
    if landed.stance >= 4:
        return fors or against[:1]
    return fors[:2] + against[:2] if landed.stance == 3 else against[:3] or fors[:1]


def _shape(
    turn: Turn, landed: Appraisal, reasons: list[str], against: list[str], quote: list[str], changed: str
) -> dict[str, Any]:
    return {
        "stance": landed.stance,
        "reasons": reasons[:4] or [_plain_reason(turn)],
        "objections": against[: 1 if landed.stance == 5 else 4],
        "quote": unmark(" ".join(quote[:3])),
        "would_change": changed,
    }


def _plain_reason(turn: Turn) -> str:
    worry = next(iter(turn.sheet.of("pains", "goals", "values")), None)
    return unmark(turn.tell(worry)) if worry else turn.line("react.con_beside_none")


def _changed(turn: Turn, landed: Appraisal, text: str, *, optimise: bool) -> str:
    return rewrites(turn, landed, text) if optimise else as_sentence(steps(turn, landed, text)[0])
