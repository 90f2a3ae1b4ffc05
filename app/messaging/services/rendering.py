"""The grammar of a text: `{name}` is a person's value, `{name|fallback}` has words for who has none, `{{` is a brace.

Nothing in a text or a value is ever evaluated: a value is put in as plain words, once, and not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.core.errors import ValidationFailed
from app.messaging.models import TemplateVersion
from app.messaging.services.plain_values import PersonRow, PersonValues, plain, values_of

__all__ = [
    "Compiled",
    "MissingVariable",
    "PersonRow",
    "PersonValues",
    "Slot",
    "compile_text",
    "compiled",
    "escape",
    "values_of",
]

MOST_VARIABLES = 50
MOST_NAME = 100
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[^\W\d][\w .:-]*")
_GRAMMAR = "{name}, {name|words for who has none}, or {{ and }} for braces"


class MissingVariable(Exception):
    """A person has no value for a variable, and the text no words for that case."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text that takes a value; `fallback` None: it cannot do without one."""

    name: str
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A text taken apart: words, with a slot between each and the next. Never changes; any thread may use it."""

    words: tuple[str, ...]
    slots: tuple[Slot, ...]
    form: str  # the words with %s for each slot

    @property
    def variables(self) -> list[dict[str, str | None]]:
        """`{"name", "fallback"}` in the order of first use; without a fallback where one use of the name has none."""
        found: dict[str, str | None] = {}
        for slot in self.slots:
            known = found.setdefault(slot.name, slot.fallback)
            if known is not None and slot.fallback is None:
                found[slot.name] = None
        return [{"name": name, "fallback": fallback} for name, fallback in found.items()]

    @property
    def names(self) -> list[str]:
        """The names of the variables, in the order of first use."""
        return list(dict.fromkeys(slot.name for slot in self.slots))

    def texts(self, values: Mapping[str, Any]) -> list[str]:
        """What goes into each slot; raises MissingVariable."""
        found = []
        for slot in self.slots:
            text = plain(values.get(slot.name)) or slot.fallback
            if text is None:
                raise MissingVariable(slot.name)
            found.append(text)
        return found

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for one person; raises MissingVariable."""
        return self.form % tuple(self.texts(values))

    def missing(self, values: Mapping[str, Any]) -> list[str]:
        """The variables that have neither a value nor a fallback, in the order of first use."""
        lacking = [slot.name for slot in self.slots if slot.fallback is None and not plain(values.get(slot.name))]
        return list(dict.fromkeys(lacking))


@lru_cache(maxsize=2048)
def compile_text(content: str) -> Compiled:
    """Take a text apart; refuses a brace without its partner, a name that is none, more than 50 variables."""
    words, slots, last = [""], [], 0
    for found in _PIECE.finditer(content):
        words[-1] += content[last : found.start()]
        last = found.end()
        if found[0] in ("{{", "}}"):
            words[-1] += found[0][0]
        elif found[1] is None:
            raise _lone_brace(content, found.start())
        else:
            slots.append(_slot(found[1]))
            words.append("")
    words[-1] += content[last:]
    if len({slot.name for slot in slots}) > MOST_VARIABLES:
        raise _refusal(f"A text has at most {MOST_VARIABLES} variables.", "", f"at most {MOST_VARIABLES} variables")
    return Compiled(tuple(words), tuple(slots), "%s".join(word.replace("%", "%%") for word in words))


def compiled(version: TemplateVersion) -> Compiled:
    """The version's text, taken apart once per process."""
    return compile_text(version.content)  # kept by the text itself: ids say nothing across databases


def escape(text: str) -> str:
    """The text as `compile_text` reads it back: braces doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def _slot(inside: str) -> Slot:
    name, bar, fallback = inside.partition("|")
    name = name.strip()
    if len(name) > MOST_NAME or not _NAME.fullmatch(name):
        said = f"“{name[:40]}” is not a name of a variable." if name else "A variable has no name."
        raise _refusal(said, f"{{{inside[:100]}}}", "a name of letters, digits, _ . - and spaces, a letter first")
    return Slot(name, fallback if bar else None)


def _lone_brace(content: str, at: int) -> ValidationFailed:
    what = "opened and not closed" if content[at] == "{" else "closed and was not opened"
    said = f"The brace at character {at + 1} is {what}. Write {content[at] * 2} for a brace itself."
    return _refusal(said, content[at : at + 30], _GRAMMAR)


def _refusal(said: str, provided: str, expected: str) -> ValidationFailed:
    return ValidationFailed(said, field="content", provided=provided, expected=expected)
