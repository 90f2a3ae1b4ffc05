"""Finding the JSON in what a model wrote around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_FENCE = re.compile(r"```[a-zA-Z0-9]*\s*\n(.*?)```", re.DOTALL)
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_STARTS_TRIED = 40
_decoder = json.JSONDecoder()


def find_objects(text: str) -> Iterator[Any]:
    """Every JSON object the text may mean, the likeliest first: all of it, fenced blocks, then from each brace."""
    text = _THOUGHTS.sub("", text).strip().removeprefix("\ufeff")
    for piece in (text, *_FENCE.findall(text)):
        yield from _load(piece)
    for start in _brace_positions(text):
        yield from _load_from(text, start)


def _load(text: str) -> Iterator[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def _brace_positions(text: str) -> list[int]:
    return [match.start() for match in re.finditer(r"\{", text)][:_STARTS_TRIED]


def _load_from(text: str, start: int) -> Iterator[Any]:
    try:
        value, _ = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    yield value
