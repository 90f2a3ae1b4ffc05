"""The twenty conditions of the segments benchmark, of one to ten leaves."""

from __future__ import annotations

from typing import Any


def trait(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"type": "trait", "trait": name, "operator": operator, "value": value}


def did(event: str, window: Any = "last_90_days", **more: Any) -> dict[str, Any]:
    return {"type": "event", "event": event, "time_window": window, **more}


def both(*parts: dict[str, Any], operator: str = "and") -> dict[str, Any]:
    return {"operator": operator, "conditions": list(parts)}


BIG = {"type": "computed_trait", "trait": "total_purchases", "operator": "greater_than", "value": 500}
SMS = {"type": "consent", "channel": "sms", "state": "granted"}
LEAVES = [
    trait("city", "in", ["Berlin", "Hamburg", "Kiel"]),
    did("purchase"),
    SMS,
    BIG,
    trait("age", "between", [25, 44]),
    did("visit", "last_30_days", operator="not_occurred"),
    did("view", "last_60_days", count={"at_least": 3}),
    trait("plan", "not_equals", "free"),
    {"type": "lifecycle", "operator": "in", "value": ["lead", "customer"]},
    did("add_to_cart", {"from_days_ago": 120, "to_days_ago": 30}),
]
CONDITIONS: list[dict[str, Any]] = [
    LEAVES[0],
    LEAVES[1],
    BIG,
    trait("email", "contains", "@mail7."),
    did("purchase", where=[{"property": "amount", "operator": "greater_than", "value": 150}]),
    did(
        "purchase",
        "last_365_days",
        aggregate={"function": "sum", "property": "amount", "operator": "greater_than", "value": 300},
    ),
    {
        "type": "sequence",
        "steps": [{"event": "add_to_cart"}, {"event": "purchase"}],
        "within_days": 7,
        "time_window": "last_90_days",
    },
    {"type": "rank", "computed_trait": "total_purchases", "operator": "top", "percent": 10},
    both(BIG, LEAVES[1]),
    both(
        did("purchase", count={"at_least": 2}), did("purchase", "last_30_days", operator="not_occurred"), SMS, LEAVES[0]
    ),
    both(*LEAVES[:3]),
    both(*LEAVES[:4]),
    both(*LEAVES[:5]),
    both(*LEAVES[:5], operator="or"),
    both(*LEAVES[:6]),
    both(*LEAVES[:7]),
    both(*LEAVES[:8]),
    both(*LEAVES[:9]),
    both(*LEAVES),
    both(both(*LEAVES[:5], operator="or"), both(*LEAVES[5:], operator="or")),
]
