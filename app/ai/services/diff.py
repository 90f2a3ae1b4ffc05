"""What changed between two wordings, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "added", "removed"]
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def compare(before: str, after: str) -> list[Piece]:
    """The way from one text to the other: lines that stayed, went or came, and in changed lines the words."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = "".join(old[a1:a2]), "".join(new[b1:b2])
        if tag == "replace":
            pieces.extend(_words(gone, came))
        else:
            pieces.extend(_pieces(gone if tag != "insert" else "", came if tag == "insert" else "", tag == "equal"))
    return pieces


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from _pieces("".join(old[a1:a2]), "".join(new[b1:b2]), tag == "equal")


def _pieces(gone: str, came: str, is_same: bool) -> Iterator[Piece]:
    if is_same:
        yield Piece("same", gone)
        return
    if gone:
        yield Piece("removed", gone)
    if came:
        yield Piece("added", came)
