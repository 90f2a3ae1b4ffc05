"""Answers that lean on what was said before: why, more, an example, and what about that?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from app.ai.providers.builtin.talk.appraisal import appraise
from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import Shape, as_sentence
from app.ai.providers.builtin.talk.question import Reading, amount_in
from app.ai.providers.builtin.talk.reactions import con_line, pro_line
from app.ai.providers.builtin.talk.reading import read_message
from app.ai.providers.builtin.talk.sheet import Fact, channels_in
from app.ai.providers.builtin.talk.text import sentences
from app.ai.providers.builtin.talk.turn import Turn

Answer = Callable[[Turn, Reading], list[str]]
FIXED = frozenset("age gender location intro children partner family education".split())
JUDGED = frozenset("react proposal compare rate opinion pay opinion_us nps".split())
RELATED = {
    "pains": ("pains", "objections", "goals"), "goals": ("goals", "values", "pains"), "values": ("values", "habits", "quote"), "interests": ("interests", "habits"),
    "routine": ("habits", "shopping", "interests"), "channels": ("channels", "habits"), "channel": ("channels", "habits"), "shopping": ("shopping", "habits", "values"),
    "decide": ("shopping", "values", "pains"), "intro": ("pains", "goals", "interests", "habits", "values"), "occupation": ("company", "habits", "pains"), "price": ("shopping", "budget", "pains"),
}  # fmt: skip
ANY = ("pains", "goals", "shopping", "habits", "values", "interests", "channels")


def last_facts(turn: Turn) -> list[Fact]:
    """The facts the last answer leaned on."""
    return [fact for number in turn.memory.last_cited for fact in turn.sheet.facts if fact.number == number]


def why(turn: Turn, reading: Reading) -> list[str]:
    last = turn.memory.last_topic
    if last is None:
        return [turn.line("manners.empty")]
    if last.intent in FIXED:
        return [turn.line("manners.why_fixed")]
    if last.intent in JUDGED:
        return _why_judged(turn, last)
    if not turn.memory.last_cited and last.intent == "open":
        return [turn.line("manners.why_none")]
    base = next(iter(last_facts(turn) or turn.sheet.of(*RELATED.get(last.intent, ANY))), None)
    return reasons(turn, base)


def _why_judged(turn: Turn, last: Reading) -> list[str]:
    text = " ".join(last.pasted) or " ".join(last.options[:1]) or last.raw
    landed = appraise(turn.sheet, text, neutral=True)
    kind = "s" if last.pasted else "idea"
    points = (
        [pro_line(turn, point, kind) for point in landed.pros]
        if landed.stance >= 3
        else [con_line(turn, point) for point in landed.cons]
    )
    points += [con_line(turn, point) for point in landed.cons] if landed.stance >= 3 else []
    best = next((point.fact for point in landed.pros + landed.cons if point.fact), None) or next(
        iter(turn.sheet.of("pains", "values")), None
    )
    fresh = [line for line in points if line and not _all_cited(turn, line)]
    return fresh[:1] + reasons(turn, best)[:1] if fresh else reasons(turn, best)


def _all_cited(turn: Turn, line: str) -> bool:
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", line)}
    return bool(marks) and marks <= set(turn.memory.last_cited)


def reasons(turn: Turn, base: Fact | None) -> list[str]:
    """Why something said about oneself is so: the wish, the worry or the value nearest to it."""
    if base is None:
        return [turn.line("manners.why_none")]
    wanted = {"pains": ("goals", "values"), "goals": ("values", "pains"), "values": ("goals", "pains", "quote")}.get(
        base.topic, ("pains", "goals", "values")
    )
    said = []
    for topic in wanted[:1] if turn.terse else wanted[:2]:
        if fact := turn.near(base, topic):
            said.append(because(turn, fact))
    return said or [turn.line("manners.why_none")]


def because(turn: Turn, fact: Fact) -> str:
    """One reason, in the form its fact allows."""
    shape = fact.said.shape
    if fact.topic == "quote":
        return turn.tell(fact)
    if shape is Shape.BASE:
        return turn.line("manners.why_goal", x=fact.said.text + fact.mark)
    if shape in (Shape.SELF, Shape.CLAUSE):
        return turn.line("manners.why_clause", x=fact.clause)
    return turn.line("manners.why_value" if fact.topic == "values" else "manners.why_because", x=fact.noun)


def feel(turn: Turn, reading: Reading) -> list[str]:
    """How what was just told feels: worries weigh, the rest does not."""
    cited = last_facts(turn)
    worry = next((fact for fact in cited if fact.topic in {"pains", "objections"}), None)
    if cited and not worry:
        return [turn.line("manners.feel_good")]
    goal = turn.near(worry, "goals") if worry else turn.sheet.first("goals")
    return [turn.line("manners.feel"), *([turn.tell(goal)] if goal else [])]


def worked(turn: Turn, reading: Reading) -> list[str]:
    worry = next((fact for fact in last_facts(turn) if fact.topic == "pains"), None) or turn.sheet.first("pains")
    if worry is None:
        return [turn.line("manners.why_none")]
    clause = worry.said.shape in (Shape.SELF, Shape.CLAUSE)
    return [
        turn.line("manners.worked_clause" if clause else "manners.worked", x=worry.clause if clause else worry.noun)
    ]


def repeat(turn: Turn, reading: Reading) -> list[str]:
    if not turn.memory.last_answer:
        return [turn.line("manners.repeat_none")]
    return [turn.line("manners.repeat", x=" ".join(sentences(turn.memory.last_answer)[:2]))]


def more(turn: Turn, reading: Reading) -> list[str]:
    last = turn.memory.last_topic
    topics = RELATED.get(last.intent, ANY) if last else ANY
    named = channels_in(reading.raw)
    facts = [fact for fact in turn.sheet.of(*topics) if fact.number not in turn.memory.cited or not fact.number]
    facts = [fact for fact in facts if turn.memory.last_answer.lower().find(fact.text.lower()) < 0]
    if named:
        facts = turn.rank(facts, reading.question)
    if not facts:
        rest = [fact for fact in turn.rank(turn.sheet.of(*ANY), fresh=True) if fact.number not in turn.memory.cited][:1]
        return [turn.line("manners.no_more"), *[turn.tell(fact) for fact in rest]]
    return [turn.tell(facts[0]), *[turn.tell(fact, "also") for fact in facts[1 : 2 if turn.terse else 3]]]


def example(turn: Turn, reading: Reading) -> list[str]:
    last = turn.memory.last_topic
    episode = pattern(r"\b(?:time|last|recent|story|moment|when|did you)\b").search(reading.question)
    known = turn.sheet.of(*(RELATED.get(last.intent, ANY) if last else ANY))
    base = next(iter(last_facts(turn)), None) or next(iter(known), None)
    if base is None:
        return [turn.line("manners.no_more")]
    if pattern(r"frustrat|annoy|problem|difficult|struggl|wrong|stress").search(reading.question):
        chosen = turn.sheet.first("pains") or base
    else:
        chosen = turn.near(base, "habits", "shopping") or turn.near(base, "pains", "goals") or base
    if (
        pattern(r"\b(?:breakfast|lunch|dinner|wear|watch|drink)\b").search(reading.question)
        and reading.intent == "example"
    ):
        return [turn.line("unknown.episode")]
    if not episode:
        return [turn.tell(chosen)]
    told = (
        as_sentence(chosen.clause) if chosen.said.shape in (Shape.SELF, Shape.CLAUSE, Shape.BASE) else turn.tell(chosen)
    )
    return [turn.line("life.no_last_time"), told]


def meaning(turn: Turn, reading: Reading) -> list[str]:
    cited = last_facts(turn)
    if not cited:
        return [turn.line("manners.meaning_none")]
    fact = cited[0]
    said = [
        turn.line(
            "manners.meaning", x=fact.clause if fact.said.shape in (Shape.SELF, Shape.CLAUSE, Shape.BASE) else fact.noun
        )
    ]
    other = turn.near(fact, "goals", "pains")
    return said + ([turn.tell(other)] if other else [])


def resolve(turn: Turn, reading: Reading) -> Reading:
    """A `what about X?` as the question it stands for."""
    subject, last = reading.subject, turn.memory.last_topic
    if (
        last
        and last.intent == "proposal"
        and pattern(r"\d|\b(?:one|two|three|four|six|free|half|double|twice|month|week|year)s?\b").search(subject)
    ):
        return replace(last, raw=f"{last.raw} {reading.raw}", question=f"{last.question} {subject}")
    if named := channels_in(subject):
        return replace(reading, intent="channel", channels=tuple(named), question=f"do you use {subject}")
    if (amount := amount_in(reading.raw)) is not None:
        tail = pattern(r"\b(?:a|per) (?:month|week|year)\b").search(last.question) if last else None
        return replace(
            reading, intent="pay", amount=amount, question=f"would you pay {subject} {tail.group() if tail else ''}"
        )
    for form in (f"tell me about your {subject}?", f"what is your {subject}?", f"do you have {subject}?"):
        found = read_message(form)[0]
        if found.intent not in {"open", "statement", "opinion", "foreign", "empty", "follow"}:
            return replace(found, raw=reading.raw)
    if last and last.intent in JUDGED:
        return replace(reading, intent="proposal" if len(subject.split()) > 2 else "opinion", subject=subject)
    return replace(reading, intent="open", subject=subject, question=f"do you have {subject}")
