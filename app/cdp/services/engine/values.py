"""JSON values as columns: a type, a number and a word of a dictionary for each row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from app.cdp.services.engine.days import ymd_of_text
from app.cdp.services.engine.packing import Arrays

ABSENT, NUMBER, TEXT, FALSE, TRUE, OTHER, LIST_TEXT, LIST_NUMBER = range(8)
LARGEST_NUMBER = 1e300
_FEW = 8


def number_of(value: Any) -> float | None:
    """The value as a number, or None when it is none or too large to be compared."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) >= 10**300:
        return None
    return float(value) if math.isfinite(value) and abs(value) < LARGEST_NUMBER else None


def encode(values: Sequence[Any]) -> Arrays:
    """A column of one row a value. A list or an object is only known to be there."""
    kinds = np.zeros(len(values), dtype=np.uint8)
    numbers = np.full(len(values), np.nan)
    codes = np.full(len(values), -1, dtype=np.int32)
    words: dict[str, int] = {}
    for row, value in enumerate(values):
        kinds[row], numbers[row], word = _parts(value)
        if word is not None:
            codes[row] = words.setdefault(word, len(words))
    return {"kinds": kinds, "numbers": numbers, "codes": codes, "words": _blob(words)}


def encode_elements(values: Sequence[Any]) -> tuple[np.ndarray, Arrays]:
    """Like `encode`, but a list gives a further row for each of its elements; also which value each row is of."""
    owners: list[int] = []
    rows: list[Any] = []
    for owner, value in enumerate(values):
        elements = value if isinstance(value, list) else ()
        for one in (value, *(_Element(item) for item in elements)):
            owners.append(owner)
            rows.append(one)
    return np.array(owners, dtype=np.int64), encode(rows)


class _Element:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _parts(value: Any) -> tuple[int, float, str | None]:
    if isinstance(value, _Element):
        kind, number, word = _parts(value.value)
        return {NUMBER: LIST_NUMBER, TEXT: LIST_TEXT}.get(kind, ABSENT), number, word
    if value is None or value == "":
        return ABSENT, math.nan, None
    if isinstance(value, bool):
        return (TRUE if value else FALSE), math.nan, None
    if isinstance(value, str):
        return TEXT, ymd_of_text(value), value
    plain = number_of(value)
    return (OTHER, math.nan, None) if plain is None else (NUMBER, plain, None)


def _blob(words: Iterable[str]) -> np.ndarray:
    """The dictionary as one text with a NUL around each word, so that it is searched without being taken apart."""
    parts = [word.encode("utf-8", "replace").replace(b"\0", b"") for word in words]
    return np.frombuffer(b"\0" + b"\0".join(parts) + b"\0" if parts else b"", dtype=np.uint8)


class Words:
    """A dictionary of distinct words and which of them match."""

    def __init__(self, blob: np.ndarray) -> None:
        self.blob = blob.tobytes()
        self.bounds = np.flatnonzero(blob == 0)
        self._codes: dict[str, int] | None = None

    def __len__(self) -> int:
        return max(0, len(self.bounds) - 1)

    def texts(self) -> list[str]:
        return [part.decode() for part in self.blob[1:-1].split(b"\0")] if len(self) else []

    def code(self, word: str) -> int | None:
        """The word's place, or None."""
        if self._codes is not None:
            return self._codes.get(word)
        position = self.blob.find(b"\0" + word.encode() + b"\0")
        return None if position < 0 else int(np.searchsorted(self.bounds, position))

    def codes_in(self, words: Sequence[str]) -> list[int]:
        if len(words) > _FEW and self._codes is None:
            self._codes = {word: code for code, word in enumerate(self.texts())}
        return [code for word in words if (code := self.code(word)) is not None]

    def matching(self, part: str, *, starts: bool = False, ends: bool = False) -> list[int]:
        """Places of the words that contain the part, or start or end with it."""
        wanted = (b"\0" if starts else b"") + part.encode() + (b"\0" if ends else b"")
        positions = np.fromiter((hit.start() for hit in re.finditer(re.escape(wanted), self.blob)), dtype=np.int64)
        if starts:  # a hit begins at the NUL before the word
            return np.unique(np.searchsorted(self.bounds, positions)).tolist()
        return np.unique(np.searchsorted(self.bounds, positions, side="right") - 1).tolist()


class Values:
    """A column read back."""

    def __init__(self, arrays: Arrays) -> None:
        self.kinds = arrays["kinds"]
        self.numbers = arrays["numbers"]
        self.codes = arrays["codes"]
        self._blob = arrays["words"]
        self._words: Words | None = None

    @property
    def words(self) -> Words:
        if self._words is None:
            self._words = Words(self._blob)
        return self._words

    def __len__(self) -> int:
        return len(self.kinds)

    def chosen(self, rows: np.ndarray) -> Values:
        """Some of the rows, over the same dictionary."""
        found = Values({"kinds": self.kinds[rows], "numbers": self.numbers[rows], "codes": self.codes[rows],
                        "words": self._blob})  # fmt: skip
        found._words = self.words
        return found

    def with_codes(self, codes: Sequence[int], kind: int) -> np.ndarray:
        """Rows whose word is one of `codes`."""
        if not codes:
            return np.zeros(len(self), dtype=bool)
        chosen = np.zeros(len(self.words) + 1, dtype=bool)  # the last stands for no word
        chosen[list(codes)] = True
        found: np.ndarray = chosen[self.codes] & (self.kinds == kind)
        return found


def joined(columns: Sequence[Arrays], masks: Sequence[np.ndarray]) -> Arrays:
    """One column of the chosen rows of several, their dictionaries made one. Other arrays are put together as is."""
    names = [name for name in columns[0] if name not in ("codes", "words")]
    out = {name: np.concatenate([col[name][mask] for col, mask in zip(columns, masks, strict=True)]) for name in names}
    if "codes" not in columns[0]:
        return out
    words: dict[str, int] = {}
    codes = [_recoded(col, mask, words) for col, mask in zip(columns, masks, strict=True)]
    return out | {"codes": np.concatenate(codes), "words": _blob(words)}


def _recoded(column: Arrays, mask: np.ndarray, words: dict[str, int]) -> np.ndarray:
    codes = column["codes"][mask]
    used = np.unique(codes[codes >= 0])
    if not len(used):
        return codes
    texts = Words(column["words"]).texts()
    places = np.full(len(texts) + 1, -1, dtype=np.int32)
    for code in used.tolist():
        places[code] = words.setdefault(texts[code], len(words))
    recoded: np.ndarray = places[codes]
    return recoded
