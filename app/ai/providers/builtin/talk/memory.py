"""What this conversation has seen so far: what the user told, what was asked, said and cited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.reading import is_question, read_message
from app.ai.providers.builtin.talk.sheet import commanding
from app.ai.providers.builtin.talk.text import bare, clean_block, excerpt, sentences

FOLLOW_UPS = frozenset(
    "feel worked repeat improve stay why more example meaning ack follow sure provenance thanks compliment empty greeting statement injection code foreign".split()
)
_NAME = re.compile(
    r"\b(?:[Mm]y name(?:'s| is)|[Cc]all me|[Tt]his is|I am called|I'm called)\s+([A-Z][\w'-]{1,20})|\b(?:I'm|I am)\s+([A-Z][a-z'-]{1,20})(?=[,.! ]|$)(?! (?:a|an|the|from)\b)"
)
_NAME_LOW = re.compile(r"\b(?:my name(?:'s| is)|call me)\s+([a-z][\w'-]{1,20})", re.I)
_NOT_NAMES = frozenset(
    "not sure sorry just very happy glad curious interested looking trying from a an the here asking new".split()
)
_PLAN = re.compile(
    r"(?:^|\b(?:so|well|and|but|way|actually|also|because|,)[ ,]+)(?P<plan>(?!my name)(?:we|our|i(?:'m| am| work| run| have| sell| own| need| want)|my)\b)",
    re.I,
)
_MAX_TURNS = 160


@dataclass
class Memory:
    """The conversation as remembered, oldest first."""

    asked: list[Reading] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    cited: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    user_name: str = ""
    last_answer: str = ""
    last_cited: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    spoken: str = ""
    knew_name: bool = False

    @property
    def last_topic(self) -> Reading | None:
        """The last question that stood on its own feet."""
        return next((reading for reading in reversed(self.asked) if reading.intent not in FOLLOW_UPS), None)

    @property
    def last(self) -> Reading | None:
        return self.asked[-1] if self.asked else None

    def times_asked(self, reading: Reading) -> int:
        """How often the same was asked before."""
        return sum(other.key == reading.key for other in self.asked)

    def hear(self, text: str) -> None:
        """Remember what the user tells about themselves and their plans. Orders are not remembered."""
        if commanding(text):
            return
        found = _NAME.search(text) or _NAME_LOW.search(text)
        name = next((group for group in found.groups() if group), "") if found else ""
        if name and name.lower() not in _NOT_NAMES:
            self.user_name = name[:1].upper() + name[1:]
        for sentence in sentences(text):
            found_plan = _PLAN.search(sentence)
            plain = excerpt(sentence[found_plan.start("plan") :], 120) if found_plan else ""
            if (
                plain
                and not is_question(sentence, sentence.lower())
                and "my name" not in plain.lower()
                and len(plain.split()) > 2
                and plain not in self.told
            ):
                self.told.append(plain)


def remember(history: Any, message: str, brand: str) -> Memory:
    """Read the history, in which the current message may or may not be the last line."""
    memory = Memory()
    turns = [turn for turn in history if isinstance(turn, Mapping)] if isinstance(history, (list, tuple)) else []
    texts = [(str(turn.get("role") or ""), clean_block(turn.get("content"), 2400)) for turn in turns[-_MAX_TURNS:]]
    if texts and texts[-1][0] == "user" and texts[-1][1] == clean_block(message, 2400):
        texts.pop()
    for role, text in texts:
        if role == "user":
            memory.hear(text)
        elif text:
            _hear_persona(memory, text)
    for _, text in [turn for turn in texts if turn[0] == "user"][-30:]:
        memory.asked.extend(read_message(text[:1500], brand))
    return memory


def _hear_persona(memory: Memory, text: str) -> None:
    memory.answers.append(text)
    memory.spoken += " | " + bare(text)
    memory.last_answer = text
    memory.last_cited = [int(mark) for mark in re.findall(r"\[(\d{1,3})\]", text)]
    memory.cited.extend(memory.last_cited)
    memory.said.update(bare(sentence) for sentence in sentences(text))
