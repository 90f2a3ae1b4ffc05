"""Mends the commonest slips in a question, so that its sense can be read."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from app.ai.providers.builtin.talk.data import table, word_set

_TOKEN = re.compile(r"[a-z][a-z']*")


def mended(text: str) -> str:
    """The lower-case text with short forms opened and likely typing errors put right. Only the first 1,200 letters."""
    text = re.sub(r"([a-z])\1{3,}", r"\1\1", text[:1200])
    return _TOKEN.sub(lambda match: _word(match.group()), text)


@lru_cache(maxsize=4096)
def _word(word: str) -> str:
    short = table("spelling")["short"]
    if word in short:
        return str(short[word])
    if len(word) < 5 or word in _known() or _inflected(word):
        return word
    near = [known for known in _by_length(len(word)) if known[0] == word[0] and _one_slip(word, known)]
    return near[0] if len(near) == 1 else word


def _inflected(word: str) -> bool:
    """Whether the word is a form of a known word or verb: `stopping`, `speeds`."""
    known = _known() | word_set("words", "verbs")
    for end in ("s", "es", "ed", "d", "ing", "ly", "er", "'s", ""):
        root = word.removesuffix(end) if end else word
        undoubled = root[:-1] if len(root) > 3 and root[-1] == root[-2] else root
        if (word.endswith(end) and {root, root + "e", undoubled} & known) or root in known:
            return True
    return False


@cache
def _known() -> frozenset[str]:
    return frozenset(str(table("spelling")["words"]).split())


@cache
def _by_length(length: int) -> tuple[str, ...]:
    keep = frozenset(str(table("spelling")["mend"]).split())
    return tuple(sorted(word for word in keep if abs(len(word) - length) <= 1))


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter is missing, added, wrong, or two neighbours are swapped."""
    if len(word) == len(known):
        wrong = [index for index in range(len(word)) if word[index] != known[index]]
        swapped = (
            len(wrong) == 2
            and wrong[1] == wrong[0] + 1
            and word[wrong[0]] == known[wrong[1]]
            and word[wrong[1]] == known[wrong[0]]
        )
        return len(wrong) == 1 or swapped
    longer, shorter = (word, known) if len(word) > len(known) else (known, word)
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))
