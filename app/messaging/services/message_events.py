"""Messages in people's timelines: sent, delivered, read, followed, answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.cdp.services import recording
from app.cdp.services.recording import Fact

SENT, DELIVERED, READ, FAILED = "message_sent", "message_delivered", "message_read", "message_failed"
CLICKED, RECEIVED, STOPPED, STARTED = "message_clicked", "message_received", "message_stop", "message_start"


def fact(name: str, profile_id: int, at: datetime, key: str, **properties: Any) -> Fact:
    """One entry of a timeline; `key` names what it is about, once: a message's id, a call's id."""
    return Fact(profile_id, name, at, f"{name}:{key}"[:100], properties)


def record(facts: Iterable[Fact]) -> None:
    """Write them in the current unit of work; a repeat changes nothing."""
    recording.record(list(facts))
