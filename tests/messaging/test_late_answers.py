"""A provider that takes a message after nobody waits for its answer any more: it is found, and not sent again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.messaging.jobs.sending import wake
from app.messaging.services import reconciling
from tests.messaging.campaign import house, twilio
from tests.messaging.test_lanes import make_lane

__all__ = ["house", "twilio"]
GIVEN_UP_AFTER, TAKEN_AFTER = 0.5, 1.3  # seconds of a call


@pytest.fixture
def late(twilio, settings_override):
    """The next message is taken when its call has long been given up."""
    settings_override(twilio_timeout_seconds=GIVEN_UP_AFTER, message_claim_seconds=10, message_doubt_seconds=1.6)
    twilio.fault("twilio", "hang", path="*/Messages.json", match="Body", times=1, seconds=TAKEN_AFTER)
    return twilio


def look_up_until_settled(house) -> None:
    """As the scheduler would, but oftener."""
    deadline = time.monotonic() + 8
    while not reconciling.reconcile() and time.monotonic() < deadline:
        time.sleep(0.05)
    wake()
    house.run_jobs()


def test_one_that_waited_for_its_pace_is_not_looked_up_before_its_provider_can_have_it(house, late):
    house.people(1)
    lane = make_lane(house, house.campaign(house.segment()))
    lane.top_up(time.monotonic())
    time.sleep(1.4)  # as others left before it
    with ThreadPoolExecutor(1) as pool:
        lane.launch(pool, 1, time.monotonic())
        while lane.flying:
            lane.collect()
    lane.write(time.monotonic(), at_once=True)
    assert [one.state for one in house.messages(lane.plan.campaign_id)] == ["unknown"]
    look_up_until_settled(house)
    (row,) = house.messages(lane.plan.campaign_id)
    assert late.messages()["messages"] == 1
    assert row.sid is not None
