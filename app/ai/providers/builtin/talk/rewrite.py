"""What a persona would change in a text, with a wording to put in its place."""

from __future__ import annotations

import re

from app.ai.providers.builtin.talk.appraisal import Appraisal
from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.grammar import Shape, as_sentence
from app.ai.providers.builtin.talk.question import amount_in
from app.ai.providers.builtin.talk.reactions import change
from app.ai.providers.builtin.talk.sheet import Fact
from app.ai.providers.builtin.talk.text import capital, excerpt, sentences, unmark
from app.ai.providers.builtin.talk.turn import Turn


def steps(turn: Turn, landed: Appraisal, text: str) -> list[str]:
    """What to change, the weightiest first; at least one, and no more than three."""
    found = [capital(unmark(change(turn, point))) for point in landed.cons[:3]]
    lacking = missing(turn, text)
    if found:
        return list(dict.fromkeys([*found, *[capital(step) for step in lacking]]))[:3]
    return [turn.line("react.change_little", c=lacking[0]).rstrip("."), *[capital(step) for step in lacking[1:2]]]


def missing(turn: Turn, text: str) -> list[str]:
    """What the text leaves open, in the order this persona would miss it."""
    phrases, themes = table("phrases")["react"], table("themes")["theme"]
    lacks = {
        "price": amount_in(text) is None and not pattern(r"\bfree\b|% off").search(text),
        "proof": not pattern(themes["proof"]["words"]).search(text),
        "next": not pattern(r"\b(?:order|book|call|reply|visit|sign up|try|join|start|click|come)\b").search(text),
    }
    order = ["price", "proof", "next"] if turn.sheet.price_care > 0.5 else ["proof", "next", "price"]
    found = [str(phrases[f"miss_{name}"]) for name in order if lacks[name]]
    where = turn.sheet.first("channels")
    return found + ([str(phrases["miss_where"]).replace("{x}", where.said.noun)] if where else []) or [
        str(phrases["miss_next"])
    ]


def rewrites(turn: Turn, landed: Appraisal, text: str) -> str:
    """Up to three changes and, for a short enough text, a new wording that starts from the persona's worry."""
    worded = reworded(turn, text)
    said = " ".join(as_sentence(step) for step in steps(turn, landed, text))
    return f"{said} For instance: “{worded}”" if worded else said


def reworded(turn: Turn, text: str) -> str:
    """The text led by the persona's first worry and without shouting, hurry and big words."""
    worry = next((fact for fact in turn.sheet.of("pains") if fact.said.shape in (Shape.NOUN, Shape.GERUND)), None)
    kept = [
        plain
        for plain in (_plain(part) for part in sentences(text)[:3])
        if len(plain.split()) > 2 and not plain.endswith("?")
    ]
    lead = _lead(worry)
    if not lead and not kept:
        return ""
    return " ".join(
        part for part in [lead, as_sentence(excerpt(kept[0], 90)) if kept else "Here's what we do about it."] if part
    )


def _lead(worry: Fact | None) -> str:
    if worry is None:
        return ""
    return capital(re.sub(r"\bmy\b", "your", re.sub(r"\bme\b", "you", worry.said.noun))) + "?"


def _plain(sentence: str) -> str:
    tone = table("themes")["tone"]
    for kind in ("hype", "urgency", "guilt", "hostile"):
        sentence = re.sub(tone[kind], "", sentence, flags=re.IGNORECASE)
    words = [word.capitalize() if word.isupper() and len(word) > 3 else word for word in sentence.split()]
    return " ".join(words).strip(" ,;:!-–")
