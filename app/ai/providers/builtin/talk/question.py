"""One question of the user, as understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.ai.providers.builtin.talk.data import pattern

AMOUNT = re.compile(
    r"(?:(?P<sign>[$£€])\s?(?P<a>\d[\d,]*(?:\.\d+)?)(?P<k>k\b)?|(?P<b>\d[\d,]*(?:\.\d+)?)(?P<kb>k)?\s?(?P<word>dollars|bucks|usd|euros?|eur|pounds|quid|gbp)\b)",
    re.I,
)
_YES_NO = re.compile(
    r"^(?:and |so |but |ok(?:ay)?,? |then |also |well,? )*(?:do|does|did|are|is|was|were|would|will|could|can|should|have|has|had|am|any|aren't|don't|isn't|wouldn't|haven't|won't|can't|couldn't)\b",
    re.I,
)
_BY_TOPIC = frozenset(
    "age gender income children partner family team occupation location education pains goals values interests channels routine shopping budget channel pay cannot".split()
)


@dataclass(frozen=True)
class Reading:
    """A question as understood. `question` has pasted text replaced by PASTED; `subject` is what it is about."""

    intent: str
    question: str
    raw: str = ""
    pasted: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    amount: float | None = None
    subject: str = ""

    @property
    def yes_no(self) -> bool:
        return bool(_YES_NO.match(self.question))

    @property
    def why(self) -> bool:
        return bool(pattern(r"\b(?:why|how come|reason)\b").search(self.question))

    @property
    def key(self) -> str:
        """What two askings of the same thing share."""
        matter = self.subject or ("" if self.intent in _BY_TOPIC else self.question)
        return "|".join([self.intent, matter, str(self.amount or ""), *sorted(self.channels), *self.pasted])


def any_of_entry(entry: dict[str, object], question: str) -> bool:
    """Whether an intent's patterns are found and its `not` is not."""
    shunned = str(entry.get("not", ""))
    patterns = entry.get("any")
    hit = isinstance(patterns, list) and any(pattern(str(item)).search(question) for item in patterns)
    return hit and not (shunned and pattern(shunned).search(question))


def amount_in(text: str) -> float | None:
    """The first sum of money a text names, in whole currency units."""
    found = AMOUNT.search(text)
    if not found:
        return None
    digits = (found["a"] or found["b"]).replace(",", "")[:12]
    return float(digits) * (1000 if found["k"] or found["kb"] else 1)
