"""What becomes of a message when the provider refuses, stumbles or falls silent: an end with a reason, in few tries."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.cdp.services import consent
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import platform_scope
from app.messaging.jobs.sending import wake
from app.messaging.models import Message
from app.messaging.services import delivery, reconciling, sender_settings
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import SENDER, house, number_of, twilio

__all__ = ["house", "twilio"]
OTHER_SENDER = "+14155238886"
FORBIDDEN_COUNTRY = "+15005550003"  # 21408, a fault of the set-up


def single(**values) -> int:
    """A message of no campaign, asked to be sent."""
    with unit_of_work() as session:
        row = Message(**({"channel": "sms", "address": number_of(1), "sender": SENDER, "body": "Hello"} | values))
        session.add(row)
        session.flush()
        delivery.send_soon(row)
        return row.id


def read(message_id: int) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message_id, populate_existing=True)


def pass_time(**by) -> None:
    """Let it be so much later for every message."""
    names = ("due_at", "claimed_at", "created_at")
    rows = db.session.scalars(select(Message)).all()
    with platform_scope(), unit_of_work() as session:
        for row in rows:
            earlier = {name: getattr(row, name) - timedelta(**by) for name in names if getattr(row, name)}
            session.execute(update(Message).where(Message.id == row.id).values(earlier))


def posts(control) -> int:
    calls = control.received("twilio")
    return sum(call["path"].endswith("Messages.json") and call["method"] == "POST" for call in calls)


def test_a_single_message_refused_for_the_set_up_has_failed_and_says_why(house, twilio):
    house.rules(keeps_us_hours=False)
    message_id = single(address=FORBIDDEN_COUNTRY)
    house.run_jobs()
    for _ in range(3):
        wake()
        house.run_jobs()
    row = read(message_id)
    assert (row.state, row.reason, row.error_code) == ("failed", "configuration", 21408)
    assert row.ended_at is not None
    assert posts(twilio) == 1


def test_a_message_of_a_campaign_refused_for_the_set_up_waits_for_it_to_be_resumed(house, twilio):
    house.rules(keeps_us_hours=False)
    house.people(1, phone=FORBIDDEN_COUNTRY)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    assert house.load(campaign_id).state == "paused"
    assert [one.state for one in house.messages(campaign_id)] == ["pending"]


@pytest.mark.parametrize("status", [401, 403])
def test_where_the_code_is_unknown_a_refusal_of_the_account_pauses_and_loses_nobody(house, twilio, status):
    house.people(3)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", f"status_{status}", path="*/Messages.json", times=100, code=20010)
    house.launch(campaign_id)
    assert house.load(campaign_id).state == "paused"
    assert set(house.reasons(campaign_id).values()) == {"pending"}


def test_where_the_code_is_unknown_too_many_requests_are_slowed_down_and_lose_nobody(house, twilio):
    house.people(3)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "status_429", path="*/Messages.json", times=100, code=14107)
    house.launch(campaign_id)
    assert house.load(campaign_id).state == "running"
    assert set(house.reasons(campaign_id).values()) == {"pending"}
    assert min(one.due_at for one in house.messages(campaign_id)) > utc_now() - timedelta(seconds=1)


def test_a_stumbling_provider_is_asked_a_bounded_number_of_times_with_growing_pauses(house, twilio):
    house.people(1)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "status_500", path="*/Messages.json", match="Body", times=1000)
    house.launch(campaign_id)
    waits = []
    for _ in range(10):
        reconciling.reconcile()
        (row,) = house.messages(campaign_id)
        if row.state == "failed":
            break
        waits.append((row.due_at - utc_now()).total_seconds())
        pass_time(minutes=10)
        wake()
        house.run_jobs()
    assert (row.state, row.reason) == ("failed", "transient")
    assert row.ended_at is not None
    assert posts(twilio) == 6
    assert all(later > earlier * 1.5 for earlier, later in itertools.pairwise(waits))
    wake()
    house.run_jobs()
    assert house.load(campaign_id).state == "completed"
    assert house.tallies_add_up(campaign_id)


def test_a_provider_that_stumbled_once_gets_the_message_a_little_later(house, twilio):
    house.people(1)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "status_503", path="*/Messages.json", match="Body", times=1)
    house.launch(campaign_id)
    reconciling.reconcile()
    pass_time(minutes=1)
    wake()
    house.run_jobs()
    assert Counter(house.reasons(campaign_id).values()) == {"queued": 1}
    assert twilio.messages()["messages"] == 1


def test_a_look_up_that_finds_a_message_lost_does_what_its_report_would_have_done(house, twilio):
    blocked, off = house.people(2)
    twilio.twilio(callbacks=False, outcomes={"undelivered:30004": 1.0})
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=2)
    house.launch(campaign_id)
    twilio.advance(60)
    assert reconciling.reconcile() == 2
    for row in house.messages(campaign_id):
        assert (row.state, row.reason, row.error_code) == ("undelivered", "blocked", 30004)
        assert row.ended_at is not None
    assert {consent.states_of(one)["sms"] for one in (blocked, off)} == {"denied"}
    assert house.tallies_add_up(campaign_id)


def test_a_look_up_that_finds_a_phone_off_has_it_tried_again_later(house, twilio):
    house.people(1)
    twilio.twilio(callbacks=False, outcomes={"undelivered:30003": 1.0})
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=1)
    house.launch(campaign_id)
    twilio.advance(60)
    reconciling.reconcile()
    (row,) = house.messages(campaign_id)
    assert row.state == "pending"
    assert timedelta(minutes=14) < row.due_at - utc_now() < timedelta(minutes=16)
    assert row.sid is None
    assert house.tallies_add_up(campaign_id)


def test_a_sender_removed_while_a_message_is_in_doubt_is_asked_all_the_same(house, twilio):
    house.people(1)
    with unit_of_work():
        first = sender_settings.add("sms", SENDER, rate=0).id
        sender_settings.add("sms", OTHER_SENDER, rate=0)
    twilio.twilio(senders=[OTHER_SENDER])
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=1)
    house.launch(campaign_id)
    with unit_of_work():
        sender_settings.remove(first)
    reconciling.reconcile()
    wake()
    house.run_jobs()
    (row,) = house.messages(campaign_id)
    assert (row.state in ("queued", "sent", "delivered"), row.sender) == (True, SENDER)
    assert twilio.messages()["messages"] == 1


def test_one_handed_over_by_another_account_is_neither_sent_again_nor_in_doubt_for_ever(
    house, twilio, settings_override
):
    house.people(1)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "reset", path="*/Messages.json", times=1)
    settings_override(twilio_account_sid="AC" + "c" * 32)
    house.launch(campaign_id)
    settings_override(twilio_account_sid=ACCOUNT_SID)
    assert reconciling.reconcile() == 0
    assert [one.state for one in house.messages(campaign_id)] == ["unknown"]
    pass_time(hours=3)
    assert reconciling.reconcile() == 1
    assert [(one.state, one.reason) for one in house.messages(campaign_id)] == [("failed", "unknown")]
    assert twilio.messages()["messages"] == 0


def test_those_that_stay_in_doubt_keep_no_newer_one_from_being_looked_up(house, twilio, settings_override, monkeypatch):
    monkeypatch.setattr(reconciling, "AT_ONCE", 1)
    house.people(2)
    segment_id = house.segment()
    settings_override(twilio_account_sid="AC" + "c" * 32)
    twilio.fault("twilio", "reset", path="*/Messages.json", times=2)
    house.launch(house.campaign(segment_id))
    settings_override(twilio_account_sid=ACCOUNT_SID)
    pass_time(minutes=10)
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=1)
    message_id = single(address=number_of(90))
    house.run_jobs()
    assert read(message_id).state == "unknown"
    for _ in range(3):
        reconciling.reconcile()
    assert read(message_id).state in ("queued", "sent", "delivered")


def test_without_an_account_a_single_message_waits_two_hours_and_has_failed_then(house, twilio, settings_override):
    settings_override(twilio_auth_token="")
    message_id = single()
    house.run_jobs()
    assert read(message_id).state == "pending"
    pass_time(hours=1)
    wake()
    house.run_jobs()
    assert read(message_id).state == "pending"
    pass_time(hours=2)
    wake()
    house.run_jobs()
    row = read(message_id)
    assert (row.state, row.reason) == ("failed", "configuration")
    assert row.ended_at is not None
    settings_override(twilio_auth_token=AUTH_TOKEN)
    wake()
    house.run_jobs()
    assert posts(twilio) == 0


def test_an_account_connected_in_time_sends_what_waited_for_it(house, twilio, settings_override):
    settings_override(twilio_auth_token="")
    message_id = single()
    house.run_jobs()
    settings_override(twilio_auth_token=AUTH_TOKEN)
    pass_time(minutes=2)
    wake()
    house.run_jobs()
    assert read(message_id).state == "queued"
    assert posts(twilio) == 1


def test_without_an_account_one_in_doubt_is_given_up_after_two_hours(house, twilio, settings_override):
    twilio.fault("twilio", "reset", path="*/Messages.json", times=1)
    message_id = single()
    house.run_jobs()
    settings_override(twilio_auth_token="")
    assert reconciling.reconcile() == 0
    assert read(message_id).state == "unknown"
    pass_time(hours=3)
    assert reconciling.reconcile() == 1
    assert (read(message_id).state, read(message_id).reason) == ("failed", "unknown")


def test_a_single_message_keeps_the_pace_of_the_sender_it_leaves_from(house, twilio):
    with unit_of_work():
        sender_settings.add("sms", OTHER_SENDER, rate=0)
        sender_settings.add("sms", SENDER, rate=2)
    began = time.monotonic()
    for index in (1, 2, 3):
        single(address=number_of(index))
    house.run_jobs()
    assert posts(twilio) == 3
    assert time.monotonic() - began > 0.8
