"""Without an account what is due waits two hours from the moment it was due, quietly, and has failed then."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.core.clock import utc_now
from app.core.db import db
from app.core.jobs import BackgroundJob
from app.core.tenancy import platform_scope
from app.sandbox.services.twilio_account import AUTH_TOKEN
from tests.messaging.campaign import house, twilio
from tests.messaging.test_outcomes import posts, read, single
from tests.messaging.test_retries import finished, later, report

__all__ = ["finished", "house", "report", "twilio"]


def test_a_moment_without_an_account_ends_no_retry_of_a_finished_campaign(
    house, twilio, report, finished, settings_override
):
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    settings_override(twilio_auth_token="")
    later(house, minutes=16)
    (row,) = house.messages(finished)
    assert row.state == "pending"
    assert timedelta(0) < row.due_at - utc_now() <= timedelta(minutes=1)
    settings_override(twilio_auth_token=AUTH_TOKEN)
    later(house, minutes=2)
    assert [one.state for one in house.messages(finished)] == ["queued"]
    assert house.tallies_add_up(finished)


def test_what_is_not_due_yet_is_not_put_off_by_the_want_of_an_account(house, report, settings_override):
    house.people(2)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    soon, late = house.messages(campaign_id)
    for _ in range(2):
        report(late, "undelivered", 30003)
        later(house, minutes=16)
        _, late = house.messages(campaign_id)
    report(soon, "undelivered", 30003)
    settings_override(twilio_auth_token="")
    due_at = house.messages(campaign_id)[1].due_at
    later(house, minutes=16)
    late = house.messages(campaign_id)[1]
    assert (late.state, late.due_at) == ("pending", due_at - timedelta(minutes=16))


def test_retries_without_an_account_have_failed_two_hours_after_they_were_due(
    house, report, finished, settings_override
):
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    settings_override(twilio_auth_token="")
    for minutes in (16, 60, 55):
        later(house, minutes=minutes)
        assert [one.state for one in house.messages(finished)] == ["pending"]
    later(house, minutes=10)
    (row,) = house.messages(finished)
    assert (row.state, row.reason) == ("failed", "configuration")
    assert house.load(finished).state == "completed"
    assert house.tallies_add_up(finished)


def test_a_single_message_at_a_later_try_has_two_hours_of_its_own(house, twilio, report, settings_override):
    message_id = single()
    house.run_jobs()
    for minutes in (15, 60):
        report(read(message_id), "undelivered", 30003)
        later(house, minutes=minutes + 1)
    report(read(message_id), "undelivered", 30003)
    settings_override(twilio_auth_token="")
    later(house, minutes=241)
    assert read(message_id).state == "pending"
    later(house, minutes=60)
    assert read(message_id).state == "pending"
    settings_override(twilio_auth_token=AUTH_TOKEN)
    later(house, minutes=2)
    assert read(message_id).state == "queued"
    assert posts(twilio) == 4


def test_a_message_that_waits_for_an_account_makes_no_job_fail(house, twilio, settings_override):
    settings_override(twilio_auth_token="")
    single()
    house.run_jobs()
    for _ in range(3):
        later(house, minutes=2)
    with platform_scope():
        jobs = db.session.scalars(select(BackgroundJob).where(BackgroundJob.name == "messaging.send_one")).all()
    assert {(one.state, one.error) for one in jobs} == {("done", None)}
