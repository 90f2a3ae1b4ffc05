"""Plain-text tools of the conversation engine: cleaning, words, stems and seeded choice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

_TAG = re.compile(r"<[^>\n]{0,200}>")
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\ufeff]")
_WORD = re.compile(r"[a-z0-9$£€][a-z0-9'&+.-]*[a-z0-9]|[a-z0-9]")
_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "\u00a0": " "})

STOP = frozenset(
    "a an the and or but of to in on at for with from by as is are was were be been being am do does did done have has "
    "had having i me my mine we us our you your yours he she it its they them their this that these those there here "
    "what which who whom when where why how if then than so too very just can could will would shall should may might "
    "must not no yes any some all more most much many about into over out up down off again ever never always often "
    "get got go goes going make makes made like likes really think feel know tell say said also only own other others "
    "one thing things something anything let lets please want wants need needs one's i'm i'd i've it's don't you're "
    "you'd you've doesn't didn't isn't aren't wouldn't that's what's "
    "still even else because while etc new use using used uses help day time good better best well".split()
)


def clean(value: Any, limit: int = 600) -> str:
    """Any value as one harmless line: no tags, no control characters, at most `limit` characters."""
    if value is None or isinstance(value, (dict, list, tuple, set)):
        return ""
    raw = str(value)[: limit * 4].translate(_CURLY)
    raw = _CONTROL.sub(" ", _TAG.sub(" ", raw)).replace("<", " ").replace(">", " ")
    return " ".join(raw.split())[:limit].strip()


def clean_block(value: Any, limit: int = 2400) -> str:
    """As `clean`, but line breaks stay, and of a long text the beginning and the end are kept."""
    raw = value if isinstance(value, str) else clean(value)
    if len(raw) > limit:
        raw = raw[: limit - 800] + "\n" + raw[-800:]
    return "\n".join(line for line in (clean(part, limit) for part in raw.splitlines()) if line)


def words(text: str) -> list[str]:
    """Lower-case words in order, prices and apostrophes kept whole."""
    return [word.removesuffix("'s") for word in _WORD.findall(text.lower().translate(_CURLY))]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A rough stem, enough to see that `shopping`, `shops` and `shop` are one word."""
    for ending, least in (("ations", 4), ("ation", 4), ("ingly", 4), ("ings", 4), ("ing", 3), ("ies", 3), ("edly", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return _undouble(word[: -len(ending)] + ("y" if ending == "ies" else ""))
    for ending, least in (("ied", 3), ("ed", 3), ("es", 4), ("ly", 4), ("s", 3), ("e", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            return _undouble(word[: -len(ending)] + ("y" if ending == "ied" else ""))
    return word


def _undouble(root: str) -> str:
    if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "aeiousl":
        root = root[:-1]
    return root[:-1] if len(root) > 3 and root.endswith("e") else root


def stems(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    return {stem(word) for word in words(text) if word not in STOP and len(word) > 1}


def sentences(text: str) -> list[str]:
    """The sentences of a text, without their closing spaces."""
    return [part.strip() for part in re.split(r"(?<=[.!?…])\s+|\n+", text) if part.strip()]


def bare(sentence: str) -> str:
    """A sentence without marks, case and punctuation: two that are `bare` alike say the same words."""
    return " ".join(re.findall(r"[a-z0-9']+", _MARK.sub("", sentence).lower()))


def unmark(text: str) -> str:
    """The text without its [n] marks."""
    return _MARK.sub("", text)


def excerpt(text: str, limit: int = 70) -> str:
    """The user's words, short enough to quote back, and never with marks or markup of their own."""
    plain = " ".join(re.sub(r"[\[\]`*_#|\\\"]", "", clean(text, limit * 3)).split()).strip(" .,:;!?-")
    if len(plain) <= limit:
        return plain
    return plain[:limit].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"


def seed_of(*parts: object) -> int:
    """A number that depends on the parts alone, the same in every process."""
    joined = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(joined.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def share_of(*parts: object) -> float:
    """A number from 0 up to 1 that depends on the parts alone."""
    return seed_of(*parts) / 2**64


def shuffled(items: Sequence[T], *parts: object) -> list[T]:
    """The items in an order that depends on the parts alone."""
    return [item for _, item in sorted(enumerate(items), key=lambda pair: seed_of(*parts, pair[0]))]


def capital(text: str) -> str:
    """The text with a capital first letter, its other letters untouched."""
    return text[:1].upper() + text[1:]


def join(parts: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
