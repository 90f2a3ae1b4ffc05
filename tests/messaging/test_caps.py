"""Caps hold whatever leaves at once: other campaigns, other workers, messages in doubt, people who were merged."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.cdp.services import merges
from app.core.db import db, unit_of_work
from app.messaging.services import campaigns, delivery_caps, plans, recipients
from app.messaging.services.lanes import Lane
from app.messaging.services.sending import Loop
from tests.messaging.campaign import house, number_of, twilio

__all__ = ["house", "twilio"]


def frozen(house, campaign_id: int) -> int:
    """Started, everybody's row made, nothing sent."""
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    return campaign_id


def claim(campaign_id: int) -> Lane:
    plan = plans.load(campaign_id)
    assert plan is not None
    lane = Lane(plan)
    lane.top_up(time.monotonic())
    return lane


def received(twilio) -> Counter[str]:
    calls = twilio.received("twilio")
    return Counter(one["body"]["To"] for one in calls if one["method"] == "POST" and "Messages" in one["path"])


def test_three_campaigns_at_once_do_not_send_more_than_a_cap_of_two(house, twilio):
    house.people(20)
    house.rules(caps=[{"channel": "sms", "most": 2, "days": 7}])
    segment_id, template_id = house.segment(), house.template()
    ids = [frozen(house, house.campaign(segment_id, template_id)) for _ in range(3)]
    lanes = [claim(one) for one in ids]
    assert [len(lane.ahead) for lane in lanes] == [20, 20, 0]
    for lane in lanes:
        lane.give_back()
    house.run_jobs()
    assert max(received(twilio).values()) == 2


def test_two_workers_at_once_do_not_send_more_than_a_cap(app, house, twilio):
    house.people(150)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    segment_id, template_id = house.segment(), house.template()
    for _ in range(2):
        frozen(house, house.campaign(segment_id, template_id))

    def work(_: int) -> None:
        with app.app_context():
            Loop().run()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert Counter(received(twilio).values()) == {1: 150}


def test_a_message_by_itself_that_may_have_left_counts(house):
    (person,) = house.people(1)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    house.sent_earlier(person, 1, state="unknown", sent_at=None, address=number_of(1))
    lane = claim(frozen(house, house.campaign(house.segment())))
    assert not lane.ahead
    assert house.reasons(lane.plan.campaign_id) == {person: "pending"}


def test_what_went_to_a_profile_that_was_merged_counts_for_who_they_are_now(house):
    person, other = house.people(2)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    campaign_id = frozen(house, house.campaign(house.segment({"type": "trait", "trait": "name", "operator": "equals",
                                                              "value": "Person 1"})))  # fmt: skip
    house.sent_earlier(other, 1)
    with unit_of_work():
        merges.merge_by_hand(person, other, "the same person", None)
    assert not claim(campaign_id).ahead
    assert house.reasons(campaign_id) == {person: "cap_reached"}


def test_a_campaign_whose_caps_another_worker_asks_under_holds_up_no_other_and_comes_back_soon(house):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("It has one writer anyway.")
    house.people(1)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    plan = plans.load(frozen(house, house.campaign(house.segment())))
    assert plan is not None
    lane = Lane(plan)
    with db.engine.connect() as elsewhere:
        elsewhere.execute(
            text("SELECT pg_advisory_xact_lock(:space, :tenant)"),
            {"space": delivery_caps.LOCK_SPACE["sms"], "tenant": plan.workspace.tenant_id},
        )
        began = time.monotonic()
        lane.top_up(began)
        assert time.monotonic() - began < 0.1
        assert not lane.ahead
    assert lane.next_claim_at < began + 0.1
    lane.top_up(lane.next_claim_at)
    assert len(lane.ahead) == 1
