"""Questions no rule foresees: answered from the fact that bears on them most, or not at all."""

from __future__ import annotations

import re
from functools import lru_cache

from app.ai.providers.builtin.talk.appraisal import appraise
from app.ai.providers.builtin.talk.data import pattern, table, word_set
from app.ai.providers.builtin.talk.grammar import Shape, gerund, lower_first
from app.ai.providers.builtin.talk.life import unknown_with_steer
from app.ai.providers.builtin.talk.price import MOODS, verdict
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.reactions import pro_line, reaction
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.specials import recase
from app.ai.providers.builtin.talk.text import STOP, excerpt, stem, stems, words
from app.ai.providers.builtin.talk.turn import Turn, plain_words

_NEGATIVE = r"^(?:no|none|0|never|false|not\b.*|nothing|n/a)\W*$"
_WEAK = frozenset(
    "own enjoy favourite favorite type kind sort important happy current currently ever often usually".split()
)
_POINTERS = frozenset("that this it them those these idea one plan".split())
_FRAME = frozenset(
    stem(word)
    for word in "person people important happy current currently satisfied else anyone someone anybody own drink eat watch play read ride drive live enjoy hate interested fan regular often favourite favorite type kind sort".split()
)


def retrieve(turn: Turn, question: str) -> list[Fact]:
    """The facts that share telling words with a question, the best first; the field's name counts double."""
    full = stems(question)
    asked = (full - plain_words()) or full
    wide = asked | {stem(other) for word in set(words(question)[:200]) for other in _kin(word)}
    scored = []
    for index, fact in enumerate(turn.sheet.own):
        label = stems(fact.label)
        score = (
            3.0 * len(label & full)
            + 2.0 * len(fact.stems & (asked - _FRAME))
            + 0.8 * min(len(fact.stems & (wide - asked)), 2 if fact.topic in {"interests", "other", "habits"} else 1)
            + 0.7 * len(fact.stems & asked & _FRAME)
        )
        if score >= 1.5:
            scored.append((-score, index, fact))
    return [fact for _, _, fact in sorted(scored, key=lambda item: item[:2])]


@lru_cache(maxsize=4096)
def _kin(word: str) -> tuple[str, ...]:
    """The words of the families a word belongs to."""
    root = stem(word)
    return tuple(other for line in table("kin")["kin"] if root in map(stem, line.split()) for other in line.split())


def open_question(turn: Turn, reading: Reading) -> list[str]:
    found = retrieve(turn, reading.subject or reading.question)
    if found:
        return _from_facts(turn, reading, found)
    if reading.yes_no and pattern(
        r"\bwould you\b|\bdo you (?:like|want|need|prefer|mind)\b|\bare you (?:interested|open|willing)\b"
    ).search(reading.question):
        landed = appraise(turn.sheet, reading.question, neutral=True)
        if landed.pros or landed.cons:
            return reaction(turn, landed, "idea")
    if hobbies := _other_hobbies(turn, reading):
        return [turn.line("life.interests_no", x=hobbies)]
    topic = recase(reading.raw, topic_words(reading.subject or reading.question))
    return unknown_with_steer(turn, "thing", x=topic) if topic else unknown_with_steer(turn, "anything")


def _other_hobbies(turn: Turn, reading: Reading) -> str:
    """What the persona does instead, where a liking nobody noted is asked about."""
    asked = reading.yes_no and pattern(r"\b(?:like|enjoy|love|play|into|fan|watch|interested in|follow)\b").search(
        reading.question
    )
    known = [fact for fact in turn.sheet.of("interests") if fact.said.shape in (Shape.NOUN, Shape.GERUND)]
    return turn.nouns(known[:2]) if asked else ""


def _from_facts(turn: Turn, reading: Reading, found: list[Fact]) -> list[str]:
    best = found[0]
    if not reading.yes_no:
        more = [fact for fact in found[1:2] if not turn.terse]
        return [turn.tell(best), *[turn.tell(fact, "also") for fact in more]]
    if pattern(_NEGATIVE).search(best.text):
        return [f"No{best.mark}."]
    if best.text.lower() in {"yes", "true"}:
        return [
            f"Yes, I am{best.mark}." if pattern(r"\bare you\b").search(reading.question) else f"Yes, I do{best.mark}."
        ]
    asked = stems(reading.question) - plain_words()
    if len(best.stems & asked) * 2 < len(asked) and not stems(best.label) & asked:
        return [turn.tell(best)]  # It touches the question without settling it.
    if best.said.shape in (Shape.SELF, Shape.CLAUSE):
        negative = pattern(r"\b(?:don't|never|not|avoid|won't|hate|dislike|can't|no longer|rarely|seldom)\b").search(
            best.clause
        )
        return [turn.line("manners.no_fact" if negative else "manners.yes_clause", x=best.clause)]
    text = lower_first(best.text) + best.mark if best.topic == "other" else best.noun
    return [turn.line("manners.yes_fact", x=text)]


def in_words(fact: Fact) -> str:
    """A fact as it can stand after a colon: a clause where it has a verb, else a noun."""
    if fact.said.shape is Shape.BASE:
        return f"I want to {fact.said.text}{fact.mark}"
    return fact.clause if fact.said.shape in (Shape.SELF, Shape.CLAUSE) else fact.noun


def topic_words(question: str) -> str:
    """The thing a question is about, fit to be named back; empty when there is none."""
    found = re.findall(r"[\w'&-]+", question)
    kept = [index for index, word in enumerate(found) if not _filler(word)]
    if not kept or len(kept) > 3 or kept[-1] - kept[0] > 3 or "you" in found[kept[0] : kept[-1]]:
        return ""
    start = kept[0] - 1 if kept[0] and found[kept[0] - 1] in {"a", "an", "the", "any"} else kept[0]
    span = " ".join("my" if word == "your" else word for word in found[start : kept[-1] + 1]).removeprefix("any ")
    return excerpt(
        gerund(span) if span.split()[0] in word_set("words", "verbs") - word_set("words", "noun_bases") else span, 48
    )


def _filler(word: str) -> bool:
    return word.lower() in STOP or word in {"PASTED", "BRAND"} or word in _WEAK


def opinion(turn: Turn, reading: Reading) -> list[str]:
    subject = reading.subject or reading.question
    if set(words(subject)) <= _POINTERS and (last := turn.memory.last_topic):
        if last.intent == "pay" and last.amount is not None:
            return [turn.line(f"react.stay_{MOODS[verdict(turn.sheet, last.amount, last.question)]}")]
        subject = " ".join(last.pasted) or last.raw
    found = retrieve(turn, subject)
    landed = appraise(turn.sheet, subject, neutral=True)
    if found and not landed.cons:
        said = [turn.tell(found[0])]
        return said + (
            [
                line
                for line in [pro_line(turn, point, "idea") for point in landed.pros[:1] if point.fact != found[0]]
                if line
            ]
            if not turn.terse
            else []
        )
    if landed.pros and not landed.cons and len(subject.split()) < 5 and landed.pros[0].fact:
        return [
            turn.line(
                "react.important_yes" if landed.stance >= 4 else "react.important_some", x=in_words(landed.pros[0].fact)
            )
        ]
    if landed.pros or landed.cons:
        return reaction(turn, landed, "idea")
    said = [turn.line("react.no_view", x=excerpt(subject, 50))]
    worry = turn.near(Fact(0, "", "", subject), "values", "pains")
    if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND):
        said.append(turn.line("react.judge_by", x=worry.noun))
    return said
