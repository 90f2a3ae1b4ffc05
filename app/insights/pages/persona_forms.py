"""A persona's form: the usual fields, and fields of any name that hold text, lines or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.insights.pages.audience_forms import as_lines, as_text
from app.insights.pages.persona_view import LISTS, SCALARS, is_lines, is_plain

PLAIN = (*SCALARS, "quote")
KINDS = ("text", "lines", "json")
BLANK_ROWS = 1
MOST_EXTRAS = 200
_NOTHING = object()


@dataclass(frozen=True)
class Extra:
    """A field of any name, as its row in the form has it."""

    key: str = ""
    kind: str = "text"
    text: str = ""


@dataclass
class PersonaForm:
    """What the form shows: as it came from the person's data, or as it was just typed."""

    name: str = ""
    plain: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    extras: list[Extra] = field(default_factory=list)

    @property
    def rows(self) -> list[Extra]:
        return [*self.extras, *[Extra()] * BLANK_ROWS]


def from_data(name: str, data: Mapping[str, Any]) -> PersonaForm:
    form = PersonaForm(name)
    for key, value in data.items():
        if key in PLAIN and is_plain(value):
            form.plain[key] = str(value)
        elif key in LISTS and is_lines(value):
            form.lines[key] = as_text(value)
        else:
            form.extras.append(_extra(key, value))
    return form


def _extra(key: str, value: Any) -> Extra:
    if isinstance(value, str):
        return Extra(key, "text", value)
    if is_lines(value) and all(isinstance(item, str) for item in value):
        return Extra(key, "lines", as_text(value))
    return Extra(key, "json", json.dumps(value, indent=2, ensure_ascii=False))


def from_request(values: MultiDict[str, str]) -> PersonaForm:
    keys, kinds, texts = (values.getlist(f"extra_{part}")[:MOST_EXTRAS] for part in ("key", "kind", "text"))
    rows = [
        Extra(key.strip(), kind if kind in KINDS else "text", text)
        for key, kind, text in zip(keys, kinds, texts, strict=False)
    ]
    return PersonaForm(
        values.get("name", "").strip(),
        {key: values[key].strip() for key in PLAIN if key in values},
        {key: values[key] for key in LISTS if key in values},
        [row for row in rows if row.key or row.text.strip()],
    )


def read(form: PersonaForm, before: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The data as the form has it, and what is wrong by field. What reads as it did before keeps its type."""
    data: dict[str, Any] = {key: _kept(before.get(key), text) for key, text in form.plain.items() if text}
    data |= {key: _kept_lines(before.get(key), as_lines(text)) for key, text in form.lines.items() if as_lines(text)}
    errors: dict[str, str] = {}
    for number, row in enumerate(form.extras):
        problem, value = _read_extra(row, data)
        if problem:
            errors[f"extra-{number}"] = problem
        else:
            data[row.key] = value
    return data, errors


def _kept(old: Any, text: str) -> Any:
    """An age that still reads 34 stays the number 34; a new one is a number too."""
    if old is not None and str(old).strip() == text:
        return old
    return int(text) if text.isdecimal() and len(text) <= 9 else text


def _kept_lines(old: Any, lines: list[str]) -> list[Any]:
    return old if isinstance(old, list) and [str(item).strip() for item in old] == lines else list(lines)


def _read_extra(row: Extra, taken: Mapping[str, Any]) -> tuple[str, Any]:
    if not row.key:
        return "Give this field a name, or clear what it holds.", None
    if row.key in taken:
        return f"There are two fields called “{row.key[:60]}”.", None
    if len(row.key) > 100:
        return "A field's name has at most 100 characters.", None
    if row.kind == "lines":
        return "", as_lines(row.text)
    if row.kind == "text":
        return "", row.text.replace("\r\n", "\n")
    value = _json(row.text)
    return ("This is not valid JSON.", None) if value is _NOTHING else ("", value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def changes(before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What differs, as the contract's merge takes it: a field that is gone is null."""
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    return changed | {key: None for key in before if key not in after}
