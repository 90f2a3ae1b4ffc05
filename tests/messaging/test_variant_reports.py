"""The report of a campaign's texts: who answered how, compared with those held out, and when a winner is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.clock import utc_now
from app.messaging.models import MessageState, Skip
from app.messaging.services import reporting
from tests.messaging.answers import Answers
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]


@pytest.fixture
def two_texts(house):
    """A campaign of two texts that ended ten days ago; nobody has a message yet."""

    def make(**values) -> Answers:
        templates = [house.template(f"Text {name}", name=name) for name in "AB"]
        answers = Answers(house, house.campaign(house.segment(), *templates, **values))
        answers.began(10)
        return answers

    return make


def report(answers):
    return reporting.variant_report(answers.campaign_id)


def by_label(found):
    return {row.label: row for row in found.variants}


def test_people_are_counted_once_however_often_they_follow_and_answer(two_texts, house):
    answers, people = two_texts(), house.people(4)
    first, second = answers.variants()
    sent = answers.messages(people[:3], first)
    answers.messages(people[3:], second)
    links = [answers.link(), answers.link("https://shop.example/2", 1)]
    answers.click(links[0], sent[:2], times=3)
    answers.click(links[1], sent[:1])
    answers.answer(sent[:1], at=utc_now() - timedelta(days=9))
    answers.answer(sent[:1], kind="stop", at=utc_now() - timedelta(days=9))
    rows = by_label(report(answers))
    assert [(rows["A"].clicks.hits, rows["A"].clicks.base), (rows["B"].clicks.hits, rows["B"].clicks.base)] == [
        (2, 3), (0, 1),
    ]  # fmt: skip
    assert (rows["A"].replies.hits, rows["A"].opt_outs.hits) == (1, 1)
    found = reporting.link_report(answers.campaign_id)
    assert [(one.link.url, one.people, one.clicks) for one in found] == [
        ("https://shop.example/", 2, 6), ("https://shop.example/2", 1, 1),
    ]  # fmt: skip


def test_the_goal_counts_the_first_event_after_the_message_and_within_its_days(two_texts, house):
    answers, people = two_texts(goal_event="purchase", goal_days=3), house.people(6)
    first, _ = answers.variants()
    answers.messages(people[:5], first)
    start = utc_now() - timedelta(days=10)
    answers.did(people[:1], "purchase", start + timedelta(days=1))  # counts
    answers.did(people[:1], "purchase", start + timedelta(days=2))  # the same person again
    answers.did(people[1:2], "purchase", start - timedelta(hours=1))  # before the message
    answers.did(people[2:3], "purchase", start + timedelta(days=4))  # too late
    answers.did(people[3:4], "refund", start + timedelta(days=1))  # something else
    answers.did(people[5:6], "purchase", start + timedelta(days=1))  # was not written to
    assert by_label(report(answers))["A"].goal.hits == 1


def test_the_held_out_are_what_the_goal_is_measured_against(two_texts, house):
    answers, people = two_texts(goal_event="purchase", holdout_percent=50), house.people(240)
    first, _ = answers.variants()
    answers.messages(people[:120], first)
    answers.messages(people[120:], state=MessageState.SKIPPED, reason=Skip.HOLDOUT)
    at = utc_now() - timedelta(days=9)
    answers.did(people[:60], "purchase", at)
    answers.did(people[120:140], "purchase", at)
    found = report(answers)
    assert (found.treated.hits, found.treated.base) == (60, 120)
    assert (found.held_out.hits, found.held_out.base) == (20, 120)
    assert found.lift.points == pytest.approx(1 / 3)
    assert found.lift.low < 1 / 3 < found.lift.high
    assert "the campaign made 33.3 points more do it" in found.lift_sentence


def sent_to(answers, house, count: int, *clicked: int) -> None:
    """So many got each text, and so many of each followed its link."""
    people, link = house.people(count * 2), answers.link()
    for place, variant_id in enumerate(answers.variants()):
        ids = answers.messages(people[place * count : (place + 1) * count], variant_id)
        answers.click(link, ids[: clicked[place]])


def test_a_winner_is_named_when_chance_would_hardly_do_that(two_texts, house):
    answers = two_texts()
    sent_to(answers, house, 120, 10, 40)
    found = report(answers)
    assert found.measure == "clicks"
    assert [row.label for row in found.variants if row.is_winner] == ["B"]
    assert found.sentence.startswith("B won: 33.3 % of 120 followed a link with B, 8.3 % of 120 with A.")


def test_a_lead_that_may_be_chance_wins_nothing_and_says_so(two_texts, house):
    answers = two_texts()
    sent_to(answers, house, 120, 30, 34)
    found = report(answers)
    assert found.winner_id is None
    assert found.sentence.startswith("B is ahead, but the difference may be chance: p = 0.56.")


def test_nothing_is_said_before_each_text_reached_a_hundred_people(two_texts, house):
    answers = two_texts()
    sent_to(answers, house, 99, 1, 90)
    found = report(answers)
    assert (found.winner_id, found.p) == (None, None)
    assert found.sentence == "Too few yet: each text needs 100 people, and A has 99."


def test_no_winner_is_named_before_seven_days_have_passed(two_texts, house):
    answers = two_texts()
    sent_to(answers, house, 120, 10, 40)
    answers.began(6.9)
    assert report(answers).winner_id is None
    assert "B is ahead so far" in report(answers).sentence
    answers.began(7.1)
    assert report(answers).winner_id is not None


def test_no_winner_by_goal_is_named_before_its_days_after_the_last_message_are_over(house):
    templates = [house.template(f"Text {name}", name=name) for name in "AB"]
    answers = Answers(house, house.campaign(house.segment(), *templates, goal_event="bought", goal_days=3))
    ids = house.people(240)
    answers.began(9, completed=False)  # it goes on: nobody knows which message will be the last
    for place, variant_id in enumerate(answers.variants()):
        answers.messages(ids[place * 120 : place * 120 + 120], variant_id)
    answers.did(ids[:60], "bought", utc_now() - timedelta(days=8))
    found = report(answers)
    assert (found.winner_id, found.due_at) == (None, None)
    assert "A is ahead so far" in found.sentence
    assert found.sentence.endswith("The answer is due 3 days after the last message.")
    answers.began(9)
    assert report(answers).sentence.startswith("A won")


def test_several_texts_raise_the_bar(house):
    """Two of them alone differ with p = 0.03; as one of three pairs that is no longer under 0.05."""
    templates = [house.template(f"Text {name}", name=name) for name in "ABC"]
    answers = Answers(house, house.campaign(house.segment(), *templates))
    answers.began(10)
    people, link = house.people(300), answers.link()
    for place, clicked in enumerate((45, 30, 30)):
        ids = answers.messages(people[place * 100 : place * 100 + 100], answers.variants()[place])
        answers.click(link, ids[:clicked])
    found = report(answers)
    assert found.winner_id is None
    assert found.p == pytest.approx(3 * 0.02846, abs=1e-3)


def test_one_text_needs_no_verdict(house):
    answers = Answers(house, house.campaign(house.segment()))
    assert (report(answers).sentence, report(answers).winner_id) == ("", None)
