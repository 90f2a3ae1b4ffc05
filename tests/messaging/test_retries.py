"""A phone that is off is written to again, though its campaign is over by the time its report comes."""

from __future__ import annotations

import html
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import Conflict, InvalidTransition
from app.messaging.jobs.sending import wake
from app.messaging.services import campaigns, plans, reconciling, sender_settings
from app.messaging.services.lanes import Lane
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import SENDER, house, twilio
from tests.messaging.provider import PUBLIC, Provider
from tests.messaging.test_outcomes import pass_time, posts
from tests.messaging.test_troubles import run_sql, start

__all__ = ["house", "twilio"]


@pytest.fixture
def report(app, house, settings_override):
    """Tell of a message as the provider would, and have it applied."""
    settings_override(public_url=PUBLIC)

    def call(row, status, code=None):
        provider, sid = Provider(app.test_client(), account=ACCOUNT_SID, token=AUTH_TOKEN), row.sid
        with ThreadPoolExecutor(1) as elsewhere:  # a request of its own, with no tenant bound
            assert elsewhere.submit(provider.status, sid, status, code=code).result().status_code == 200
        house.run_jobs()

    return call


@pytest.fixture
def finished(house):
    """A campaign to one person, all handed over."""
    house.people(1)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    assert house.load(campaign_id).state == "completed"
    return campaign_id


def later(house, **by) -> None:
    pass_time(**by)
    wake()
    house.run_jobs()


def test_a_phone_that_is_off_is_tried_three_times_more_after_the_campaign_is_over(house, twilio, report, finished):
    for number, wait in enumerate((15, 60, 240), start=2):
        (row,) = house.messages(finished)
        report(row, "undelivered", 30003)
        (row,) = house.messages(finished)
        assert row.state == "pending"
        assert abs(row.due_at - utc_now() - timedelta(minutes=wait)) < timedelta(minutes=1)
        later(house, minutes=wait + 1)
        assert [one.state for one in house.messages(finished)] == ["queued"]
        assert twilio.messages()["messages"] == number
        assert house.load(finished).state == "completed"
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    (row,) = house.messages(finished)
    assert (row.state, row.reason) == ("undelivered", "unreachable")
    assert house.tallies_add_up(finished)


def test_nobody_is_tried_again_after_a_campaign_was_cancelled(house, report):
    house.people(2)
    campaign_id = start(house.campaign(house.segment()))
    second = house.messages(campaign_id)[1]
    run_sql("UPDATE messages SET due_at = :later WHERE id = :id", later=utc_now() + timedelta(days=1), id=second.id)
    house.run_jobs()
    with unit_of_work():
        campaigns.cancel(campaign_id)
    report(house.messages(campaign_id)[0], "undelivered", 30003)
    assert [one.state for one in house.messages(campaign_id)] == ["undelivered", "cancelled"]


def test_what_the_account_refuses_of_a_finished_campaign_has_failed_and_is_not_asked_again(
    house, twilio, report, finished
):
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    twilio.fault("twilio", "status_400", path="*/Messages.json", times=100, code=21606)
    later(house, minutes=20)
    later(house, minutes=20)
    (row,) = house.messages(finished)
    assert (row.state, row.reason) == ("failed", "configuration")
    assert house.tallies_add_up(finished)


def test_a_campaign_that_is_over_can_be_cancelled_while_something_of_it_is_to_be_tried_again(house, report, twilio):
    house.people(2)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    ended_at = house.load(campaign_id).completed_at
    first, second = house.messages(campaign_id)
    report(first, "undelivered", 30003)
    with unit_of_work():
        campaigns.cancel(campaign_id)
    house.run_jobs()
    report(second, "undelivered", 30003)
    later(house, hours=1)
    assert [one.state for one in house.messages(campaign_id)] == ["cancelled", "undelivered"]
    assert (house.load(campaign_id).state, house.load(campaign_id).completed_at) == ("cancelled", ended_at)
    assert posts(twilio) == 2
    assert house.tallies_add_up(campaign_id)


def test_a_campaign_that_is_over_and_has_nothing_waiting_is_not_cancelled(house, finished):
    with pytest.raises(InvalidTransition, match="Nothing of it waits"), unit_of_work():
        campaigns.cancel(finished)
    assert house.load(finished).state == "completed"


def test_its_page_offers_to_cancel_what_is_to_be_tried_again_and_nothing_else(client, house, report, finished):
    def page() -> str:
        with ThreadPoolExecutor(1) as elsewhere:  # a request of its own, with no tenant bound
            return elsewhere.submit(client.get, f"/app/campaigns/{finished}/live").result().text

    assert "Cancel it for good" not in page()
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    assert "1\u00a0message will not be tried again. This is for good." in html.unescape(page())


def test_a_sender_is_not_removed_while_something_is_to_be_tried_again_by_it(house, report):
    with unit_of_work():
        sender_id = sender_settings.add("sms", SENDER, rate=0).id
    house.people(1)
    campaign_id = house.campaign(house.segment(), sender_id=sender_id)
    house.launch(campaign_id)
    (row,) = house.messages(campaign_id)
    report(row, "undelivered", 30003)
    with pytest.raises(Conflict, match="is the sender of Spring"), unit_of_work():
        sender_settings.remove(sender_id)
    with unit_of_work():
        campaigns.cancel(campaign_id)
    house.run_jobs()
    with unit_of_work():
        sender_settings.remove(sender_id)


def ended_days_ago(days: float) -> None:
    run_sql("UPDATE campaigns SET completed_at = :at", at=utc_now() - timedelta(days=days))


def test_a_report_a_week_after_the_end_is_the_last_word_and_nothing_waits_for_ever(house, report, finished):
    (row,) = house.messages(finished)
    ended_days_ago(7.1)
    report(row, "undelivered", 30003)
    (row,) = house.messages(finished)
    assert (row.state, row.reason) == ("undelivered", "unreachable")
    assert house.tallies_add_up(finished)


def test_what_a_report_of_the_last_moment_has_tried_again_is_still_sent(house, report, finished):
    (row,) = house.messages(finished)
    ended_days_ago(6.99)
    report(row, "undelivered", 63038)  # to be tried again after a day
    ended_days_ago(9)  # which ended in the night
    later(house, hours=25)
    assert [one.state for one in house.messages(finished)] == ["queued"]


def test_a_phone_that_is_off_waits_while_its_campaign_has_failed_and_is_tried_again_when_it_goes_on(house, report):
    house.people(2)
    campaign_id = start(house.campaign(house.segment()))
    run_sql("UPDATE messages SET due_at = :at WHERE id = :id", at=utc_now() + timedelta(days=1),
            id=house.messages(campaign_id)[1].id)  # fmt: skip
    house.run_jobs()
    with unit_of_work():
        campaigns.fail(campaign_id, "Its people could not be gathered.")
    report(house.messages(campaign_id)[0], "undelivered", 30003)
    later(house, minutes=16)
    assert [one.state for one in house.messages(campaign_id)] == ["pending", "pending"]
    with unit_of_work():
        campaigns.resume(campaign_id)
    house.run_jobs()
    assert [one.state for one in house.messages(campaign_id)] == ["queued", "pending"]


def hand_over_and_die(campaign_id: int) -> None:
    """A worker that was killed before it wrote down what the provider answered."""
    lane = Lane(plans.load(campaign_id))
    lane.top_up(time.monotonic())
    with ThreadPoolExecutor(1) as pool:
        lane.launch(pool, 1, time.monotonic())


def test_a_try_that_a_look_up_found_is_counted_as_one(house, twilio, report, finished):
    twilio.twilio(callbacks=False, outcomes={"undelivered:30003": 1.0})
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    for _ in range(5):
        pass_time(minutes=300)
        hand_over_and_die(finished)
        twilio.advance(60)
        pass_time(minutes=1)
        reconciling.mark_lost()
        house.run_jobs()
    (row,) = house.messages(finished)
    assert (row.state, row.reason, posts(twilio)) == ("undelivered", "unreachable", 4)
    assert house.tallies_add_up(finished)
