"""The persona answers the question that was asked, from its own facts, and marks them."""

from __future__ import annotations

import pytest

from tests.ai.builtin.talk_people import PEOPLE, ask, facts_for, marks, plain


@pytest.mark.parametrize(
    ("name", "question", "expected"),
    [
        ("Priya Nair", "How old are you?", "34"),
        ("Priya Nair", "what's your age", "34"),
        ("Priya Nair", "What do you do for a living?", "pharmacist"),
        ("Priya Nair", "whats ur job", "pharmacist"),
        ("Priya Nair", "Where are you based?", "Leeds"),
        ("Priya Nair", "How much do you earn?", "$85,000"),
        ("Priya Nair", "Where did you study?", "pharmacy"),
        ("Priya Nair", "Do you have any kids?", "children"),
        ("Priya Nair", "What frustrates you most?", "dinner"),
        ("Priya Nair", "What are you trying to achieve?", "planning"),
        ("Priya Nair", "What matters to you?", "reliability"),
        ("Priya Nair", "What do you do in your free time?", "cooking"),
        ("Priya Nair", "Where should we reach you?", "SMS"),
        ("Priya Nair", "When do you usually order?", "Tuesdays"),
        ("Marcus Bell", "Who else has to approve this?", "CFO"),
        ("Marcus Bell", "How big is your company?", "210"),
        ("Marcus Bell", "What would make you switch?", "month"),
        ("Dee Okafor", "Do discounts work on you?", "discount"),
        ("Dee Okafor", "What would make you leave?", "contract|crowded"),
        ("Henrik Aalto", "Who decides with you?", "alone"),
        ("Henrik Aalto", "How do you decide what to buy?", "workshop|slowly"),
        ("Rosa Lindqvist", "What do you hate about appeals?", "asked|mailings"),
    ],
)
def test_an_answer_holds_what_was_asked_for(name, question, expected):
    answer = ask(name, question)
    assert any(word.lower() in answer.lower() for word in expected.split("|")), answer
    assert marks(answer), answer


@pytest.mark.parametrize(
    ("name", "question", "start"),
    [
        ("Priya Nair", "Do you use Instagram?", "Yes"),
        ("Priya Nair", "Are you over 30?", "Yes"),
        ("Priya Nair", "Are you over 40?", "No"),
        ("Priya Nair", "Do you have children?", "Yes"),
        ("Marcus Bell", "Are you a woman?", "No"),
    ],
)
def test_a_yes_or_no_question_gets_the_one_the_facts_say(name, question, start):
    answer = ask(name, question)
    assert answer.startswith((start, "I do" if start == "Yes" else start, "I am" if start == "Yes" else start)), answer


@pytest.mark.parametrize("name", PEOPLE)
def test_a_channel_nobody_noted_is_not_claimed(name):
    answer = ask(name, "Do you use Snapchat?")
    assert answer.startswith(("No", "Whether")), answer


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(
    "question",
    [
        "Who are you?",
        "What annoys you?",
        "How do you decide?",
        "Where do you hear of new things?",
        "What should we change?",
    ],
)
def test_an_answer_is_short_first_person_and_marks_only_facts_that_exist(name, question):
    answer = ask(name, question)
    known = {fact["n"] for fact in facts_for(name)["facts"]}
    assert marks(answer) <= known
    assert len(marks(answer)) <= 6
    assert len(plain(answer)) < 700
    first_person = {"i", "i'm", "i'd", "me", "my", "mine", "i've"}
    assert first_person & set(plain(answer).lower().replace(".", " ").replace(",", " ").replace(":", " ").split()), (
        answer
    )
    assert " her " not in answer
    assert " his " not in answer


def test_several_questions_in_one_message_are_each_answered():
    answer = ask("Priya Nair", "How old are you and what do you do? Where do you live?")
    assert all(word in answer for word in ("34", "pharmacist", "Leeds"))


def test_two_options_are_compared_and_one_is_chosen_whatever_their_order():
    one = ask("Priya Nair", "Which would you open: A: Dinner sorted in 20 minutes B: £8 off today only")
    two = ask("Priya Nair", "Which would you open: A: £8 off today only B: Dinner sorted in 20 minutes")
    assert "Dinner sorted in 20 minutes" in one.split("”")[0]
    assert "Dinner sorted in 20 minutes" in two.split("”")[0]


def test_email_or_text_is_settled_by_the_preferred_channels():
    assert plain(ask("Marcus Bell", "Email or text?")).lower().startswith("email")
    assert "text" in plain(ask("Priya Nair", "Email or text?")).lower().split(".")[0]


def test_a_pasted_message_is_judged_by_what_it_offers_this_person():
    good = ask(
        "Priya Nair", 'What do you think of this ad: "Tonight: dinner in 20 minutes, delivered around your shift"'
    )
    bad = ask("Priya Nair", 'What do you think of this ad: "Stupid people cook. Hurry!!!"')
    assert "20 minutes" in good
    assert "dinner" in good.lower()
    assert any(word in bad for word in ("gets my money", "insulting"))


def test_typing_errors_do_not_hide_the_question():
    assert "34" in ask("Priya Nair", "hw old r u?")
    assert ask("Priya Nair", "do you use instagrm?").lower().find("instagram") >= 0
    assert "dinner" in ask("Priya Nair", "what frustates you the most??").lower()


def test_fields_that_somebody_added_are_used():
    data = {"pets": "two cats", "home": {"garden": "a small balcony"}, "vegetarian": True, "cars": 0, "boat": None}
    assert "two cats" in ask("Priya Nair", "Do you have pets?", data=data).lower()
    assert "balcony" in ask("Priya Nair", "Do you have a garden?", data=data)
    assert ask("Priya Nair", "Are you vegetarian?", data=data).startswith("Yes")


def test_data_without_numbered_facts_is_still_used_and_bears_no_marks():
    answer = ask("Priya Nair", "How old are you?", facts=[])
    assert "34" in answer
    assert not marks(answer)


def test_edited_data_changes_the_answer():
    assert "51" in ask("Priya Nair", "How old are you?", data={"age": 51}, facts=[])
