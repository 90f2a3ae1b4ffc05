"""Answers one chat message in the persona's first person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.ai.providers.builtin.talk import advice, buying, followups, life, manners, money, reactions, who
from app.ai.providers.builtin.talk.data import table
from app.ai.providers.builtin.talk.memory import FOLLOW_UPS, Memory, remember
from app.ai.providers.builtin.talk.open_question import open_question, opinion
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.reading import read_message
from app.ai.providers.builtin.talk.sheet import Sheet, read_sheet
from app.ai.providers.builtin.talk.text import bare, clean
from app.ai.providers.builtin.talk.turn import Turn, voice_of

Answer = Callable[[Turn, Reading], list[str]]
_UNREPEATED = FOLLOW_UPS | {"bye", "how_are_you", "ai", "insult", "cannot", "user_name", "recall", "joke"}
_AGAIN = tuple(table("phrases")["again"]["lead"])
_COURTEOUS = frozenset({"greeting", "thanks", "how_are_you", "compliment"})

ANSWERS: dict[str, Answer] = {
    "user_name": manners.user_name, "recall": manners.recall, "ai": manners.ai, "provenance": manners.provenance, "sure": manners.sure,
    "insult": manners.simple("manners.insult"), "compliment": manners.simple("manners.compliment"), "thanks": manners.simple("manners.thanks"),
    "bye": manners.simple("manners.bye"), "greeting": manners.greeting, "how_are_you": manners.simple("manners.how_are_you"),
    "meaning": followups.meaning, "more": followups.more, "example": followups.example, "why": followups.why, "ack": manners.simple("manners.ack"),
    "joke": manners.simple("manners.joke"), "private": who.private, "intimate": who.intimate, "belief": who.belief, "cannot": manners.cannot,
    "empty": manners.empty, "injection": manners.simple("manners.injection"), "code": manners.simple("manners.code"), "foreign": manners.simple("manners.foreign"),
    "statement": manners.statement, "timing": life.timing, "rate": reactions.rate, "intro": who.intro, "age": who.age, "gender": who.gender, "income": who.income,
    "children": who.children, "partner": who.partner, "family": who.family, "team": who.team, "occupation": who.occupation, "location": who.location,
    "education": who.education, "nps": reactions.nps, "comeback": buying.comeback, "leave": buying.leave, "switch": buying.switch, "objection": buying.objection,
    "trigger": buying.trigger, "alternatives": buying.alternatives, "decision_unit": buying.decision_unit, "budget": money.budget, "discount": money.discount,
    "price": money.price, "trust": buying.trust, "timing_of_need": buying.timing_of_need, "decide": buying.decide, "product_use": reactions.product_use,
    "advice": advice.advice, "messaging": advice.messaging, "importance": advice.importance, "stay": advice.stay, "three_words": advice.three_words, "ideal": buying.ideal, "pains": life.pains, "goals": life.goals, "values": life.values,
    "routine": life.routine, "interests": life.interests, "channels": life.channels, "shopping": buying.shopping, "opinion_us": reactions.opinion_us,
    "opinion": opinion, "compare": reactions.compare, "react": reactions.react, "proposal": reactions.proposal, "pay": money.pay, "channel": life.channel,
    "open": open_question, "feel": followups.feel, "worked": followups.worked, "repeat": followups.repeat, "improve": advice.improve,
}  # fmt: skip


def answer_chat(facts: Mapping[str, Any]) -> str:
    """The persona's answer to `message` as Markdown with [n] marks. Never fails, whatever shape the facts have."""
    sheet = read_sheet(facts)
    message = facts.get("message")
    text = message if isinstance(message, str) else clean(message)
    brand = clean(sheet.brief.get("name", ""), 60)
    memory = remember(facts.get("history"), text, brand)
    memory.knew_name = bool(memory.user_name)
    memory.hear(text)
    turn = Turn(sheet, memory, voice_of(sheet), text)
    return compose(turn, read_message(text, brand))


def compose(turn: Turn, readings: list[Reading]) -> str:
    """All the answers of a message as one text, no sentence twice."""
    asked = [reading for reading in readings if reading.intent not in _COURTEOUS]
    lead = _courtesy(turn, readings) if asked else []
    said: list[str] = []
    for reading in (asked or readings[:1])[:3]:
        said += answer_one(turn, reading)[: turn.voice.most_sentences if len(asked) < 2 else 2]
    return lay_out(turn, _once([*lead, *said]))


def answer_one(turn: Turn, reading: Reading) -> list[str]:
    """The sentences that answer one question."""
    reading = followups.resolve(turn, reading) if reading.intent == "follow" else reading
    if reading.intent == "open" and _leans_back(reading) and turn.memory.last_topic:
        reading = replace(reading, subject=f"{reading.question} {turn.memory.last_topic.question}")
    said = [line for line in ANSWERS.get(reading.intent, open_question)(turn, reading) if line]
    if (
        reading.why
        and not (reading.intent == "channel" and reading.channels[0] not in turn.sheet.channels)
        and reading.intent in {"channel", "channels", "values", "goals", "interests", "open"}
        and len(said) < 3
    ):
        base = next((fact for fact in turn.sheet.facts if fact.number and f"[{fact.number}]" in " ".join(said)), None)
        said += followups.reasons(turn, base)[:1] if base else []
    if said and turn.memory.times_asked(reading) and reading.intent not in _UNREPEATED and _cited_before(turn, said[0]):
        said[0] = said[0] if said[0].startswith(_AGAIN) else turn.again(said[0])
    said = [line for index, line in enumerate(said) if index == 0 or not line.startswith(_AGAIN)]
    return said or [turn.line("unknown.anything")]


def _cited_before(turn: Turn, line: str) -> bool:
    """Whether a line rests only on what was already said."""
    return {int(mark) for mark in re.findall(r"\[(\d+)\]", line)} <= set(turn.memory.cited)


def _leans_back(reading: Reading) -> bool:
    found = reading.question.split()
    return len(found) < 9 and bool(
        {"it", "that", "this", "them", "those", "these"} & {word.strip("?.!,") for word in found}
    )


def _courtesy(turn: Turn, readings: list[Reading]) -> list[str]:
    first = readings[0].intent
    if turn.memory.user_name and turn.memory.user_name.lower() in turn.message.lower() and not turn.memory.knew_name:
        return [turn.line("manners.met", u=turn.memory.user_name)]
    name = f", {turn.memory.user_name}" if turn.memory.user_name else ""
    if first == "greeting" and not turn.memory.answers:
        return [turn.line("manners.hi_short", u=name.replace(",", ""))]
    return [turn.line("manners.how_are_you")] if first == "how_are_you" else []


def _once(said: list[str]) -> list[str]:
    seen: set[str] = set()
    kept = []
    for line in said:
        if line and bare(line) not in seen:
            seen.add(bare(line))
            kept.append(line)
    return kept


def lay_out(turn: Turn, said: list[str]) -> str:
    """The sentences as one paragraph, or two where a chatty voice has many."""
    if turn.chatty and len(said) >= 4 and sum(map(len, said)) > 260:
        return f"{' '.join(said[:2])}\n\n{' '.join(said[2:])}"
    return " ".join(said)


__all__ = ["Memory", "Sheet", "answer_chat"]
