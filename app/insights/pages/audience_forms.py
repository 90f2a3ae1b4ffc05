"""What the forms of audiences and segments take, and how their errors stand beside the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError, NotFound

_SAID = {
    "String should have at least 1 character": "This cannot be empty.",
    "List should have at most": "There are too many lines here.",
    "Input should be a valid integer": "Give a whole number.",
    "Input should be greater than or equal to 0": "A share is at least 0.",
    "Input should be less than or equal to 100": "A share is at most 100.",
}
_AT_MOST = re.compile(r"(?:String|Value) should have at most (\d+) (?:characters|items)")


@dataclass(frozen=True)
class Field:
    """A part of the picture that can be edited in place."""

    name: str
    label: str
    help: str = ""
    is_list: bool = False


FIELDS = {
    field.name: field
    for field in (
        Field("summary", "Summary", "Two or three sentences: who they are and what decides."),
        Field("total_addressable_market", "Market size", "How many there are, and how the number was reached."),
        Field("key_insights", "Key insights", "One insight a line.", True),
        Field("recommendations", "Recommendations", "One recommendation a line.", True),
    )
}


LABELS = {
    "name": "Name",
    "website": "Website",
    "business_description": "What the business does",
    "industry": "Industry",
    "customers": "Customers",
    "location": "Place",
    "age_range": "Ages",
    "income_level": "Income",
    "core_need": "Core need",
    "additional_info": "Anything else",
    "size_percentage": "Share",
    "description": "Description",
    "key_characteristics": "Characteristics",
    "marketing_approach": "Approach",
}


def named(errors: Mapping[str, str]) -> dict[str, str]:
    """Errors for the summary above a form: each with its field's name, in the form's order."""
    order = list(LABELS)
    keys = sorted(errors, key=lambda key: order.index(key) if key in LABELS else len(order))
    return {key: f"{LABELS[key]}: {errors[key]}" if key in LABELS else errors[key] for key in keys}


def known_field(name: str) -> Field:
    if name not in FIELDS:
        raise NotFound("There is no such field.")
    return FIELDS[name]


def as_text(value: Any) -> str:
    """A list as lines, for a text area."""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")


def as_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def field_errors(error: AppError) -> dict[str, str]:
    """An error as sentences by field; without a field it is the form's."""
    found = {item["field"].split(".")[0]: _sentence(item["message"]) for item in error.details.get("errors", [])}
    return found or {error.details.get("field") or "form": error.message}


def _sentence(message: str) -> str:
    """What a schema says, as a person would."""
    long = _AT_MOST.match(message)
    if long:
        return f"This is too long: at most {int(long.group(1)):,} characters."
    return next((said for start, said in _SAID.items() if message.startswith(start)), message[:1].upper() + message[1:])


def segment_values(form: Mapping[str, str]) -> dict[str, Any]:
    """A segment form's values as its schema takes them."""
    size = form.get("size_percentage", "").strip().removesuffix("%").strip()
    lines = as_lines(form.get("key_characteristics", ""))
    return {**form, "key_characteristics": lines, "size_percentage": size or None}
