"""Answers to everything that is not about the persona's life: courtesies, questions about itself, and what it cannot know."""

from __future__ import annotations

from collections.abc import Callable

from app.ai.providers.builtin.talk.data import table, word_set
from app.ai.providers.builtin.talk.grammar import Shape
from app.ai.providers.builtin.talk.life import from_topics
from app.ai.providers.builtin.talk.open_question import retrieve
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.text import STOP, excerpt, join, stem, words
from app.ai.providers.builtin.talk.turn import Turn


def _user(turn: Turn) -> str:
    return f", {turn.memory.user_name}" if turn.memory.user_name else ""


def steer(turn: Turn, key: str = "cannot.turn_to") -> list[str]:
    """An offer of something the persona can speak to; seldom twice the same, and not from the terse."""
    if turn.terse or not turn.fresh(key):
        return []
    facts = [
        fact
        for fact in turn.rank(turn.sheet.of("pains", "shopping", "interests", "goals"), fresh=True)
        if fact.said.shape in (Shape.NOUN, Shape.GERUND)
    ]
    return [turn.line(key, x=facts[0].noun)] if facts else []


def simple(key: str) -> Callable[[Turn, Reading], list[str]]:
    """An answer that is one line of the phrase table."""

    def answer(turn: Turn, reading: Reading) -> list[str]:
        return [turn.line(key, u=_user(turn), name=turn.sheet.first_name)]

    return answer


def greeting(turn: Turn, reading: Reading) -> list[str]:
    return [turn.line("manners.greeting_again" if turn.memory.answers else "manners.greeting", u=_user(turn))]


def empty(turn: Turn, reading: Reading) -> list[str]:
    return [turn.line("manners.empty"), *steer(turn, "manners.empty_offer")]


def ai(turn: Turn, reading: Reading) -> list[str]:
    segment = excerpt(turn.sheet.segment.get("name", ""), 50)
    return [turn.line("manners.ai", s=f" from a group called “{segment}”" if segment else "")]


def cannot(turn: Turn, reading: Reading) -> list[str]:
    said = [turn.line(f"cannot.{reading.subject}")]
    return said if reading.subject in {"harm", "user"} else said + steer(turn)


def user_name(turn: Turn, reading: Reading) -> list[str]:
    if turn.memory.user_name:
        return [turn.line("manners.user_name", u=turn.memory.user_name)]
    return [turn.line("manners.user_name_unknown")]


def recall(turn: Turn, reading: Reading) -> list[str]:
    told = turn.memory.told
    if told:
        best = max(
            told, key=lambda text: (len(set(text.lower().split()) & set(reading.question.split())), told.index(text))
        )
        return [turn.line("manners.recall", q=best)]
    names = table("topics")["spoken"]
    asked = list(dict.fromkeys(names[item.intent] for item in turn.memory.asked if item.intent in names))
    return [turn.line("manners.recall_asked", q=join(asked[-3:]))] if asked else [turn.line("manners.recall_none")]


def provenance(turn: Turn, reading: Reading) -> list[str]:
    cited = [fact for number in turn.memory.last_cited for fact in turn.sheet.facts if fact.number == number][:2]
    if not cited:
        return [turn.line("manners.source_none")]
    return [_source(turn, fact) for fact in cited]


def _source(turn: Turn, fact: Fact) -> str:
    kind = table("phrases")["manners"].get(f"source_{fact.kind}")
    words = fact.clause if fact.said.shape in (Shape.SELF, Shape.CLAUSE) else fact.noun
    return (
        turn.line("manners.source", k=kind, x=words)
        if isinstance(kind, str)
        else turn.line("manners.source_plain", x=words)
    )


def sure(turn: Turn, reading: Reading) -> list[str]:
    cited = [fact for number in turn.memory.last_cited for fact in turn.sheet.facts if fact.number == number]
    if cited:
        fact = cited[0]
        return [
            turn.line(
                "manners.sure_fact", x=fact.clause if fact.said.shape in (Shape.SELF, Shape.CLAUSE) else fact.noun
            )
        ]
    return [turn.line("manners.sure")]


def _known_words(turn: Turn, question: str) -> bool:
    """Whether a text has any word that is English as far as the tables know."""
    known = (
        STOP
        | word_set("words", "verbs")
        | set(table("spelling")["words"].split())
        | {word for line in table("kin")["kin"] for word in line.split()}
    )
    return any(word in known or stem(word) in known or word.isdigit() for word in words(question)) or bool(
        retrieve(turn, question)
    )


def statement(turn: Turn, reading: Reading) -> list[str]:
    if turn.memory.user_name and turn.memory.user_name.lower() in reading.raw.lower():
        return [turn.line("manners.met", u=turn.memory.user_name)]
    if not _known_words(turn, reading.question):
        return [turn.line("manners.empty")]
    if len(reading.question.split()) > 4 and turn.sheet.of("pains") and set(reading.question.split()) & {"i", "my"}:
        return [turn.line("manners.told"), turn.line("manners.ack")]
    return (
        [turn.line("manners.told"), *from_topics(turn, reading, "anything", "pains")[:1]]
        if turn.chatty and not turn.memory.answers
        else [turn.line("manners.told"), turn.line("manners.ack")]
    )
