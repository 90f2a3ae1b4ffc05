"""Reads one message of the user into the questions it asks."""

from __future__ import annotations

import re
from dataclasses import replace

from app.ai.providers.builtin.talk.data import any_of, pattern, table
from app.ai.providers.builtin.talk.pasting import labels_of, unpaste
from app.ai.providers.builtin.talk.question import Reading, amount_in, any_of_entry
from app.ai.providers.builtin.talk.sheet import channels_in, commanding
from app.ai.providers.builtin.talk.specials import SPECIAL
from app.ai.providers.builtin.talk.spelling import mended
from app.ai.providers.builtin.talk.text import clean, clean_block

_QUESTION_START = re.compile(
    r"^(?:and |so |but |ok(?:ay)?,? |well,? |please |also,? |then )*(?:what|which|who|whose|whom|when|where|why|how|do|does|did|are|is|was|were|would|will|could|can|"
    r"should|have|has|had|may|might|tell|describe|give|name|list|explain|rate|any|if|am|imagine|suppose|compare|talk|walk|pick|choose|share|say|write|show)\b",
    re.I,
)


def read_message(message: object, brand: str = "") -> list[Reading]:
    """The questions of one message, in order, at most four; at least one."""
    block = clean_block(message)
    whole = _whole_message(block)
    if whole:
        return [Reading(whole, block.lower()[:200], block[:400])]
    asked, pasted, options = unpaste(block)
    parts = [asked] if pasted or options else _parts(asked)
    readings = [_read_part(part, pasted, options, brand, block) for part in parts]
    return _worth_answering(readings)[:4]


def _whole_message(block: str) -> str:
    if not re.search(r"[^\W_]", block):
        return "empty"
    if commanding(block):
        return "injection"
    if block.lower().strip(" .!?¡¿") in table("foreign")["greetings"]:
        return "foreign"
    if any_of("hostile", "code").search(block):
        return "code"
    return "foreign" if is_foreign(block) else ""


def is_foreign(text: str) -> bool:
    """Whether the text is plainly in another language than English."""
    letters = [char for char in text if char.isalpha()]
    if letters and sum(char > "\u024f" for char in letters) > len(letters) / 2:
        return True
    found = re.findall(r"[^\W\d_']+", text.lower())
    if len(found) < 2:
        return False
    marks = set(str(table("foreign")["words"]).split())
    english = set(str(table("foreign")["english"]).split())
    hits, home = sum(word in marks for word in found), sum(word in english for word in found)
    return hits >= 2 and hits > home


def _parts(asked: str) -> list[str]:
    pieces: list[str] = []
    for piece in re.split(r"(?<=[?!.])\s+|\n+", asked):
        again = re.split(
            r",?\s+and\s+(?=(?:what|where|how|who|when|why|do|are|is|would|which|have)\s+(?:do|is|are|old|would|did|you|your|much|many|often|kind|made|else|made)\b)",
            piece,
            flags=re.I,
        )
        pieces += [part.strip() for part in again if part and re.search(r"\w", part)]
    return _with_setting(pieces)[:8] or [asked]


def _with_setting(pieces: list[str]) -> list[str]:
    """A statement about plans stays with the question right after it: `We raise prices. Would you stay?`"""
    plan = pattern(r"^(?:we(?:'re| are| will|'ll)? |imagine|suppose|say we|our )")
    back = pattern(r"\b(?:that|this|it|still|then|stay|you think|you feel|your (?:reaction|thoughts?|view))\b")
    joined: list[str] = []
    for piece in pieces:
        if joined and plan.match(joined[-1]) and not joined[-1].endswith("?") and back.search(piece):
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    return joined


def _worth_answering(readings: list[Reading]) -> list[Reading]:
    """Drops the courtesies and settings around a question when there is a question."""
    minor = {"ack", "statement", "compliment", "empty"}
    asked = [reading for reading in readings if reading.intent not in minor]
    kept = [
        reading for reading in readings if reading in asked or (reading.intent == "statement" and not asked)
    ] or readings[:1]
    unique: list[Reading] = []
    for reading in kept:
        if reading.key not in {other.key for other in unique}:
            unique.append(reading)
    return unique


def _read_part(part: str, pasted: tuple[str, ...], options: tuple[str, ...], brand: str, whole: str = "") -> Reading:
    question = mended(clean(part, 600).lower())
    if len(brand) > 2:
        question = re.sub(rf"\b{re.escape(brand.lower())}\b", "BRAND", question)
    question = question.replace("pasted", "PASTED").strip()
    labels = labels_of(whole) if options else ()
    draft = Reading(
        "open",
        question,
        clean(part, 600),
        pasted,
        options,
        labels,
        tuple(channels_in(f"{clean(part, 600)} {question}")),
        amount_in(part),
    )
    for entry in table("intents")["intent"]:
        name = entry["name"]
        if name.startswith("@"):
            if found := SPECIAL[name[1:]](draft):
                return found
        elif any_of_entry(entry, question):
            return replace(draft, intent=name)
    if draft.channels and is_question(part, question) and not pasted and " our " not in question:
        return replace(draft, intent="channel")
    return replace(draft, intent="open" if is_question(part, question) else "statement")


def is_question(part: str, question: str) -> bool:
    """Whether a part asks or requests something, with or without a question mark."""
    return "?" in part or bool(_QUESTION_START.match(question))
