"""What a persona advises: what to say, where to say it, what to change, and how much a matter counts."""

from __future__ import annotations

from app.ai.providers.builtin.talk.appraisal import appraise, interests_of
from app.ai.providers.builtin.talk.buying import about, concern, leave
from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.grammar import Shape
from app.ai.providers.builtin.talk.money import price
from app.ai.providers.builtin.talk.open_question import in_words, retrieve
from app.ai.providers.builtin.talk.price import MOODS, verdict
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.rewrite import reworded
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.text import capital, shuffled
from app.ai.providers.builtin.talk.turn import Turn


def messaging(turn: Turn, reading: Reading) -> list[str]:
    worry = concern(turn, reading.question)
    if worry is None:
        return [turn.line("react.us_blank")]
    if pattern(r"\b(?:do you|ever) (?:like|notice|click|respond|read|watch|mind|hate|see|block|skip)").search(
        reading.question
    ) and worry.said.shape in (Shape.NOUN, Shape.GERUND):
        return [turn.line("react.ads", x=worry.noun)]
    if pattern(r"\b(?:off|avoid|hate|annoy|never|dislike|not use)\b").search(reading.question):
        return [turn.line("react.words_off")]
    said = [about(turn, "react.message", worry)]
    if pattern(r"\b(?:write|suggest|give|draft|come up|create|example|slogan|headline|subject line|tagline)\b").search(
        reading.question
    ):
        said.append(turn.line("react.message_try", q=headline(turn, worry)))
    said.append(turn.line("react.message_tone_b2b" if turn.sheet.is_business else "react.message_tone"))
    if turn.sheet.of("channels") and not turn.terse:
        said.append(turn.line("react.message_where", x=turn.sheet.of("channels")[0].noun))
    return said


def headline(turn: Turn, worry: Fact) -> str:
    """A line that starts from the persona's worry."""
    text = worry.said.noun if worry.said.shape in (Shape.NOUN, Shape.GERUND) else ""
    text = text.replace(" my ", " your ")
    forms = shuffled(
        ["{X}? There's another way.", "Done with {x}?", "No more {x}.", "{X}? Not any more."],
        turn.sheet.name,
        "headline",
    )
    return (
        forms[0].replace("{X}", capital(text)).replace("{x}", text)
        if text
        else "You know the problem. Here's what we did about it."
    )


def advice(turn: Turn, reading: Reading) -> list[str]:
    worry = concern(turn, reading.question)
    if worry is None:
        return [turn.line("react.us_blank")]
    said = [about(turn, "react.advice", worry)]
    if turn.sheet.of("channels") and not turn.terse:
        said.append(turn.line("react.advice_channel", x=turn.sheet.of("channels")[0].noun))
    return [
        *said,
        turn.line(
            "react.advice_price" if turn.sheet.price_care > 0.55 and not turn.sheet.is_giving else "react.advice_proof"
        ),
    ]


def importance(turn: Turn, reading: Reading) -> list[str]:
    """How much a matter counts, by what the persona is known to care for."""
    subject = reading.subject or reading.question
    if pattern(r"\b(?:price|cost|money|cheap)").search(subject):
        return price(turn, reading)
    themes = [name for name, theme in table("themes")["theme"].items() if pattern(theme["words"]).search(subject)]
    found = interests_of(turn.sheet)
    best = max((found[name] for name in themes), key=lambda interest: interest.weight, default=None)
    fact = next(iter(retrieve(turn, subject)), None) or (best.fact if best else None)
    if fact and (not best or best.weight >= 2.0 or fact.topic in {"values", "goals", "pains"}):
        return [turn.line("react.important_yes", x=in_words(fact))]
    if fact:
        return [turn.line("react.important_some", x=in_words(fact))]
    first = next((fact for fact in turn.sheet.of("values") if fact.said.shape in (Shape.NOUN, Shape.GERUND)), None)
    return [turn.line("react.important_no", x=first.noun)] if first else [turn.line("react.important_none")]


def improve(turn: Turn, reading: Reading) -> list[str]:
    """A wording this persona would sooner read than the one last pasted."""
    text = " ".join(reading.pasted) or next(
        (" ".join(item.pasted) for item in reversed(turn.memory.asked) if item.pasted), ""
    )
    worded = reworded(turn, text) if text else ""
    return [turn.line("react.improve", q=worded)] if worded else [turn.line("react.improve_none")]


def stay(turn: Turn, reading: Reading) -> list[str]:
    """Whether the persona would go along with what was just put to them."""
    last = next((item for item in reversed(turn.memory.asked) if item.intent in {"pay", "proposal", "react"}), None)
    if last is None:
        return leave(turn, reading)
    if last.intent == "pay" and last.amount is not None:
        mood = MOODS[verdict(turn.sheet, last.amount, last.question)]
    else:
        stance = appraise(turn.sheet, " ".join(last.pasted) or last.raw, neutral=not last.pasted).stance
        mood = "yes" if stance >= 4 else "maybe" if stance == 3 else "no"
    worry = concern(turn, last.question)
    said = [turn.line(f"react.stay_{mood}")]
    return [*said, about(turn, "react.unmoved", worry)] if mood == "maybe" and worry and not turn.terse else said


def three_words(turn: Turn, reading: Reading) -> list[str]:
    plain = [fact for fact in turn.sheet.of("traits", "values") if fact.said.shape in (Shape.NOUN, Shape.GERUND)][:3]
    said = [turn.line("react.three", x=turn.nouns(plain))] if plain else []
    if quote := turn.sheet.first("quote"):
        words = quote.text.strip('"“” ')
        said.append(f"“{words}” That about covers it{quote.mark}.")
    return said or [turn.line("unknown.values")]
