"""Answers about a persona's days, wishes, worries and where they can be reached."""

from __future__ import annotations

from app.ai.providers.builtin.talk.data import pattern
from app.ai.providers.builtin.talk.grammar import Shape, with_article
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.sheet import Fact, Sheet, channels_in
from app.ai.providers.builtin.talk.turn import Turn

TIMED = r"\b(?:\d{1,2}(?::\d\d)?\s?(?:am|pm)|\d{1,2}:\d\d|o'clock|morning|evening|night|noon|lunch|afternoon|weekend|midweek|weekday|monday|tuesday|wednesday|thursday|friday|saturday|sunday|commut|bedtime|dawn|month[- ]end|payday)"
AVOIDS = r"\b(?:avoid|never|ignore|quit|left|hate|distrust|doesn't|don't|dislike|unsubscrib|block|mute|off)\w*\b"


def from_topics(turn: Turn, reading: Reading, unknown: str, *topics: str) -> list[str]:
    """State the facts of the topics that bear on the question, in the number the voice likes."""
    facts = turn.rank(turn.sheet.of(*topics), reading.question)
    if not facts:
        return unknown_with_steer(turn, unknown)
    said = [turn.tell(facts[0])]
    second = turn.rank(facts[1:], reading.question, fresh=True)[:1] if not turn.terse else []
    return said + [turn.tell(fact, "also") for fact in second]


def unknown_with_steer(turn: Turn, key: str, **slots: str) -> list[str]:
    """Say it isn't known, and what can be asked instead."""
    said = [turn.line(f"unknown.{key}", **slots)]
    if (
        key not in {"family", "age", "gender"}
        and not turn.terse
        and turn.fresh("unknown.steer")
        and (other := turn.near(Fact(0, "", "", key), "pains", "goals", "interests"))
    ):
        said.append(
            turn.line("unknown.steer", x=other.noun) if other.said.shape is not Shape.CLAUSE else turn.tell(other)
        )
    return said


def pains(turn: Turn, reading: Reading) -> list[str]:
    said = from_topics(turn, reading, "pains", "pains", "objections")
    lead = turn.sheet.first("pains")
    if lead and turn.voice.length > 1 and (goal := turn.near(lead, "goals")):
        said.append(toward(turn, goal))
    return said


def toward(turn: Turn, goal: Fact) -> str:
    """The wish behind a worry."""
    if goal.said.shape is Shape.BASE:
        return turn.line("life.toward", x=goal.said.text + goal.mark)
    if goal.said.shape in (Shape.SELF, Shape.CLAUSE):
        return turn.tell(goal)
    return turn.line("life.toward_noun", x=goal.noun)


def against(turn: Turn, pain: Fact) -> str:
    """What stands in the way of a wish."""
    if pain.said.shape in (Shape.SELF, Shape.CLAUSE):
        return turn.line("life.against_clause", x=pain.clause)
    return turn.line("life.against", x=pain.noun)


def goals(turn: Turn, reading: Reading) -> list[str]:
    said = from_topics(turn, reading, "goals", "goals")
    lead = turn.sheet.first("goals")
    if lead and turn.voice.length > 1 and (pain := turn.near(lead, "pains")):
        said.append(against(turn, pain))
    return said


def values(turn: Turn, reading: Reading) -> list[str]:
    facts = turn.rank(turn.sheet.of("values"), reading.question)
    if not facts:
        return unknown_with_steer(turn, "values")
    plain = [fact for fact in facts if fact.said.shape in (Shape.NOUN, Shape.GERUND)]
    if len(plain) > 1:
        said = [turn.line("life.values", x=turn.nouns(plain[:3]))]
    elif plain:
        said = [turn.line("life.values_one", x=plain[0].noun)]
    else:
        said = [turn.tell(fact) for fact in facts[:2]]
    if not turn.terse and (habit := turn.near(facts[0], "shopping", "habits")) and habit.stems & facts[0].stems:
        said.append(turn.tell(habit))
    return said


def interests(turn: Turn, reading: Reading) -> list[str]:
    facts = turn.rank(turn.sheet.of("interests"), reading.question)
    if not facts:
        return unknown_with_steer(turn, "interests")
    plain = [fact for fact in facts if fact.said.shape in (Shape.NOUN, Shape.GERUND)][:3]
    said = [turn.line("life.interests", x=turn.nouns(plain))] if plain else [turn.tell(facts[0])]
    if turn.chatty and (habit := turn.near(facts[0], "habits")) and habit.stems & facts[0].stems:
        said.append(turn.tell(habit))
    return said


def routine(turn: Turn, reading: Reading) -> list[str]:
    sheet, said = turn.sheet, []
    habits = [
        fact
        for fact in turn.rank(sheet.of("habits", "shopping"), reading.question)
        if not pattern(r"^(?:lives?|shares?) ").search(fact.text)
    ]
    timed = [fact for fact in habits if pattern(TIMED).search(fact.text)]
    if (
        pattern(r"\b(?:day|weekday|morning|week)\b").search(reading.question)
        and (job := sheet.first("occupation"))
        and not pattern(r"\bretired|unemployed|student$").search(job.text)
    ):
        work = f"{job.clause}" if job.said.shape is Shape.SELF else with_article(job.text) + job.mark
        if job.said.shape is not Shape.SELF:
            said.append(turn.line("life.day_job", x=work))
    chosen = (timed + [fact for fact in habits if fact not in timed])[:2]
    said += [turn.tell(fact, "lead" if index == 0 else "also") for index, fact in enumerate(chosen)]
    free = sheet.of("interests")[:2]
    if free and pattern(r"\b(?:day|week|weekend|evening|routine)\b").search(reading.question) and not turn.terse:
        said.append(turn.line("life.evening", x=turn.nouns(free)))
    return said or unknown_with_steer(turn, "habits")


def quote(turn: Turn, reading: Reading) -> list[str]:
    fact = turn.sheet.first("quote")
    return [f"{fact.text.strip(chr(34))}{fact.mark}"] if fact else []


def channels(turn: Turn, reading: Reading) -> list[str]:
    facts = turn.rank(turn.sheet.of("channels"), reading.question if not turn.terse else "")
    if not facts:
        known = list(turn.sheet.channels.values())
        return [turn.tell(known[0])] if known else unknown_with_steer(turn, "channels")
    if len(facts) > 1:
        said = [turn.line("channels.first", x=facts[0].noun, y=turn.nouns(facts[1:3]))]
    else:
        said = [turn.line("channels.are", x=facts[0].noun)]
    if not turn.terse and (habit := turn.near(facts[0], "habits", "values")) and habit.stems & facts[0].stems:
        said.append(turn.tell(habit))
    return said


def uses(sheet: Sheet, channel: str) -> bool | None:
    """Whether the persona uses a channel; None when nothing is known about channels at all."""
    if channel in sheet.channels:
        return True
    return False if sheet.of("channels") else None


def channel(turn: Turn, reading: Reading) -> list[str]:
    asked = reading.channels[0]
    shown = display(asked)
    fact = turn.sheet.channels.get(asked)
    if fact:
        key = (
            "channels.yes_habit"
            if fact.topic != "channels"
            else "channels.yes"
            if reading.yes_no or reading.intent == "follow"
            else "channels.view_yes"
        )
        return [turn.line(key, x=fact.noun if fact.topic == "channels" else fact.clause)]
    for known in turn.sheet.own:
        if asked in channels_in(known.text) and pattern(AVOIDS).search(known.text):
            return [turn.line("channels.avoid", x=known.clause)]
    listed = turn.sheet.of("channels")[:2]
    if not listed:
        return [turn.line("channels.unknown", y=shown)]
    return [turn.line("channels.no" if reading.yes_no else "channels.view_no", x=turn.nouns(listed), y=shown)]


def display(channel_name: str) -> str:
    """A channel's name as written."""
    special = {
        "tiktok": "TikTok",
        "youtube": "YouTube",
        "linkedin": "LinkedIn",
        "whatsapp": "WhatsApp",
        "tv": "TV",
        "x": "X",
        "search": "searching online",
        "press": "the papers",
        "stores": "going to a store",
        "text": "texting",
        "post": "post through the door",
        "reviews": "review sites",
    }
    proper = {"instagram", "facebook", "reddit", "pinterest", "snapchat"}
    return special.get(channel_name, channel_name.capitalize() if channel_name in proper else channel_name)


def timing(turn: Turn, reading: Reading) -> list[str]:
    if pattern(r"\bhow (?:often|frequently|many times)\b|\btoo many\b").search(reading.question):
        return [turn.line("channels.often")]
    timed = [
        fact for fact in turn.sheet.of("channels", "habits", "shopping", "pains") if pattern(TIMED).search(fact.text)
    ]
    if timed:
        best = turn.rank(timed, reading.question)[0]
        return [
            turn.line(
                "channels.timing",
                x=best.clause if best.said.shape in (Shape.SELF, Shape.CLAUSE, Shape.BASE) else best.noun,
            )
        ]
    listed = turn.sheet.of("channels")[:1]
    return [turn.line("channels.timing_none", x=listed[0].noun)] if listed else unknown_with_steer(turn, "timing")
