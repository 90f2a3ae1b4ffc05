"""In a panel the stance follows from what a message offers this person, and its words bear the stance out."""

from __future__ import annotations

from statistics import mean

import pytest

from tests.ai.builtin.talk_people import PEOPLE, ask, panel

FITTING = {
    "Priya Nair": "Tonight's dinner, planned for you: 20 minutes, delivered around your shift. Honest labels.",
    "Marcus Bell": "Close payroll in one day. No reconciling timesheets, and support that answers within the hour.",
    "Dee Okafor": "No contract, no hidden fees, student price of $19 a month. Try a class free, and nobody judges.",
    "Henrik Aalto": "See the movement being finished by hand. Visit our workshop by appointment.",
    "Rosa Lindqvist": "One honest letter a year, no glossy mailings, never asked for more after giving.",
}
IRRELEVANT = "Our new deodorant keeps you cool on the racetrack."
HOSTILE = "You people are lazy idiots. Shame on you!!!"


@pytest.mark.parametrize("name", PEOPLE)
def test_a_message_that_speaks_to_their_worries_beats_an_irrelevant_one_and_that_a_hostile_one(name):
    fitting = mean(panel(name, message=FITTING[name], seed=seed)["stance"] for seed in range(12))
    irrelevant = mean(panel(name, message=IRRELEVANT, seed=seed)["stance"] for seed in range(12))
    hostile = mean(panel(name, message=HOSTILE, seed=seed)["stance"] for seed in range(12))
    assert fitting > irrelevant > hostile
    assert fitting >= 3.5
    assert hostile < 2


@pytest.mark.parametrize("name", PEOPLE)
def test_each_person_prefers_the_message_made_for_them_to_those_for_the_others(name):
    own = panel(name, message=FITTING[name])["stance"]
    others = mean(panel(name, message=text)["stance"] for other, text in FITTING.items() if other != name)
    assert own > others


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("message", [*FITTING.values(), IRRELEVANT, HOSTILE, "20% off today only!!!"])
def test_the_answer_has_its_shape_and_bears_its_stance_out(name, message):
    found = panel(name, message=message)
    assert set(found) == {"stance", "reasons", "objections", "quote", "would_change"}
    assert 1 <= len(found["reasons"]) <= 4
    assert len(found["objections"]) <= 4
    assert found["quote"]
    assert found["would_change"]
    assert "[" not in found["quote"]
    if found["stance"] <= 2:
        assert found["objections"]
    if found["stance"] >= 4:
        assert found["reasons"][0] not in found["objections"]


@pytest.mark.parametrize("name", PEOPLE)
def test_the_same_seed_gives_the_same_answer(name):
    assert panel(name, message=FITTING[name], seed=7) == panel(name, message=FITTING[name], seed=7)


def test_another_seed_moves_a_stance_by_one_step_at_most_and_sometimes_does():
    moved = 0
    for name in PEOPLE:
        for message in (*FITTING.values(), IRRELEVANT):
            stances = {panel(name, message=message, seed=seed)["stance"] for seed in range(8)}
            assert max(stances) - min(stances) <= 1
            moved += len(stances) > 1
    assert moved


def test_people_differ_in_one_panel():
    stances = [panel(name, message="No contract, cancel any time, student price of $9")["stance"] for name in PEOPLE]
    assert len(set(stances)) > 1


@pytest.mark.parametrize("name", PEOPLE)
def test_a_discount_works_better_on_those_who_watch_their_money(name):
    care = {
        person: panel(person, message="Half price this month: save money on every order", seed=3)["stance"]
        for person in PEOPLE
    }
    assert care["Dee Okafor"] > care["Henrik Aalto"]


def test_a_higher_price_is_never_met_with_more_favour():
    for name in PEOPLE:
        stances = [
            panel(name, question=f"Would you pay ${amount} a month?")["stance"] for amount in (2, 20, 200, 20_000)
        ]
        assert stances == sorted(stances, reverse=True)
        assert stances[-1] <= 2


@pytest.mark.parametrize("name", PEOPLE)
def test_a_panel_and_the_chat_agree_on_a_message(name):
    for message in (FITTING[name], HOSTILE):
        stance = panel(name, message=message, seed=0)["stance"]
        said = ask(name, f'What do you think of this ad: "{message}"')
        keen = any(
            said.startswith(line)
            for line in (
                "I'd open that",
                "Yes",
                "That speaks",
                "That would get",
                "I like it",
                "I'd give that",
                "That's not bad",
                "It'd get my",
                "I'm leaning",
                "There's something",
            )
        )
        assert keen == (stance >= 4)


@pytest.mark.parametrize("name", PEOPLE)
def test_optimization_proposes_a_wording_without_the_faults(name):
    found = panel(
        name, message="BEST DEAL EVER!!! Hurry, organic dinner crates delivered today only", type="optimization"
    )
    assert "For instance" in found["would_change"]
    proposed = found["would_change"].split("For instance:")[1]
    assert "!!!" not in proposed
    assert "BEST DEAL EVER" not in proposed
    assert "hurry" not in proposed.lower()


@pytest.mark.parametrize(
    "question",
    [
        "What would make you switch?",
        "Should we open on Sundays?",
        "Do you use Instagram?",
        "How do you feel about subscriptions?",
        "",
    ],
)
def test_any_question_gets_a_stance_and_a_quote(question):
    for name in PEOPLE:
        found = panel(name, question=question)
        assert found["stance"] in range(1, 6)
        assert found["quote"]
