"""What a system can ask to hear: the types that the events of all features say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.errors import ValidationFailed
from app.core.events import Event

PING = "webhook.ping"


@dataclass(frozen=True)
class EventType:
    """A type and what it says to people."""

    name: str
    words: str


def list_types() -> list[EventType]:
    """Every type there is, in alphabetical order. A test ping is none of them: it is sent when asked for."""
    found = {name: words for event in Event.registry.values() for name, words in event.outside_types.items()}
    return [EventType(name, found[name]) for name in sorted(found)]


def checked(names: Sequence[str]) -> list[str]:
    """The types in their usual order, each once; refuses none at all and unknown ones."""
    known = [one.name for one in list_types()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValidationFailed(f"events: choose at least one of {', '.join(known)}.", field="events")
    return [name for name in known if name in names]
