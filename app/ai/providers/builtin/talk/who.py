"""Answers about who the persona is: name, age, work, home, money, family."""

from __future__ import annotations

import re

from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import Shape, lower_first, with_article
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.text import capital
from app.ai.providers.builtin.talk.turn import Turn

_ONE = r"(?:her|his|their|my|a|one|two|three|four|five|\d|young|school-age|grown-up|small|teenage)"
CHILDREN = (
    rf"\b{_ONE}\s+(?:\w+\s+)?(?:kids?|child(?:ren)?|sons?|daughters?|toddlers?|teenagers?|boys|girls|bab(?:y|ies)|twins)\b(?!'?s? (?:charit|cause|hospital|education))|"
    r"\b(?:mum|mom|mother|father|dad|parents?)\s+(?:of|to|with)\b|\bschool run\b|\bfamily of (?:three|four|five|six|\d)\b|\bnew parents?\b|\bwith (?:kids|children)\b|\bsingle (?:mum|mom|dad|parent)|\bworking parents?\b"
)
GONE = r"\b(?:kids|children|sons?|daughters?) (?:have |has )?(?:left|moved out|flown|grown)|grown[- ]up (?:kids|children|son|daughter)|empty[- ]nest"
NO_CHILDREN = r"\b(?:no (?:kids|children)|child-?free|childless|without (?:kids|children))\b"
PARTNER = r"\b(?:married|husband|wife|spouse|(?<!business )partner(?!s?hip|ed| with| at| in| of)|boyfriend|girlfriend|fianc[eé]e?|cohabit\w+|couple)\b"
NO_PARTNER = r"\b(?:single(?! (?:\w+ )?(?:point|source|sign|view|malt|use|purchase|supplier|login|system|mum|mom|dad|parent))|divorced|widow(?:ed|er)?|unmarried|separated|lives? (?:alone|on (?:her|his|their|my) own|by)|shares? (?:a |an )?(?:flat|house|apartment|home|room)|flatmates?|housemates?|roommates?)\b"


def intro(turn: Turn, reading: Reading) -> list[str]:
    if pattern(r"\bname\b|call(?:ed)? you|are you called").search(reading.question):
        return [turn.line("who.name", name=turn.sheet.name)] if turn.sheet.name else [turn.line("who.nameless")]
    said = [_opening(turn)]
    if turn.terse or pattern(r"\b(?:brief|short|quick|one sentence|one line)").search(reading.question):
        worry = turn.sheet.first("pains", "goals")
        return [*said, *([turn.tell(worry)] if worry else [])]
    for topic in ("pains", "goals", "interests"):
        if fact := turn.sheet.first(topic):
            said.append(turn.tell(fact, "lead"))
    return said


def _opening(turn: Turn) -> str:
    sheet = turn.sheet
    age, job, place = sheet.first("age"), sheet.first("occupation"), sheet.first("location")
    name = sheet.name or "nobody you'd know by name"
    about = _job_clause(job) if job else f"I live in {place.text}{place.mark}" if place else ""
    if job and place and " in " not in about:
        about = f"{about} in {place.text}{place.mark}"
    if age and sheet.age and about:
        return turn.line("who.short", name=name, age=str(sheet.age), mark=age.mark, job=about)
    if about:
        return f"I'm {name}, and {about}."
    return turn.line("who.hello" if sheet.name else "who.nameless", name=name)


def _job_clause(job: Fact) -> str:
    text = job.said
    return text.clause + job.mark if text.shape is Shape.SELF else f"I'm {with_article(job.text)}{job.mark}"


def age(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("age")
    if not fact:
        return [turn.line("unknown.age")]
    years = turn.sheet.age
    text = f"{years}{fact.mark}" if years else f"{lower_first(fact.text)}{fact.mark}"
    asked = pattern(
        r"\b(over|under|older than|younger than|in your)\s+(?:the age of )?(\d{2}|twenties|thirties|forties|fifties|sixties|seventies)"
    ).search(reading.question)
    exact = pattern(r"\bare you (\d{1,3})\b").search(reading.question)
    if years and asked:
        return [turn.line("who.over_yes" if _age_is(years, asked.group(1), asked.group(2)) else "who.over_no", x=text)]
    if years and exact:
        return [turn.line("who.over_yes" if years == int(exact.group(1)) else "who.over_no", x=text)]
    return [turn.line("who.age" if years else "who.age_vague", x=text)]


def _age_is(years: int, how: str, than: str) -> bool:
    decades = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70}
    bound = decades.get(than) or int(than) if than.isdigit() or than in decades else 0
    if how.lower() == "in your":
        return bound <= years < bound + 10
    return years > bound if how.lower() in {"over", "older than"} else years < bound


def gender(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("gender")
    if not fact:
        return [turn.line("unknown.gender")]
    kind = {"female": "a woman", "woman": "a woman", "f": "a woman", "male": "a man", "man": "a man", "m": "a man"}.get(
        fact.text.lower(), lower_first(fact.text)
    )
    asked = pattern(r"\ba?\s?(man|woman|male|female|boy|girl|guy|lady)\b").search(reading.question)
    lead = ""
    if asked and reading.yes_no and " or " not in reading.question and kind in {"a woman", "a man"}:
        lead = "Yes, " if (asked.group(1) in {"woman", "female", "girl", "lady"}) == (kind == "a woman") else "No, "
    return [f"{lead}{'' if lead else 'I am '}{kind if not lead else 'I am ' + kind}{fact.mark}.".replace("I am", "I'm")]


def income(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("income")
    if not fact:
        return [turn.line("unknown.income")]
    text = re.sub(
        r"^(?:about|around|roughly|approximately|approx\.?|circa|c\.|~)\s*",
        "",
        re.sub(r"\s*\([^)]*\)", "", lower_first(fact.text)),
    )
    if re.search(r"household", fact.text, re.I) and "household" not in text:
        text += " between all of us at home"
    if turn.sheet.yearly_income and not re.search(r"year|annual|month|hour|week|p\.?a", text, re.I):
        text += " a year"
    care = turn.sheet.price_care
    said = [turn.line("who.income", x=text + fact.mark)]
    if reading.amount and turn.sheet.yearly_income and reading.yes_no:
        more = not pattern(r"\b(?:less|under|below)\b").search(reading.question)
        yes = (turn.sheet.yearly_income > reading.amount) == more
        return [f"{'Yes' if yes else 'No'}, it's around {text}{fact.mark}."]
    if not turn.sheet.is_business:
        said.append(
            turn.line("who.income_tight" if care > 0.6 else "who.income_easy" if care < 0.4 else "who.income_mid")
        )
    return said


def occupation(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("occupation")
    if not fact:
        return [turn.line("unknown.occupation")]
    said = [
        turn.line("who.job_self", x=fact.clause)
        if fact.said.shape is Shape.SELF
        else turn.line("who.job_am", x=with_article(fact.text) + fact.mark)
    ]
    if (
        pattern(r"\b(?:like|love|enjoy|hate|about|describe|what's it like|how is)\b").search(reading.question)
        or not turn.terse
    ):
        more = turn.near(fact, "company", "pains" if turn.sheet.is_business else "habits")
        if more and (
            turn.sheet.is_business
            or more.stems & fact.stems
            or pattern(r"\b(?:work|shift|office|job|desk|commut|client|team)").search(more.text)
        ):
            said.append(turn.tell(more, "lead"))
    return said


def location(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("location")
    if not fact:
        return [turn.line("unknown.location")]
    asked = pattern(r"\b(?:live in|from|based in|in)\s+(?:the )?([a-z][a-z .'-]+?)\W*$").search(reading.question)
    if asked and reading.yes_no:
        hit = asked.group(1).strip().lower() in fact.text.lower()
        return [f"{'Yes' if hit else 'No'}, {fact.text}{fact.mark}."]
    return [turn.line("who.location", x=fact.text + fact.mark)]


def education(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("education")
    if not fact:
        return [turn.line("unknown.education")]
    said = fact.said
    if said.shape is Shape.SELF:
        return [f"{capital(said.clause)}{fact.mark}."]
    return [turn.line("who.education", x=_schooling(fact.text) + fact.mark)]


def _schooling(text: str) -> str:
    low = lower_first(text)
    if pattern(
        r"^(?:bachelor|master|mba|phd|doctorate|degree|diploma|university degree|college degree|undergraduate|graduate degree|postgraduate|high school diploma|vocational|law degree|associate|professional)"
    ).search(text):
        keep = text if pattern(r"^(?:MBA|PhD|MSc|BSc|BA|MA)\b").search(text) else low
        return with_article(keep)
    return low


def children(turn: Turn, reading: Reading) -> list[str]:
    fact = at_home(turn, f"{CHILDREN}|{NO_CHILDREN}|{GONE}", r"\bkids?\b|\bchild(?:ren)?\b") or at_home(
        turn, NO_PARTNER, "^$"
    )
    if not fact:
        return [turn.line("unknown.family")]
    none = pattern(NO_CHILDREN).search(fact.text) or fact.text.lower() in {"none", "no", "0", "0 children"}
    gone = pattern(GONE).search(fact.text)
    alone = pattern(NO_PARTNER).search(fact.text) and not pattern(CHILDREN).search(fact.text)
    key = "who.kids_no" if none else "who.kids_gone" if gone else "who.kids_not_here" if alone else "who.kids_yes"
    return [turn.line(key, x=home_words(fact))]


def partner(turn: Turn, reading: Reading) -> list[str]:
    fact = at_home(turn, PARTNER + "|" + NO_PARTNER, r"\b(?:partner|marital|relationship|spouse)")
    if not fact:
        return [turn.line("unknown.family")]
    alone = bool(pattern(NO_PARTNER).search(fact.text)) or fact.text.lower() in {"none", "no"}
    if not reading.yes_no:
        return [turn.line("who.partner_known", x=home_words(fact))]
    asked_alone = pattern(r"\b(?:single|divorced|widowed)\b").search(reading.question)
    return [turn.line("who.partner_yes" if alone == bool(asked_alone) else "who.partner_no", x=home_words(fact))]


def at_home(turn: Turn, found: str, label: str) -> Fact | None:
    """The fact that tells about the household: a field of its own, else one that mentions it in passing."""
    for fact in turn.sheet.own:
        if pattern(label).search(fact.label) and fact.topic in {"family", "other"}:
            return fact
    topics = ("family", "bio", "habits", "other", "shopping", "goals", "pains", "values", "segment")
    return next((fact for fact in turn.sheet.of(*topics) if pattern(found).search(fact.text)), None)


def home_words(fact: Fact) -> str:
    """A fact about the household as the persona would put it."""
    parents = pattern(r"^(?:(\w+) )?parents? (of|with|to) (.+)$").search(fact.text)
    if parents:
        return (
            f"I'm {with_article(((parents[1] or '') + ' parent').strip().lower())} {parents[2]} {parents[3]}{fact.mark}"
        )
    if fact.said.shape is Shape.BASE:
        return f"I want to {fact.said.text}{fact.mark}"
    return fact.clause if fact.said.shape in (Shape.SELF, Shape.CLAUSE) else lower_first(fact.text) + fact.mark


def family(turn: Turn, reading: Reading) -> list[str]:
    known = turn.sheet.of("family")[:2]
    if not known and (hint := turn.sheet.about(f"{CHILDREN}|{PARTNER}|{NO_PARTNER}|{NO_CHILDREN}")):
        known = [hint]
    if not known:
        return [turn.line("unknown.family")]
    return [turn.line("who.partner_known", x=home_words(known[0])), *[turn.tell(fact, "also") for fact in known[1:]]]


def team(turn: Turn, reading: Reading) -> list[str]:
    facts = turn.rank(turn.sheet.of("company"), reading.question)
    if not facts and (
        job := turn.sheet.about(
            r"\b\d[\d,]*[- ](?:person|people|employees|staff|strong)|team of|company|firm|organi[sz]ation"
        )
    ):
        facts = [job]
    if not facts:
        said = [turn.line("unknown.team")]
        if job := turn.sheet.first("occupation"):
            said.append(turn.line("who.job_am", x=with_article(job.text) + job.mark))
        return said
    return [turn.tell(facts[0]), *[turn.tell(fact, "also") for fact in facts[1:2]]]


def private(turn: Turn, reading: Reading) -> list[str]:
    return [turn.line("who.private")]


def intimate(turn: Turn, reading: Reading) -> list[str]:
    return [turn.line("who.intimate")]


def belief(turn: Turn, reading: Reading) -> list[str]:
    said = [turn.line("who.belief")]
    if fact := turn.sheet.first("values"):
        said.append(turn.tell(fact))
    return said
