"""A persona's free-form data as pages show it: a line, a card, sections, a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.insights.models import Persona

SCALARS = ("age", "gender", "occupation", "income", "education", "location", "household")
LISTS = {
    "goals": "Goals",
    "pain_points": "Pains",
    "preferred_channels": "Channels",
    "purchasing_habits": "Buying habits",
    "behaviors": "Behaviour",
    "values": "Values",
    "interests": "Interests",
}
LABELS = {**{key: key.capitalize() for key in SCALARS}, **LISTS, "quote": "In their words"}
KINDS = ("observed", "inferred", "invented")
CARD_FACTS = 4


@dataclass(frozen=True)
class Known:
    """One field with where it comes from; `kind` is empty when nobody has said."""

    key: str
    label: str
    value: Any
    kind: str = ""
    basis: str = ""
    url: str = ""
    n: int | None = None


def label_of(key: str) -> str:
    return LABELS.get(key) or (key.replace("_", " ").strip().capitalize() or key)


def known(persona: Persona, key: str, value: Any = None, label: str = "") -> Known:
    """The field with its evidence; one that a person wrote has none."""
    entry = persona.evidence.get(key)
    entry = entry if isinstance(entry, Mapping) else {}
    kind = entry.get("kind", "")
    count = entry.get("n")
    return Known(
        key,
        label or label_of(key),
        persona.data.get(key) if value is None else value,
        kind if kind in KINDS else "",
        str(entry.get("basis") or ""),
        str(entry.get("url") or ""),
        count if isinstance(count, int) else None,
    )


def words(value: Any, limit: int = 3, length: int = 160) -> str:
    """Any JSON value as a short line: the first few of a list, the inner values of an object."""
    if isinstance(value, Mapping):
        value = [f"{label_of(str(key))}: {words(inner)}" for key, inner in value.items()]
    if isinstance(value, list):
        text = ", ".join(filter(None, (words(item) for item in value[:limit])))
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def headline(persona: Persona) -> str:
    """`34, hospital pharmacist, Leeds`, as far as it is known."""
    parts = [words(persona.data.get(key), length=60) for key in ("age", "occupation", "location")]
    parts[1] = _inside(parts[1])
    return ", ".join(part for part in parts if part)


def _inside(text: str) -> str:
    """A phrase in the middle of a line: its first letter small, unless it is an abbreviation or a name."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def quote(persona: Persona) -> str:
    value = persona.data.get("quote")
    return value.strip() if isinstance(value, str) else ""


def card_facts(persona: Persona) -> list[Known]:
    """The four facts that say most about someone in little room."""
    data = persona.data
    wanted = [
        ("pain_points", "Held back by", words(_first(data.get("pain_points")))),
        ("preferred_channels", "Listens to", words(data.get("preferred_channels"), 2)),
        ("purchasing_habits", "Buys", words(_first(data.get("purchasing_habits")))),
        _home(data),
        ("goals", "Wants", words(_first(data.get("goals")))),
        ("income", "Earns", words(data.get("income"))),
        ("values", "Cares about", words(data.get("values"), 2)),
    ]
    shown = [known(persona, key, text, label) for key, label, text in wanted if text]
    used = {fact.key for fact in shown} | {"age", "occupation", "location", "quote", "gender"}
    rest = [known(persona, key, words(value)) for key, value in data.items() if key not in used and words(value)]
    return (shown + rest)[:CARD_FACTS]


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _home(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Who they live with: a field of its own, or the line among what they do that begins with it."""
    if words(data.get("household")):
        return "household", "At home", words(data["household"])
    lines = data.get("behaviors")
    lived = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    line = next((line for line in lived if line.lower().startswith("lives ")), "")
    return "behaviors", "At home", words(line)


def at_a_glance(persona: Persona) -> list[Known]:
    return [known(persona, key) for key in SCALARS if is_plain(persona.data.get(key))]


def sections(persona: Persona) -> list[Known]:
    """The lists everyone has, each as a list of lines."""
    found = [known(persona, key) for key in LISTS]
    return [field for field in found if is_lines(field.value) and field.value]


def others(persona: Persona) -> list[Known]:
    """Everything else in the data, of any shape; also a usual field of an unusual shape."""
    shown = {field.key for field in (*at_a_glance(persona), *sections(persona))}
    shown |= {"quote"} if quote(persona) else set()
    return [
        known(persona, key) for key, value in persona.data.items() if key not in shown and value not in (None, "", [])
    ]


def is_plain(value: Any) -> bool:
    """A value that stands on one line."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip() != ""


def is_lines(value: Any) -> bool:
    """A list whose items each stand on one line."""
    return isinstance(value, list) and all(is_plain(item) and "\n" not in str(item) for item in value)


def comparison(people: list[Persona]) -> list[tuple[str, list[Known]]]:
    """Row by row what each of them is: the usual fields first, then whatever else any of them has."""
    usual = [*SCALARS, "quote", *LISTS]
    extra = dict.fromkeys(key for person in people for key in person.data if key not in usual)
    rows = [(label_of(key), [known(person, key) for person in people]) for key in [*usual, *extra]]
    return [(label, cells) for label, cells in rows if any(cell.value not in (None, "", [], {}) for cell in cells)]
