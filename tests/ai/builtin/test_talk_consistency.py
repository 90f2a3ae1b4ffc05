"""Over a whole conversation the persona keeps to its facts and never contradicts itself."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.ai.builtin.talk_people import PEOPLE, ask, marks, plain, talk

TEN = [
    "Hi, my name is Ana.",
    "How old are you?",
    "What annoys you most?",
    "Why?",
    "Do you use LinkedIn?",
    "Tell me more about your habits",
    "Would you pay $20 a month?",
    "What's your age again?",
    "Are you on LinkedIn at all?",
    "What's my name?",
]


@pytest.mark.parametrize("name", PEOPLE)
def test_ten_turns_agree_with_each_other(name):
    said = [answer for _, answer in talk(name, TEN)]
    age = str(PEOPLE[name][0]["age"])
    assert age in said[1]
    assert age in said[7]
    assert _side(said[4]) == _side(said[8])
    assert "Ana" in said[9]


def _side(answer: str) -> bool:
    """Whether an answer about a channel says yes."""
    return bool(
        re.match(
            r"(?:as i said, |like i told you, |again, |[^:]{0,40}: )?(?:yes|i do|i'm on|it suits|fine)", answer.lower()
        )
    )


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(
    "wordings",
    [
        ("How old are you?", "What is your age?", "when were you born?"),
        ("How much do you earn?", "What's your salary?", "what do you make a year, how much do you make?"),
        ("Where do you live?", "What city are you in?"),
        ("What do you do for work?", "What's your job?"),
    ],
)
def test_one_question_in_other_words_has_the_same_substance(name, wordings):
    answers = [marks(ask(name, wording)) for wording in wordings]
    assert all(answers)
    assert set.intersection(*answers)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(
    "question", ["Do you have a dog?", "Do you use TikTok?", "Do you have children?", "Are you married?"]
)
def test_a_yes_or_no_stays_the_same_later_and_in_other_words(name, question):
    first = ask(name, question)
    later = talk(name, [question, "What annoys you?", "Where do you live?", question])[-1][1]
    assert first.lower().startswith("yes") == bool(
        re.search(r"\byes\b|\bi do\b", later.lower()[:60])
    ) or not later.lower().startswith("no")
    claimed = first.startswith("Yes")
    assert not claimed or marks(first) & marks(later)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_higher_price_never_lands_better_than_a_lower_one(name):
    ranks = []
    for amount in (1, 5, 12, 30, 80, 200, 900, 5000, 90000):
        answer = plain(ask(name, f"Would you pay ${amount}?")).lower()
        ranks.append(_landing(answer))
    assert ranks == sorted(ranks), ranks
    assert ranks[-1] == 3


def _landing(answer: str) -> int:
    if re.search(r"more than i'd|too much|walk away|past what", answer):
        return 3
    if re.search(r"think twice|hesitate\. it|on the edge|have to think", answer):
        return 2
    return 0 if re.search(r"without much thought|wouldn't hesitate|easy for me", answer) else 1


@pytest.mark.parametrize("name", PEOPLE)
def test_no_sentence_is_said_twice_in_a_conversation(name):
    questions = [
        "Hi", "Who are you?", "What frustrates you?", "Tell me more", "Why?", "What are your goals?",
        "What do you value?", "How do you shop?", "How do you decide?", "Any advice for us?",
        "What would make you leave?", "What frustrates you?", "Give me an example", "Anything else?",
    ]  # fmt: skip
    seen: list[str] = []
    for _, answer in talk(name, questions):
        for sentence in re.split(r"(?<=[.!?])\s+", plain(answer)):
            if len(sentence.split()) > 4:
                assert sentence not in seen, sentence
                seen.append(sentence)


@pytest.mark.parametrize("name", PEOPLE)
def test_the_same_question_again_is_answered_with_the_same_facts(name):
    said = talk(name, ["What frustrates you?", "Where do you live?", "What frustrates you?"])
    assert marks(said[0][1]) & marks(said[2][1])


def test_the_user_name_and_plans_are_remembered():
    said = talk(
        "Priya Nair",
        [
            "My name is Ana.",
            "We plan to raise the price to $12.",
            "What is my name?",
            "What did I tell you about the price?",
        ],
    )
    assert "Ana" in said[2][1]
    assert "$12" in said[3][1]


def test_a_name_never_told_is_not_known():
    assert "haven't" in ask("Priya Nair", "What's my name?")


def test_follow_ups_are_read_in_the_light_of_what_was_said():
    said = talk(
        "Priya Nair", ["Where should we reach you?", "What about email?", "and Instagram?", "And your children?"]
    )
    assert _side(said[1][1]) is False
    assert "Instagram" in said[2][1]
    assert "children" in said[3][1].lower()


def test_why_gives_a_reason_from_another_fact():
    said = talk("Marcus Bell", ["What frustrates you most?", "Why?"])
    assert marks(said[1][1]) - marks(said[0][1])


def test_tell_me_more_brings_what_was_not_said():
    said = talk("Marcus Bell", ["What frustrates you most?", "Tell me more"])
    assert marks(said[1][1]) - marks(said[0][1])


def test_a_verdict_on_a_plan_holds_when_it_is_asked_about_again():
    said = talk("Dee Okafor", ["Would you pay $900 a month?", "Would you stay?"])
    assert "No" in said[1][1] or "go" in said[1][1] or "don't" in said[1][1]


def test_the_message_may_already_be_the_last_line_of_the_history():
    history = [{"role": "user", "content": "How old are you?"}]
    assert ask("Priya Nair", "How old are you?", history=[]) == _with_history(history)


def _with_history(history):
    from app.ai.providers.builtin.talk import answer_chat
    from tests.ai.builtin.talk_people import facts_for

    return answer_chat(facts_for("Priya Nair", message="How old are you?", history=history))


def test_the_same_conversation_is_the_same_in_another_process():
    code = "from tests.ai.builtin.talk_people import ask; print(ask('Priya Nair', 'What should we change?'))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert runs[0].strip() == ask("Priya Nair", "What should we change?")


def test_personas_speak_differently():
    answers = {plain(ask(name, "What should we change?")) for name in PEOPLE}
    greetings = {ask(name, "Hello!") for name in PEOPLE}
    assert len(answers) == len(PEOPLE)
    assert len(greetings) > 1
