"""Small pieces of plain English that conditions are told in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.cdp.services.engine.days import as_date

_SHOWN = 5
_CHANNELS = {"sms": "SMS", "whatsapp": "WhatsApp", "email": "e-mail"}
_OPENINGS = {"did": "who", "stopped": "who", "is": "who", "drawn": "", "none": "", "not:": ""}


def quoted(value: Any) -> str:
    """A value as it stands in a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    return f"“{value}”"


def number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.6g}"


def day(value: int) -> str:
    on = as_date(value)
    return f"{on.day} {on:%B} {on.year}"


def listed(values: Sequence[Any], joint: str = "or") -> str:
    """“a”, “b” or “c”; a long list is cut."""
    shown = [quoted(value) for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        return f"{', '.join(shown)} {joint} {len(values) - _SHOWN:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {joint} {shown[-1]}"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def name(key: str) -> str:
    """A trait's or event's key as people say it."""
    return key.replace("_", " ").strip() or key


def channel(key: str) -> str:
    return _CHANNELS.get(key, key)


def opening(told: str) -> str:
    """The pronoun a told condition follows: who did, whose city is; empty where it takes none."""
    return _OPENINGS.get(told.lstrip("(").split(" ", 1)[0], "whose")


def joined(parts: Sequence[str], joint: str) -> str:
    """Told conditions in a row; the pronoun comes again where it changes: "city is “Leeds” and who did purchase"."""
    told, before = parts[0], opening(parts[0])
    for part in parts[1:]:
        now = opening(part)
        told += f" {joint} {now} {part}" if now and now != before else f" {joint} {part}"
        before = now
    return told


def shown(value: Any) -> str:
    """A stored value, cut where it is long."""
    if value is None or value == "":
        return "not known"
    if isinstance(value, list):
        return listed(value, "and") if value else "an empty list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return quoted(value if not isinstance(value, str) or len(value) <= 80 else f"{value[:79]}…")
