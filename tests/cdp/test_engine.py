"""Conditions answered from the index are what the database says."""

from __future__ import annotations

import pytest

from app.cdp.services import evaluation
from app.cdp.services.conditions import parse
from tests.cdp.factory import TODAY, People, at, fold

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
    assert found(CONTRACT_EXAMPLE, today=TODAY - 1) == [rich, gone]  # a day earlier the window began a day earlier


def test_names_that_would_break_out_of_sql_are_only_names(people):
    hostile = '"; DROP TABLE profiles; --\\ $."x" é'
    one, _other = people.add(1, traits={hostile: "v\"'%_"})[0], people.add()[0]
    people.events([(one, hostile, at(TODAY), {hostile: 1})])
    fold()
    assert found({"type": "trait", "trait": hostile, "operator": "equals", "value": "v\"'%_"}) == [one]
    where = [{"property": hostile, "operator": "greater_or_equal", "value": 1}]
    assert found({"type": "event", "event": hostile, "where": where}) == [one]


def test_a_number_as_text_is_not_the_number_and_true_is_not_one(people):
    number, text, truth = (people.add(1, traits={"x": value})[0] for value in (1, "1", True))
    fold()
    for value, who in ((1, number), ("1", text), (True, truth)):
        assert found({"type": "trait", "trait": "x", "operator": "equals", "value": value}) == [who]


def test_a_birthday_on_29_february_comes_on_the_28th_in_other_years(people):
    one = people.add(1, traits={"born": "2000-02-29"})[0]
    fold()
    raw = {"type": "trait", "trait": "born", "operator": "anniversary_within_days", "value": 1}
    at_feb_28 = {2023: 19416, 2024: 19781}
    assert found(raw, today=at_feb_28[2023]) == [one]
    assert found(raw, today=at_feb_28[2024]) == []
    assert found(raw, today=at_feb_28[2024] + 1) == [one]


def test_a_holdout_is_the_share_asked_for_and_the_rest_is_everyone_else(people):
    ids = people.add(2000)
    fold()
    held = found({"type": "random", "seed": "spring", "from": 0, "to": 10})
    rest = found({"type": "random", "seed": "spring", "from": 10, "to": 100})
    assert 140 < len(held) < 260
    assert sorted(held + rest) == ids
    assert held != found({"type": "random", "seed": "summer", "from": 0, "to": 10})
