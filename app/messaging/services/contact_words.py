"""The words of the messaging contract for what a person agreed to, and what they are in the books of consent.

The contract's `consent_state` is the SMS channel. It has three words; somebody nobody asked is UNKNOWN.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from app.cdp.queries.contacts import Answers, Said
from app.cdp.services.consent import STOP, ConsentValue
from app.core.errors import ValidationFailed
from app.core.http import shown as shown

CHANNEL = "sms"
E164 = "E.164 format (+1234567890)"


class ConsentWord(StrEnum):
    """STOP is a refusal the person sent themselves: like OPT_OUT, and only they or an explicit change lift it."""

    OPT_IN = "OPT_IN"
    OPT_OUT = "OPT_OUT"
    STOP = "STOP"
    UNKNOWN = "UNKNOWN"


SAYABLE = (ConsentWord.OPT_IN, ConsentWord.OPT_OUT, ConsentWord.STOP)
ANSWERS = {
    ConsentWord.OPT_IN: Answers(CHANNEL, ConsentValue.GRANTED),
    ConsentWord.OPT_OUT: Answers(CHANNEL, ConsentValue.DENIED, STOP, is_from_source=False),
    ConsentWord.STOP: Answers(CHANNEL, ConsentValue.DENIED, STOP),
    ConsentWord.UNKNOWN: Answers(CHANNEL, ConsentValue.UNKNOWN),
}


class Refusal(ValueError):
    """Why a value is not taken: the field, what was given and what is expected, in words for its sender."""

    def __init__(self, field: str, message: str, provided: Any, expected: str) -> None:
        super().__init__(message)
        self.field, self.message, self.provided, self.expected = field, message, provided, expected

    def as_failure(self) -> ValidationFailed:
        """The same for a call that is refused whole."""
        return refused(self.field, self.message, self.provided, self.expected)


def refused(field: str, message: str, provided: Any, expected: str) -> ValidationFailed:
    """A refusal as the contract shows it: the field, what was given and what is expected."""
    return ValidationFailed(message, field=field, provided=shown(provided), expected=expected)


def word_of(said: Said | None) -> ConsentWord:
    """What the contract calls the state in force."""
    if said is None or said.state == ConsentValue.UNKNOWN:
        return ConsentWord.UNKNOWN
    if said.state == ConsentValue.GRANTED:
        return ConsentWord.OPT_IN
    return ConsentWord.STOP if said.source == STOP else ConsentWord.OPT_OUT


def read_word(raw: Any, *, allows_lower: bool = False) -> ConsentWord | None:
    """The word given; None where none is. Raises Refusal. A file may write it in small letters."""
    if raw is None or raw == "":
        return None
    text = raw.strip().upper() if allows_lower and isinstance(raw, str) else raw
    if text not in SAYABLE:
        raise Refusal("consent_state", "Unknown consent state", raw, "OPT_IN, OPT_OUT or STOP")
    return ConsentWord(text)


def state_of(word: ConsentWord) -> str:
    return ANSWERS[word].state


def source_of(word: ConsentWord, usual: str) -> str:
    """Where a word is said to come from: a STOP is a STOP whoever passes it on."""
    return STOP if word == ConsentWord.STOP else usual
