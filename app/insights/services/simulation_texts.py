"""Lines that say the same put together, and what a line is about: counted by plain rules, so always alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

SIMILAR = 0.55
_WORD = re.compile(r"[a-z0-9%]+|[£$€]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)")
_INSTANCE = re.compile(r"[“\"]|^for (?:instance|example)\b", re.IGNORECASE)
_ENDINGS = ("ingly", "ings", "ing", "edly", "ed", "ies", "es", "ly", "s")
_EMPTY = frozenset(
    """a an and any are as at be been being but by can could do does for from had has have he her him his how i if in
    into is it its just like me more most much my no not of on one only or our out over own she so some than that the
    their them then there they this to too up us very was we were what when which who will with would you your really
    still also even about""".split()
)
# What an objection is about; a line belongs to the theme most of its words point at, the first of equals.
THEMES: dict[str, tuple[str, ...]] = {
    "price": ("price", "cost", "expensive", "afford", "money", "budget", "pay", "paid", "fee", "cheap", "spend",
              "cheaper", "discount", "subscription", "value", "£", "$", "€"),
    "time": ("time", "busy", "hour", "minute", "wait", "slow", "rush", "late", "schedule", "slot"),
    "effort": ("effort", "hassle", "complicated", "setup", "learn", "train", "switch", "change", "migrate", "difficult",
               "hard", "cancel", "lock", "contract", "commit"),
    "trust": ("trust", "proof", "prove", "claim", "believe", "evidence", "review", "scam", "hype", "promise", "honest",
              "source", "transparent", "genuine", "greenwash", "vague", "heard", "unknown", "risk"),
    "privacy": ("privacy", "data", "track", "spam", "security"),
    "delivery": ("deliver", "delivery", "ship", "arrive", "return", "stock", "courier"),
    "quality": ("quality", "fresh", "break", "broken", "support", "service", "reliable", "taste"),
    "fit": ("need", "relevant", "fit", "suit", "already", "alternative", "habit", "prefer"),
}  # fmt: skip


@dataclass
class Grouped:
    """One thing several people said; `speakers` in the order they said it."""

    text: str
    speakers: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.speakers)


def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, without their endings."""
    found = (_stem(word) for word in _WORD.findall(text.casefold().replace("’", "'").replace("'", "")))
    return frozenset(word for word in found if word not in _EMPTY)


def _stem(word: str) -> str:
    if word in _EMPTY:
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e") if len(word) > 3 else word


def group(lines: Iterable[tuple[str, str]]) -> list[Grouped]:
    """(speaker, line) pairs as groups, the most shared first; a speaker counts once in a group."""
    groups: list[tuple[frozenset[str], Grouped]] = []
    for speaker, line in lines:
        text = " ".join(line.split())
        if not text:
            continue
        words = stems(text)
        home = next((g for known, g in groups if _alike(words, known)), None)
        if home is None:
            home = Grouped(text)
            groups.append((words, home))
        if speaker not in home.speakers:
            home.speakers.append(speaker)
        if text not in home.variants:
            home.variants.append(text)
    return sorted((g for _, g in groups), key=lambda g: -g.count)


def advice_in(text: str) -> list[str]:
    """Each thing a text asks for, one sentence each, up to where it begins to quote or to give an instance."""
    found: list[str] = []
    for sentence in _SENTENCE.split(" ".join(text.split())):
        if _INSTANCE.search(sentence):
            break
        found.append(sentence)
    return found or [text]


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Same words, or more than half of all words shared."""
    if not one or not other:
        return one == other
    return len(one & other) / len(one | other) >= SIMILAR


def theme_of(text: str) -> str | None:
    """What the line is about, or None when no theme's words are in it."""
    words = stems(text)
    hits = {theme: len(words & _theme_stems(theme)) for theme in THEMES}
    best = max(hits, key=lambda theme: hits[theme])
    return best if hits[best] else None


def _theme_stems(theme: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in THEMES[theme])


def count_themes(lines: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """(theme, people who raised it), the most raised first; equals in the order of THEMES."""
    speakers: dict[str, set[str]] = {}
    for speaker, line in lines:
        theme = theme_of(line)
        if theme:
            speakers.setdefault(theme, set()).add(speaker)
    order = list(THEMES)
    return sorted(((t, len(s)) for t, s in speakers.items()), key=lambda pair: (-pair[1], order.index(pair[0])))
