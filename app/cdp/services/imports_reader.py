"""Reading a file of rows piece by piece, from wherever the last piece ended."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.core.errors import ValidationFailed

HEAD = 64 * 1024  # bytes that are looked at to learn what the file is
MAX_COLUMNS = 300
MAX_ROW = 1024 * 1024
SAMPLE = 5


@dataclass(frozen=True)
class Row:
    """One row: its number from 1, its values or None with what is wrong, and where the next one begins."""

    number: int
    values: dict[str, Any] | None
    problem: str
    next_position: int
    next_byte: int


def inspect(path: Path) -> tuple[str, dict[str, Any]]:
    """The form of the file (csv, lines, list) and its layout: encoding, delimiter, columns and first rows.

    Refuses an empty file, one that is no text, and a table without a usable first line.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head:
        raise ValidationFailed("file: is no plain text. Save it as CSV or JSON in UTF-8.", field="file")
    text = _decoded(head)
    begin = text.lstrip("\ufeff \t\r\n")[:1]
    if not begin:
        raise ValidationFailed("file: is empty.", field="file")
    form = {"[": "list", "{": "lines"}.get(begin, "csv")
    layout: dict[str, Any] = {"encoding": "utf-8" if _is_utf8(head) else "cp1252"}
    if form == "csv":
        layout |= _table(path, text, layout["encoding"])
    rows = [row.values for row, _ in zip(read(path, form, layout, 0, 0), range(SAMPLE), strict=False) if row.values]
    if form != "csv":
        layout["columns"] = list(dict.fromkeys(key for row in rows for key in row))[:MAX_COLUMNS]
    return form, layout | {"sample": rows}


def read(path: Path, form: str, layout: dict[str, Any], position: int, number: int) -> Iterator[Row]:
    """The rows from `position` on, the first being number + 1. A position is bytes, for a list rows."""
    readers = {"csv": _read_table, "lines": _read_lines, "list": _read_list}
    return readers[form](path, layout, position, number)


def _table(path: Path, text: str, encoding: str) -> dict[str, Any]:
    first = text.lstrip("\ufeff").splitlines()[0]
    delimiter = max(",;\t|", key=first.count)
    with path.open("rb") as file:
        header = next(csv.reader(_Lines(file, encoding), delimiter=delimiter), [])
    columns = [name.strip().lstrip("\ufeff") for name in header]
    named = [name for name in columns if name]
    if not named or len(columns) > MAX_COLUMNS:
        raise ValidationFailed(f"file: the first line must name 1 to {MAX_COLUMNS} columns.", field="file")
    if len(set(named)) < len(named) or any(len(name) > 100 for name in named):
        raise ValidationFailed("file: column names must differ and have at most 100 characters.", field="file")
    return {"delimiter": delimiter, "columns": columns}


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a letter cut off at the end is no fault
        return True
    except UnicodeDecodeError:
        return False


def _decoded(head: bytes) -> str:
    return head.decode("utf-8" if _is_utf8(head) else "cp1252", errors="replace")


class _Lines:
    """Lines as text, counting the bytes that were handed out. What cannot be decoded is refused with its row."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self._encoding, self.position = file, encoding, file.tell()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(MAX_ROW + 1)
        if not raw:
            raise StopIteration
        if len(raw) > MAX_ROW:
            raise ValidationFailed("The file has a line of more than 1 MB.", field="file")
        self.position += len(raw)
        errors = "surrogateescape" if self._encoding == "utf-8" else "replace"
        return raw.decode(self._encoding, errors=errors)


def _read_table(path: Path, layout: dict[str, Any], position: int, number: int) -> Iterator[Row]:
    columns = layout["columns"]
    with path.open("rb") as file:
        file.seek(position)
        lines = _Lines(file, layout["encoding"])
        table = csv.reader(lines, delimiter=layout["delimiter"])
        if position == 0:
            next(table, None)
        while True:
            try:
                cells = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                raise ValidationFailed(f"Row {number + 1} cannot be read: {error}.", field="file") from None
            if not any(cells):
                continue
            number += 1
            problem = "" if len(cells) <= len(columns) else f"has {len(cells)} values for {len(columns)} columns"
            values = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
            yield Row(number, values, problem, lines.position, lines.position)


def _read_lines(path: Path, layout: dict[str, Any], position: int, number: int) -> Iterator[Row]:
    with path.open("rb") as file:
        file.seek(position)
        lines = _Lines(file, layout["encoding"])
        for line in lines:
            text = line.strip("\ufeff \t\r\n")
            if not text:
                continue
            number += 1
            values, problem = _object(text)
            yield Row(number, values, problem, lines.position, lines.position)


def _object(text: str) -> tuple[dict[str, Any] | None, str]:
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None, "is not JSON"
    return (found, "") if isinstance(found, dict) else (None, "must be an object")


def _refuse(name: str) -> None:
    raise ValueError(name)


def _read_list(path: Path, layout: dict[str, Any], position: int, number: int) -> Iterator[Row]:
    """A list is read from its beginning each time; the rows that were taken are passed over."""
    for count, (values, byte) in enumerate(_items(path), start=1):
        if count > position:
            problem = "" if isinstance(values, dict) else "must be an object"
            yield Row(count, values if isinstance(values, dict) else None, problem, count, byte)


def _items(path: Path) -> Iterator[tuple[Any, int]]:
    """The items of a JSON list, one at a time, and about how many bytes were read."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        text, done, at_end = file.read(HEAD).lstrip()[1:], 0, False
        while True:
            text = text.lstrip(" \t\r\n,")
            if text.startswith("]"):
                return
            try:
                value, end = decoder.raw_decode(text)
                if end == len(text) and not at_end:
                    raise ValueError("perhaps cut off")
            except (ValueError, RecursionError):
                more = file.read(CHUNK)
                at_end = not more
                if at_end or len(text) > MAX_ROW:
                    raise ValidationFailed("The file is not a whole JSON list.", field="file") from None
                text += more
                continue
            done += end
            yield value, done
            text = text[end:]


CHUNK = 256 * 1024
