"""The brief decides: five businesses get five audiences, the same brief the same one, a change its own change."""

import hashlib
import json
import subprocess
import sys

import pytest

from app.ai.providers.base import Task
from tests.ai.builtin.briefs import FIVE, GYM, ORGANIC, ask, audience_of, segments_of


def test_five_businesses_get_five_plainly_different_audiences():
    names, jobs, quotes = [], [], []
    for brief in FIVE.values():
        made = audience_of(brief)
        names.append({segment["name"] for segment, _ in made})
        jobs.append({person["occupation"] for _, group in made for person in group})
        quotes.append({person["quote"] for _, group in made for person in group})
    for i in range(5):
        for j in range(i):
            assert not names[i] & names[j]
            assert not quotes[i] & quotes[j]
            assert len(jobs[i] & jobs[j]) <= len(jobs[i]) // 2


@pytest.mark.parametrize("name", FIVE)
def test_segments_number_three_to_five_and_add_up_to_a_hundred(name):
    found = segments_of(FIVE[name])
    assert 3 <= len(found) <= 5
    assert sum(segment["size_percentage"] for segment in found) == 100
    assert all(segment["size_percentage"] >= 5 for segment in found)
    assert all(2 <= len(segment["key_characteristics"]) <= 6 for segment in found)


def test_the_same_brief_gets_the_same_answer_in_another_process():
    code = (
        "import json,sys;from tests.ai.builtin.briefs import *;"
        "sys.stdout.write(json.dumps(audience_of(ORGANIC))+ask(Task.RESEARCH,ORGANIC,deep=True).text)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    here = json.dumps(audience_of(ORGANIC)) + ask(Task.RESEARCH, ORGANIC, deep=True).text
    assert {hashlib.sha256(run).hexdigest() for run in runs} == {hashlib.sha256(here.encode()).hexdigest()}


def people(brief):
    return [person for _, group in audience_of(brief, 3) for person in group]


def without(person, *fields):
    return {key: value for key, value in person.items() if key not in (*fields, "evidence")}


def test_another_place_moves_the_people_and_leaves_the_rest():
    before, after = people(ORGANIC), people(ORGANIC | {"location": "Ohio"})
    assert all(person["location"].endswith("OH") for person in after)
    assert [without(p, "location") for p in before] == [without(p, "location") for p in after]


def test_another_core_need_changes_goals_alone():
    before, after = people(ORGANIC), people(ORGANIC | {"core_need": "Waste less of what we buy at home"})
    assert all("Waste less of what we buy at home" in person["goals"] for person in after)
    assert [without(p, "goals") for p in before] == [without(p, "goals") for p in after]


def test_an_older_age_range_brings_older_people_and_other_segments():
    older = GYM | {"age_range": "60-75"}
    assert {s["name"] for s in segments_of(older)} != {s["name"] for s in segments_of(GYM)}
    assert all(60 <= person["age"] <= 75 for person in people(older))


def test_a_higher_income_brings_better_paid_work():
    def mean(brief):
        pays = [int("".join(c for c in p["income"].split(" a year")[0] if c.isdigit())) for p in people(brief)]
        return sum(pays) / len(pays)

    assert mean(GYM | {"income_level": "High"}) > 1.4 * mean(GYM | {"income_level": "Low"})


def test_customers_named_in_the_brief_weigh_more():
    def size(brief):
        return {s["name"]: s["size_percentage"] for s in segments_of(brief)}["Strong for later"]

    plain = GYM | {"age_range": "18-80", "income_level": ""}
    assert size(plain | {"customers": "People over fifty training for independence on a doctor's advice"}) > size(plain)


@pytest.mark.parametrize(
    ("description", "customers", "heading", "trade"),
    [
        ("software for gyms to manage memberships", "", "crm and marketing software", "gyms and studios"),
        ("payroll for restaurants", "", "payroll and hr software", "restaurants"),
        ("cyber security for small law firms", "law firms", "cybersecurity", "law firms"),
        ("Point of sale for cafes", "cafes", "payments and business finance", "cafés"),
    ],
)
def test_an_offer_to_a_trade_is_read_as_business_in_that_trade(description, customers, heading, trade):
    text = ask(Task.RESEARCH, {"business_description": description, "customers": customers}).text
    assert f"# {heading}" in text.lower().splitlines()[0]
    assert f"The buyers are {trade}" in text


def test_an_unknown_business_is_told_that_little_is_known_of_it():
    for brief in ({"business_description": "quantum cheese polishing"}, {}):
        assert "knows little of this market" in ask(Task.RESEARCH, brief).text
        insight = json.loads(ask(Task.INSIGHT, brief).text)
        assert "knows little of" in insight["summary"]
