"""Counts and splits text roughly as a tokenizer would."""

from __future__ import annotations

import re

CHARACTERS_PER_TOKEN = 4
_PIECE = re.compile(r"\s*\S{1,12}|\s+")


def count(text: str) -> int:
    """About how many tokens a text is; at least one."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def cut(text: str, most: int) -> str:
    """The text as far as `most` tokens reach."""
    return text[: most * CHARACTERS_PER_TOKEN]


def pieces(text: str) -> list[str]:
    """The text in the pieces a stream would bring; joined, they are the text again."""
    return _PIECE.findall(text)
