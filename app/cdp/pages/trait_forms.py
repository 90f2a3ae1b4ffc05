"""Traits as a form: a row each with its kind, and what differs from before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

KINDS = {"text": "Text", "number": "Number", "boolean": "Yes or no", "json": "List or object"}
MOST_ROWS = 500
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}


@dataclass(frozen=True)
class Row:
    """A trait as the form has it; `error` stands beside it."""

    name: str = ""
    kind: str = "text"
    text: str = ""
    error: str = ""


def rows_of(traits: Mapping[str, Any]) -> list[Row]:
    return [_row(name, value) for name, value in sorted(traits.items())]


def _row(name: str, value: Any) -> Row:
    if isinstance(value, bool):
        return Row(name, "boolean", "yes" if value else "no")
    if isinstance(value, int | float):
        return Row(name, "number", json.dumps(value))
    if isinstance(value, dict | list):
        return Row(name, "json", json.dumps(value, ensure_ascii=False, indent=2))
    return Row(name, "text", str(value))


def from_request(values: MultiDict[str, str]) -> list[Row]:
    names, kinds, texts = (values.getlist(f"trait_{part}")[:MOST_ROWS] for part in ("name", "kind", "text"))
    rows = [
        Row(name.strip(), kind if kind in KINDS else "text", text.replace("\r\n", "\n"))
        for name, kind, text in zip(names, kinds, texts, strict=False)
    ]
    return [row for row in rows if row.name or row.text.strip()]


def read(rows: list[Row]) -> tuple[dict[str, Any], list[Row]]:
    """The traits the rows say, and the rows with what is wrong beside them. A row without a value is no trait."""
    traits: dict[str, Any] = {}
    seen: list[Row] = []
    for row in rows:
        problem, value = _read(row, traits)
        seen.append(Row(row.name, row.kind, row.text, problem))
        if not problem and value is not None:
            traits[row.name] = value
    return traits, seen


def _read(row: Row, taken: Mapping[str, Any]) -> tuple[str, Any]:
    if not row.name:
        return "Give this trait a name, or clear its value.", None
    if row.name in taken:
        return f"There are two traits called “{row.name[:60]}”.", None
    text = row.text.strip()
    if not text:
        return "", None
    return _READERS[row.kind](text)


def _read_number(text: str) -> tuple[str, Any]:
    plain = text.replace(",", "").replace(" ", "")
    try:
        value = int(plain) if plain.lstrip("-").isdecimal() and len(plain) <= 18 else float(plain)
    except ValueError:
        return "This is no number.", None
    return ("", value) if value == value and abs(value) != float("inf") else ("This is no number.", None)


def _read_boolean(text: str) -> tuple[str, Any]:
    word = text.lower()
    return ("", word in _YES) if word in _YES | _NO else ("Write yes or no.", None)


def _read_json(text: str) -> tuple[str, Any]:
    try:
        return "", json.loads(text)
    except (ValueError, RecursionError):
        return "This is not valid JSON.", None


_READERS = {
    "text": lambda text: ("", text),
    "number": _read_number,
    "boolean": _read_boolean,
    "json": _read_json,
}


def before_of(text: str) -> dict[str, Any]:
    """The traits as the form was made from; what is not readable counts as none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What the form changed: an event that came meanwhile keeps what it set. Gone is null."""
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return changed | {name: None for name in before if name not in after}
