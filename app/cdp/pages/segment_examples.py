"""Segments to begin with: what people ask for first, each a whole condition."""

from __future__ import annotations

from typing import Any, NamedTuple


class Example(NamedTuple):
    key: str
    name: str
    description: str
    icon: str
    conditions: dict[str, Any]


def _all(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "and", "conditions": list(conditions)}


EXAMPLES = (
    Example(
        "bought", "Bought in the last 90 days", "Customers you have served lately.", "shopping-cart",
        _all({"type": "event", "event": "purchase", "time_window": "last_90_days"}),
    ),
    Example(
        "stopped", "Stopped buying", "Bought in the half year before, but not in the last two months.", "history",
        _all({"type": "stopped", "event": "purchase", "active_days": 180, "quiet_days": 60}),
    ),
    Example(
        "never", "Known but never bought", "You could write to them, and they have not bought yet.", "user-plus",
        _all(
            {"type": "identifier", "kind": "email", "operator": "present"},
            {"type": "event", "event": "purchase", "operator": "not_occurred", "time_window": "ever"},
        ),
    ),
    Example(
        "sms", "Agreed to SMS", "People with a number who said yes to text messages.", "message-circle",
        _all(
            {"type": "consent", "channel": "sms", "operator": "is", "state": "granted"},
            {"type": "identifier", "kind": "phone", "operator": "present"},
        ),
    ),
)  # fmt: skip
BY_KEY = {example.key: example for example in EXAMPLES}
