"""Answers about buying: how, with whom, for how much, what would start it and what would end it."""

from __future__ import annotations

import re

from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import Shape, with_article
from app.ai.providers.builtin.talk.life import TIMED, display, from_topics, unknown_with_steer
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.text import seed_of, share_of
from app.ai.providers.builtin.talk.turn import Turn
from app.ai.providers.builtin.talk.who import CHILDREN, PARTNER, at_home, home_words

_PROOF = r"\b(?:review|recommend|referen|word[- ]of[- ]mouth|friend|peer|colleague|case stud|certif|label|research|compar|forum|test|trial|expert|transparen|evidence|proof|data)\w*"

_DIRECT = frozenset("instagram facebook tiktok youtube linkedin whatsapp email text podcasts post".split())
_HOME = re.compile(r"(?:lives?|shares?) ", re.IGNORECASE)
_OTHERS = r"\b(?:boss|board|committee|procurement|sign[- ]?off|approv|stakeholder|colleague|finance (?:team|director)|it team|leadership|partner|accountant|wife|husband|spouse|alone|decides|together|wins? over|owner|adviser|talks? it over|consult|asks? (?:a|one|the|friends))\w*"


def concern(turn: Turn, question: str = "", salt: str = "") -> Fact | None:
    """The worry that bears most on a question; else the first, or with `salt` one that is always the same for it."""
    worries = turn.sheet.of("pains", "objections")
    facts = turn.rank(worries, question) or turn.sheet.of("goals")
    if salt and len(worries) > 1 and facts[0] == worries[0]:
        return worries[seed_of(turn.sheet.name, salt) % len(worries)]
    return facts[0] if facts else None


def about(turn: Turn, key: str, fact: Fact | None, **slots: str) -> str:
    """A line around one fact, in the form that suits a clause or a noun."""
    if fact is None:
        return turn.line("unknown.anything")
    said = fact.said
    if said.shape in (Shape.SELF, Shape.CLAUSE):
        return turn.line(f"{key}_clause", x=fact.clause, **slots) or turn.tell(fact)
    return turn.line(key, x=fact.noun, **slots)


def price_word(turn: Turn) -> str:
    care = turn.sheet.price_care
    if turn.sheet.is_giving:
        return "giving"
    return "b2b" if turn.sheet.is_business else "high" if care > 0.58 else "low" if care < 0.4 else "mid"


def evidence(turn: Turn, found: str, *topics: str) -> Fact | None:
    """The first fact of the topics whose text matches."""
    return next(
        (fact for fact in turn.sheet.of(*topics) if pattern(found).search(fact.text) and not _HOME.match(fact.text)),
        None,
    )


def shopping(turn: Turn, reading: Reading) -> list[str]:
    said = from_topics(turn, reading, "shopping", "shopping", "brands")
    if turn.chatty and turn.sheet.of("shopping"):
        said.append(turn.line(f"buying.price_{price_word(turn)}"))
    return said


def timing_of_need(turn: Turn, reading: Reading) -> list[str]:
    often = r"\b(?:daily|weekly|monthly|yearly|annual\w*|quarterly|every (?:\w+ )?(?:day|week|month|year|years|morning|evening|\w+day)|once|twice|times|per (?:week|month|year)|a (?:week|month|year)|each (?:day|week|month|year))\b"
    facts = [fact for fact in turn.sheet.of("shopping", "habits") if pattern(f"{often}|{TIMED}").search(fact.text)]
    if facts:
        best = turn.rank(facts, reading.question)
        return [turn.tell(best[0]), *[turn.tell(fact, "also") for fact in best[1:2] if not turn.terse]]
    near = [] if turn.terse else turn.rank(turn.sheet.of("shopping"), reading.question)[:1]
    return [turn.line("unknown.number"), *[turn.tell(fact) for fact in near]]


def decide(turn: Turn, reading: Reading) -> list[str]:
    steps = turn.sheet.of("decision") or [
        fact
        for fact in turn.sheet.of("shopping", "habits")
        if pattern(_PROOF + r"|\bdecid|\bbefore\b|\bcheck|\bcompare|\blook").search(fact.text)
    ]
    said = []
    if steps:
        best = turn.rank(steps, reading.question)[0]
        said.append(
            turn.line("buying.decide_steps", x=best.clause) if best.said.shape is Shape.SELF else turn.tell(best)
        )
    elif (worry := concern(turn, reading.question)) and worry.said.shape in (Shape.NOUN, Shape.GERUND):
        said.append(turn.line("buying.decide", x=worry.noun, y=worry.noun))
    if turn.sheet.is_business or turn.sheet.is_giving:
        said.append(turn.line("buying.decide_b2b" if turn.sheet.is_business else "buying.decide_giving"))
    else:
        said.append(turn.line("buying.decide_price_high" if turn.sheet.price_care > 0.5 else "buying.decide_price_low"))
    if (value := turn.sheet.first("values")) and value.said.shape is Shape.NOUN and not turn.terse:
        said.append(turn.line("buying.decide_value", x=value.noun))
    return said


def decision_unit(turn: Turn, reading: Reading) -> list[str]:
    facts = turn.rank(turn.sheet.of("decision"), reading.question)
    if facts:
        return [turn.tell(facts[0]), *[turn.tell(fact, "also") for fact in facts[1:2]]]
    hint = evidence(turn, _OTHERS, "shopping", "habits") or (
        evidence(turn, _OTHERS, "pains", "objections") if turn.sheet.is_business else None
    )
    if turn.sheet.is_business:
        return _unit_at_work(turn, hint)
    home = at_home(turn, f"{CHILDREN}|{PARTNER}", "^$")
    if home and home.topic in {"family", "bio", "habits", "segment"} and not (hint and hint.topic == "shopping"):
        return [turn.line("buying.unit_b2c_home", x=home_words(home))]
    return [turn.tell(hint)] if hint else [turn.line("buying.unit_b2c")]


def _unit_at_work(turn: Turn, hint: Fact | None) -> list[str]:
    job = turn.sheet.first("occupation")
    if hint:
        return [turn.tell(hint), *([] if turn.terse else [turn.line("buying.decide_b2b")])]
    if job and pattern(r"\b(?:owner|founder|ceo|managing director|proprietor|president|self-employed)\b").search(
        job.text
    ):
        return [turn.line("buying.unit_b2b_owner", x=f"{_am(job)}{job.mark}")]
    return [turn.line("buying.unit_b2b", x=f"{_am(job)}{job.mark}")] if job else [turn.line("buying.unit_b2b_plain")]


def _am(job: Fact) -> str:
    return job.said.clause if job.said.shape is Shape.SELF else f"I'm {with_article(job.text)}"


def trust(turn: Turn, reading: Reading) -> list[str]:
    proof = evidence(turn, _PROOF, "shopping", "habits", "channels", "values", "decision")
    said = []
    if proof:
        said.append(
            turn.line("buying.trust_yes", x=proof.noun)
            if proof.said.shape in (Shape.NOUN, Shape.GERUND)
            else turn.tell(proof)
        )
    said.append(turn.line("buying.trust_b2b" if turn.sheet.is_business else "buying.trust_plain"))
    if not turn.terse and (
        value := evidence(
            turn, r"\b(?:honest|transparen|trust|ethic|fair|integrity|privacy|reliab|authentic|quality)\w*", "values"
        )
    ):
        said.append(turn.line("buying.trust_value", x=value.noun))
    return said


def trigger(turn: Turn, reading: Reading) -> list[str]:
    worry, sheet = concern(turn, reading.question), turn.sheet
    if worry is None:
        return unknown_with_steer(turn, "anything")
    said = [about(turn, "buying.make_buy", worry)]
    if (goal := turn.near(worry, "goals")) and not turn.terse:
        if goal.said.shape is Shape.BASE:
            said.append(turn.line("buying.make_buy_goal", x=goal.said.text + goal.mark))
        elif goal.said.shape in (Shape.NOUN, Shape.GERUND):
            said.append(turn.line("buying.make_buy_goal_noun", x=goal.noun))
    close = (
        "b2b" if sheet.is_business else "close_high" if sheet.price_care > 0.5 and not sheet.is_giving else "close_low"
    )
    return [*said, turn.line(f"buying.make_buy_{close}")]


def leave(turn: Turn, reading: Reading) -> list[str]:
    worry = concern(turn, reading.question, "leave")
    if worry is None:
        return unknown_with_steer(turn, "anything")
    said = [about(turn, "buying.leave", worry)]
    if turn.sheet.price_care > 0.5 and not turn.sheet.is_giving:
        said.append(turn.line("buying.leave_price"))
    elif (value := turn.sheet.first("values")) and value.said.shape is Shape.NOUN:
        said.append(turn.line("buying.leave_value", x=value.noun))
    return said


def switch(turn: Turn, reading: Reading) -> list[str]:
    fact = evidence(
        turn, r"\b(?:loyal|switch|sticks? with|stays? with|years with|same brand)\w*", "habits", "shopping", "values"
    )
    worry = concern(turn, reading.question, "switch")
    if worry is None and fact is None:
        return unknown_with_steer(turn, "anything")
    said = [turn.tell(fact)] if fact else []
    easy = turn.sheet.price_care + share_of(turn.sheet.name, "switch") * 0.4 > 0.75
    if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND):
        said.append(turn.line("buying.switch_easy" if easy and not fact else "buying.switch_loyal", x=worry.noun))
    elif worry:
        said.append(about(turn, "buying.make_buy", worry))
    return [*said, turn.line("buying.switch_b2b" if turn.sheet.is_business else "buying.switch_cost")]


def comeback(turn: Turn, reading: Reading) -> list[str]:
    worry = concern(turn, reading.question, "comeback")
    if worry is None:
        return unknown_with_steer(turn, "anything")
    noun = worry.said.shape in (Shape.NOUN, Shape.GERUND)
    said = [turn.line("buying.back", x=worry.noun) if noun else about(turn, "buying.make_buy", worry)]
    if turn.sheet.of("channels"):
        said.append(turn.line("buying.back_reach", x=turn.sheet.of("channels")[0].noun))
    return said


def objection(turn: Turn, reading: Reading) -> list[str]:
    worries = turn.rank(turn.sheet.of("objections", "pains"), reading.question)
    said = [about(turn, "buying.object", worries[0])] if worries else []
    if turn.sheet.is_business:
        said.append(turn.line("buying.object_b2b"))
    else:
        said.append(
            turn.line(
                "buying.object_price"
                if turn.sheet.price_care > 0.5 and not turn.sheet.is_giving
                else "buying.object_proof"
            )
        )
    return said


def alternatives(turn: Turn, reading: Reading) -> list[str]:
    known = turn.rank(turn.sheet.of("brands"), reading.question)
    if known:
        return [turn.tell(known[0]), *[turn.tell(fact, "also") for fact in known[1:2]]]
    now = turn.rank(turn.sheet.of("shopping", "habits"), reading.question)
    if not now:
        return unknown_with_steer(turn, "brands")
    return [
        turn.line(
            "buying.alt_none",
            x=now[0].clause if now[0].said.shape in (Shape.SELF, Shape.CLAUSE, Shape.BASE) else now[0].noun,
        )
    ]


def ideal(turn: Turn, reading: Reading) -> list[str]:
    worry = concern(turn, reading.question, "ideal")
    if worry is None:
        return unknown_with_steer(turn, "anything")
    said = [
        turn.line("buying.ideal", x=worry.noun)
        if worry.said.shape in (Shape.NOUN, Shape.GERUND)
        else about(turn, "buying.make_buy", worry)
    ]
    goal = turn.near(worry, "goals")
    if goal and goal.said.shape is Shape.BASE:
        said.append(turn.line("buying.ideal_goal", x=goal.said.text + goal.mark))
    elif goal and goal.said.shape in (Shape.NOUN, Shape.GERUND):
        said.append(turn.line("buying.ideal_goal_noun", x=goal.noun))
    if turn.chatty and next(iter(turn.sheet.channels), "") in _DIRECT:
        said.append(turn.line("buying.ideal_channel", x=display(next(iter(turn.sheet.channels)))))
    return said
