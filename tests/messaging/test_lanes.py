"""One campaign in one worker beside others: what it claims, and what it leaves to them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Message, MessageThread
from app.messaging.services import campaigns, delivery, plans, recipients
from app.messaging.services.lanes import Lane
from tests.messaging.campaign import SENDER, house, number_of, twilio

__all__ = ["house", "twilio"]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as made:
        yield made


def make_lane(house, campaign_id: int) -> Lane:
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    plan = plans.load(campaign_id)
    assert plan is not None
    return Lane(plan)


def test_a_campaign_that_was_put_down_claims_nothing_more(house):
    house.people(2)
    lane = make_lane(house, house.campaign(house.segment()))
    lane.is_closing = True
    lane.top_up(time.monotonic())
    assert not lane.ahead
    assert {one.state for one in house.messages(lane.plan.campaign_id)} == {"pending"}


def test_two_campaigns_at_once_do_not_send_more_than_a_cap_allows(house, twilio, pool):
    house.people(1)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    segment_id, template_id = house.segment(), house.template()
    first, second = (make_lane(house, house.campaign(segment_id, template_id)) for _ in range(2))
    for lane in (first, second):
        lane.top_up(time.monotonic())
    assert (len(first.ahead), len(second.ahead)) == (1, 0)
    (waiting,) = house.messages(second.plan.campaign_id)
    assert waiting.state == "pending"
    assert waiting.due_at > utc_now()
    assert house.tallies_add_up(second.plan.campaign_id)

    first.launch(pool, 5, time.monotonic())
    while first.flying:
        first.collect()
    first.write(time.monotonic(), at_once=True)
    with unit_of_work():
        db.session.get_one(Message, waiting.id).due_at = utc_now()
    second.next_claim_at = 0.0
    second.top_up(time.monotonic())
    assert house.reasons(second.plan.campaign_id) == {waiting.profile_id: "cap_reached"}
    assert twilio.messages()["messages"] == 1


def test_where_a_cap_has_room_for_both_nobody_waits(house):
    house.people(1)
    house.rules(caps=[{"channel": "sms", "most": 2, "days": 7}])
    segment_id, template_id = house.segment(), house.template()
    for lane in [make_lane(house, house.campaign(segment_id, template_id)) for _ in range(2)]:
        lane.top_up(time.monotonic())
        assert len(lane.ahead) == 1


def test_a_message_by_itself_without_an_account_waits_and_is_not_in_doubt(house, settings_override):
    settings_override(twilio_account_sid="", twilio_auth_token="")
    with unit_of_work() as session:
        row = Message(channel="sms", address=number_of(1), sender=SENDER, body="Hello")
        session.add(row)
    delivery.send_one(row.id)
    db.session.refresh(row)
    assert row.state == "pending"
    assert row.due_at > utc_now()


@pytest.mark.parametrize(("content", "state"), [({"sid": "HX1", "variables": {}}, "skipped"), (None, "queued")])
def test_after_a_no_they_are_answered_and_nothing_is_begun(house, content, state):
    """Somebody who said no elsewhere and writes to us gets an answer, and no approved text."""
    (person,) = house.people(1, state="denied")
    talk = MessageThread(channel="sms", address=number_of(1), sender=SENDER)
    row = Message(channel="sms", address=number_of(1), sender=SENDER, body="Hello", content=content, profile_id=person)
    with unit_of_work() as session:
        session.add(talk)
        session.flush()
        row.thread_id = talk.id
        session.add(row)
    delivery.send_one(row.id)
    db.session.refresh(row)
    assert row.state == state
