"""Every person the analyst makes is possible: age, work, pay, schooling, home and words agree."""

import re
from collections import Counter

import pytest

from app.ai.providers.builtin.audience import Plan, part_for, plan
from app.ai.providers.builtin.brief import read_brief
from app.ai.providers.builtin.knowledge import Market, Seed, markets
from app.ai.providers.builtin.people import draw
from tests.ai.builtin.briefs import FIVE, audience_of, personas_of, segments_of

NAMES = ("Alder", "Birch & Co", "Cedar")
MARKETS = sorted(markets())
OF_CHILDREN = re.compile(r"\b(my (kids?|children|son|daughter)|the children eat|toddler)\b", re.IGNORECASE)


def brief_for(market: Market, name: str) -> dict[str, str]:
    words = " ".join(word for word, _ in sorted(market.words, key=lambda item: -item[1])[:4])
    return {"name": name, "business_description": words, "customers": "businesses" if market.is_business else ""}


def people(key: str):
    """Every seed of the market, drawn under three business names, four people each."""
    market = markets()[key]
    for name in NAMES:
        made: Plan = plan(read_brief(brief_for(market, name)))
        taken: set[str] = set()
        for seed in market.seeds:
            part = part_for(
                Plan(made.brief, made.match.__class__(market, None, None, True, ()), made.parts), seed.name, seed.who
            )
            for index in range(4):
                yield seed, draw(made, part, index, taken)


@pytest.mark.parametrize("key", MARKETS)
def test_age_work_pay_and_schooling_agree(key):
    for seed, person in people(key):
        assert_possible(seed, person)


def assert_possible(seed: Seed, person) -> None:
    assert 16 <= person.age <= 90
    assert person.age >= person.role.youngest
    assert not (person.retired and person.age < 60)
    assert person.pay >= 5_000
    job = person.role.occupation
    if not person.household_pay and job.p10 and job.p90:
        share = person.role.worked_share
        assert job.p10 * share - 500 <= person.pay <= job.p90 * share + 500
    if "degree" in job.education and "nondegree" not in job.education and person.role.worked_share == 1.0:
        assert "degree" in person.education
    if person.role.worked_share < 1.0:
        assert person.age <= 29


@pytest.mark.parametrize("key", MARKETS)
def test_children_were_born_when_their_parent_could_have_them(key):
    for _, person in people(key):
        for child in person.home.children:
            assert 0 <= child <= 17
            assert 18 <= person.age - child <= 45
        if person.home.kind in ("single", "couple", "shared", "parents"):
            assert person.home.children == ()


@pytest.mark.parametrize("key", MARKETS)
def test_nobody_without_children_speaks_of_theirs(key):
    market = markets()[key]
    if market.is_business:
        return
    for segment in segments_of(brief_for(market, "Alder")):
        for person in personas_of(brief_for(market, "Alder"), segment, 5):
            words = " ".join([person["quote"], *person["goals"], *person["pain_points"], *person["purchasing_habits"]])
            at_home = re.search(r"child|baby", person["behaviors"][0])
            assert at_home or not OF_CHILDREN.search(words), (segment["name"], person["behaviors"][0], words)


@pytest.mark.parametrize("name", FIVE)
def test_no_two_people_of_an_audience_bear_one_name(name):
    names = [person["name"] for _, group in audience_of(FIVE[name], 6) for person in group]
    assert len(set(names)) == len(names)


def test_a_taken_name_is_not_given_again():
    segment = segments_of(FIVE["gym"])[0]
    first = [p["name"] for p in personas_of(FIVE["gym"], segment, 4)]
    second = [p["name"] for p in personas_of(FIVE["gym"], segment, 4, taken_names=first)]
    assert not set(first) & set(second)


@pytest.mark.parametrize("name", FIVE)
def test_people_keep_to_the_briefs_ages_and_places(name):
    brief = FIVE[name]
    low, high = (int(n) for n in brief["age_range"].split("-"))
    found = [person for _, group in audience_of(brief, 4) for person in group]
    assert all(low <= person["age"] <= high for person in found)
    towns = {"organic": "OR", "gym": "OH", "watches": "NY"}
    if name in towns:
        assert all(person["location"].endswith(towns[name]) for person in found)


def test_pay_keeps_to_the_briefs_income_level():
    for level, low, high in (
        ("$50k-$80k", 50_000, 80_000),
        ("over $120,000", 120_000, 10**9),
        ("under 40000", 0, 40_000),
    ):
        brief = FIVE["gym"] | {"income_level": level}
        for _, group in audience_of(brief, 4):
            for person in group:
                pay = int(re.sub(r"\D", "", person["income"].split(" a year")[0]))
                assert low - 500 <= pay <= high + 500, (level, person["occupation"], person["income"])


def test_pay_outside_the_us_is_marked_as_american():
    for _, group in audience_of(FIVE["charity"]):
        assert all("US$" in person["income"] and "at US rates" in person["income"] for person in group)


@pytest.mark.parametrize("name", FIVE)
def test_every_field_says_what_it_rests_on(name):
    for _, group in audience_of(FIVE[name]):
        for person in group:
            evidence = person["evidence"]
            assert set(evidence) == set(person) - {"evidence"}
            assert all(note["kind"] in ("inferred", "invented") and note["basis"] for note in evidence.values())
            assert evidence["name"]["kind"] == evidence["quote"]["kind"] == "invented"
            assert evidence["income"]["url"].startswith("https://")


def test_people_of_a_segment_differ():
    people_of = personas_of(FIVE["organic"], segments_of(FIVE["organic"])[0], 4)
    for field in ("name", "age", "occupation", "income"):
        assert Counter(str(p[field]) for p in people_of).most_common(1)[0][1] == 1, field


def test_every_place_a_brief_names_gets_people_and_none_it_does_not():
    brief = FIVE["watches"] | {"location": "London, UK and New York"}
    towns = {person["location"] for _, group in audience_of(brief, 6) for person in group}
    assert any(town.endswith(", NY") for town in towns)
    assert any("London" in town or town in ("Bromley", "Kingston upon Thames") for town in towns)
    assert not any(town.endswith((", TX", ", OH")) for town in towns)


def test_a_band_in_another_currency_is_kept_and_called_an_assumption():
    brief = FIVE["organic"] | {"location": "Bengaluru, India", "income_level": "₹800000-₹2000000"}
    for _, group in audience_of(brief):
        for person in group:
            pay = int(re.sub(r"\D", "", person["income"]))
            assert person["income"].startswith("₹")
            assert 800_000 <= pay <= 2_000_000
            assert "assumption" in person["evidence"]["income"]["basis"]
