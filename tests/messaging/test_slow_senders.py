"""Single messages by a sender that may send seldom: no worker waits for it, and they leave at its pace all the same."""

from __future__ import annotations

import itertools
import time

import pytest
from sqlalchemy import func, select

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.jobs import LIVE, BackgroundJob
from app.messaging.jobs.sending import wake
from app.messaging.services import gate, sender_settings
from tests.messaging.campaign import SENDER, house, number_of, twilio
from tests.messaging.test_outcomes import pass_time, posts, read, single

__all__ = ["house", "twilio"]


@pytest.fixture
def sender(house):
    """The workspace's own, with a pace."""

    def add(rate: float) -> None:
        with unit_of_work():
            sender_settings.add("sms", SENDER, rate=rate)

    return add


def asked_for() -> int:
    db.session.rollback()
    live = BackgroundJob.state.in_(LIVE) & (BackgroundJob.name == "messaging.send_one")
    return int(db.session.scalar(select(func.count()).select_from(BackgroundJob).where(live)) or 0)


def test_no_worker_waits_for_a_slow_sender_and_nobody_asks_for_those_who_wait(house, twilio, sender):
    sender(0.05)
    ids = [single(address=number_of(n)) for n in range(1, 6)]
    began = time.monotonic()
    house.run_jobs()
    assert time.monotonic() - began < 2
    assert [read(one).state for one in ids] == ["queued", *["pending"] * 4]
    waits = [(read(one).due_at - utc_now()).total_seconds() for one in ids[1:]]
    assert 15 < waits[0] < 21
    assert all(18 < later - earlier < 22 for earlier, later in itertools.pairwise(waits))
    wake()
    assert asked_for() == 0


def test_those_who_waited_for_a_slow_sender_leave_when_it_is_their_turn(house, twilio, sender):
    sender(0.5)
    ids = [single(address=number_of(n)) for n in range(1, 4)]
    house.run_jobs()
    for number in (2, 3):
        time.sleep(2)
        pass_time(seconds=1)  # the rest is looked at again sooner than its turn comes, which changes nothing
        wake()
        house.run_jobs()
        assert posts(twilio) == number
    assert {read(one).state for one in ids} == {"queued"}


def test_one_after_the_other_leaves_at_the_pace_of_the_sender_without_being_asked_for_again(house, twilio, sender):
    sender(2)
    for n in range(1, 9):
        single(address=number_of(n))
    began = time.monotonic()
    while posts(twilio) < 8 and time.monotonic() - began < 20:
        house.run_jobs()
        time.sleep(0.05)
    lasted = time.monotonic() - began
    assert posts(twilio) == 8
    assert 3.2 < lasted < 8


def test_a_sender_that_was_told_to_rest_holds_no_worker(house, twilio, sender):
    sender(5)
    gate.hold_back(gate.Pace(f"sender:sms:{SENDER}", 5), 30)
    message_id = single()
    began = time.monotonic()
    house.run_jobs()
    assert time.monotonic() - began < 2
    row = read(message_id)
    assert row.state == "pending"
    assert 25 < (row.due_at - utc_now()).total_seconds() < 31
    assert posts(twilio) == 0
