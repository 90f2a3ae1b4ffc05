"""The grammar: what is read, how it is told, and how what is wrong is named."""

from __future__ import annotations

import pytest

from app.cdp.services.conditions import parse
from app.core.errors import ValidationFailed
from tests.cdp.test_engine import CONTRACT_EXAMPLE

MESSAGING = {
    "operator": "AND",
    "conditions": [
        {"attribute": "city", "operator": "equals", "value": "San Francisco"},
        {"attribute": "tier", "operator": "equals", "value": "premium"},
    ],
}
AS_TRAITS = {
    "operator": "and",
    "conditions": [
        {"type": "trait", "trait": "city", "operator": "equals", "value": "San Francisco"},
        {"type": "trait", "trait": "tier", "operator": "equals", "value": "premium"},
    ],
}


def test_the_messaging_grammar_gives_the_same_tree():
    assert parse(MESSAGING) == parse(AS_TRAITS)
    single = {"attribute": "signup_date", "operator": "after", "value": "2024-01-01"}
    assert parse(single) == parse({"type": "trait", "trait": "signup_date", "operator": "after", "value": "2024-01-01"})


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (CONTRACT_EXAMPLE, "total purchases is more than 500 and who did purchase in the last 90 days"),
        (
            {
                "type": "event",
                "event": "purchase",
                "operator": "not_occurred",
                "time_window": {"from": "2024-01-01", "to": "2024-01-31"},
            },
            "did not purchase from 1 January 2024 to 31 January 2024",
        ),
        (
            {
                "type": "event",
                "event": "view",
                "count": {"at_least": 2},
                "where": [{"property": "kind", "operator": "in", "value": ["a", "b"]}],
            },
            "did view (where kind is “a” or “b”) at least twice ever",
        ),
        (
            {
                "type": "sequence",
                "steps": [{"event": "view"}, {"event": "purchase"}],
                "within_days": 3,
                "without": [{"event": "refund"}],
                "time_window": "last_30_days",
            },
            "did view and then purchase within 3 days with no refund in between, in the last 30 days",
        ),
        (
            {"operator": "not", "conditions": [{"type": "consent", "channel": "sms", "state": "granted"}]},
            "not: consent to SMS is granted",
        ),
        (
            {"type": "rank", "computed_trait": "total_purchases", "operator": "top", "percent": 10},
            "is among the top 10% by total purchases",
        ),
        (
            {"type": "trait", "trait": "plan", "operator": "not_equals", "value": "gold"},
            "plan is not “gold” (or is not known)",
        ),
    ],
)
def test_a_condition_tells_itself_in_plain_english(raw, sentence):
    assert parse(raw).sentence() == sentence


def leaf(**changes):
    return {"type": "event", "event": "purchase", "operator": "occurred", **changes}


def deep(levels):
    raw = leaf()
    for _ in range(levels):
        raw = {"operator": "and", "conditions": [raw]}
    return raw


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (
            {"operator": "and", "conditions": [leaf(), leaf(time_window="last_0_days")]},
            "conditions.conditions[1].time_window",
        ),
        ({"operator": "xor", "conditions": [leaf()]}, "conditions.operator"),
        ({"operator": "and", "conditions": []}, "conditions.conditions"),
        ("everyone", "conditions"),
        (leaf(operator="happened"), "conditions.operator"),
        (leaf(time_window="last_week"), "conditions.time_window"),
        (leaf(time_window={"from": "2024-02-01", "to": "2024-01-01"}), "conditions.time_window"),
        (leaf(time_window={"from": "2024-02-31", "to": "2024-03-01"}), "conditions.time_window.from"),
        (leaf(count={"at_least": -1}), "conditions.count.at_least"),
        (leaf(count={"at_least": 1, "at_most": 2}), "conditions.count"),
        (leaf(where=[{"property": "a", "operator": "equals", "value": None}]), "conditions.where[0].value"),
        (leaf(wehre=[]), "conditions.wehre"),
        (leaf(event="a\0b"), "conditions.event"),
        (leaf(event="x" * 201), "conditions.event"),
        ({"type": "trait", "trait": "age", "operator": "matches", "value": "(a+)+$"}, "conditions.operator"),
        ({"type": "trait", "trait": "age", "operator": "greater_than", "value": "old"}, "conditions.value"),
        ({"type": "trait", "trait": "age", "operator": "greater_than", "value": 10**400}, "conditions.value"),
        ({"type": "trait", "trait": "age", "operator": "between", "value": [5, 1]}, "conditions.value"),
        ({"type": "trait", "trait": "age", "operator": "in", "value": list(range(1001))}, "conditions.value"),
        ({"type": "trait", "trait": "email", "operator": "greater_than", "value": 1}, "conditions.operator"),
        ({"type": "regularly", "event": "a", "at_least": 5, "periods": 4, "period_days": 7}, "conditions.at_least"),
        ({"type": "random", "from": 50, "to": 10}, "conditions"),
        ({"type": "weather"}, "conditions.type"),
        (deep(12), "conditions" + ".conditions[0]" * 12),
        ({"operator": "or", "conditions": [{"operator": "or", "conditions": [leaf()] * 101}] * 2}, "conditions"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(raw, path):
    with pytest.raises(ValidationFailed) as refused:
        parse(raw)
    assert refused.value.details["field"] == path
    assert refused.value.message.startswith(f"{path}: ")


def test_eleven_groups_deep_is_deep_enough():
    assert parse(deep(11)).sentence()


@pytest.mark.parametrize(
    "bad", [[], {}, 5, None, True, [[]], {"conditions": {}}, {"type": []}, {"type": "trait", "trait": {}}]
)
def test_any_json_is_read_or_refused(bad):
    with pytest.raises(ValidationFailed):
        parse(bad)
