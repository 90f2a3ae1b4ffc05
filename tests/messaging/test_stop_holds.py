"""A STOP that was answered holds whatever becomes of the store: emptied, started again, or away."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.core.db import db, unit_of_work
from app.core.redis import get_redis
from app.core.tenancy import tenant_scope
from app.messaging.services import campaigns, gate, gate_scripts, plans, recipients, sending, trials
from app.messaging.services.lanes import Lane
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import SENDER, house, number_of, twilio
from tests.messaging.provider import PUBLIC, Provider

__all__ = ["house", "twilio"]
ANN = number_of(1)


@pytest.fixture
def provider(app, house, settings_override) -> Provider:
    settings_override(public_url=PUBLIC)
    return Provider(app.test_client(), ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as made:
        yield made


def make_lane(house) -> Lane:
    """A worker that has claimed a message to Ann, her consent looked at, and handed nothing over yet."""
    house.people(1)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    plan = plans.load(campaign_id)
    assert plan is not None
    made = Lane(plan)
    made.top_up(time.monotonic())
    assert [one.outgoing.to for one in made.ahead] == [ANN]
    return made


def grow_old() -> None:
    """The store has kept everything for longer than a message is in the air."""
    server, born = gate.epoch().split(":")
    get_redis().set(gate_scripts.EPOCH, f"{server}:{int(born) - gate.FLIGHT_MS * 1000}")


def saying_stop(provider: Provider, person: str = ANN) -> Future[int]:
    """In a thread, as another process would take it; the answer's status."""
    said: Future[int] = Future()

    def say() -> None:
        said.set_result(provider.inbound("STOP", person=person, sender=SENDER).status_code)

    threading.Thread(target=say, daemon=True).start()
    return said


def say_stop(provider: Provider, person: str = ANN) -> None:
    assert saying_stop(provider, person).result(20) == 200


def let_go(lane: Lane, pool: ThreadPoolExecutor) -> None:
    lane.launch(pool, 10, time.monotonic())
    while lane.flying:
        lane.collect()
    lane.write(time.monotonic(), at_once=True)


def run_on(house, lane: Lane) -> dict[int, str]:
    """The campaign goes on in a worker; what became of everyone."""
    sending.wake()
    house.run_jobs()
    return house.reasons(lane.plan.campaign_id)


@pytest.mark.parametrize("loss", ["nothing", "emptied", "started again"])
def test_what_was_claimed_before_a_stop_does_not_leave_after_it(house, provider, twilio, store, pool, loss):
    grow_old()
    lane = make_lane(house)
    say_stop(provider)
    if loss == "emptied":
        get_redis().flushall()
    elif loss == "started again":
        store.stop()
        store.start()
    let_go(lane, pool)
    assert set(run_on(house, lane).values()) == {"stop"}
    assert twilio.messages()["messages"] == 0
    assert house.tallies_add_up(lane.plan.campaign_id)


def test_who_lost_the_store_and_heard_no_stop_is_written_to_all_the_same(house, twilio, pool):
    lane = make_lane(house)
    get_redis().flushall()
    let_go(lane, pool)
    assert twilio.messages()["messages"] == 0
    assert set(run_on(house, lane).values()) == {"queued"}
    assert twilio.messages()["messages"] == 1


def test_a_stop_that_cannot_be_told_to_the_store_is_answered_when_nobody_has_the_message_in_hand(
    house, provider, twilio, store, pool
):
    grow_old()
    lane = make_lane(house)
    store.stop()
    try:
        said = saying_stop(provider)
        time.sleep(0.7)
        assert not said.done()
        let_go(lane, pool)  # nothing goes without the store: it is given back
        assert said.result(5) == 200
    finally:
        store.start()
    assert set(run_on(house, lane).values()) == {"stop"}
    assert twilio.messages()["messages"] == 0


def test_a_stop_waits_for_what_left_before_the_store_forgot_it(house, provider, twilio, pool):
    lane = make_lane(house)
    twilio.fault("twilio", "slow", path="*/Messages.json", seconds=0.8)
    lane.launch(pool, 10, time.monotonic())
    assert lane.flying
    get_redis().flushall()
    said = saying_stop(provider)
    while not all(one.done() for one in lane.flying):
        assert not said.done()
        time.sleep(0.01)
    let_go(lane, pool)
    assert said.result(5) == 200
    assert twilio.messages()["messages"] == 1


def test_a_message_by_itself_is_not_sent_after_a_stop_the_store_forgot(house, provider, twilio):
    house.people(1)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        message = trials.send(campaign_id, ANN)
    say_stop(provider)
    get_redis().flushall()
    house.run_jobs()
    db.session.refresh(message)
    assert (message.state, message.reason) == ("skipped", "stop")
    assert twilio.messages()["messages"] == 0


def test_a_stop_from_one_number_holds_for_the_persons_other_one(house, provider, twilio, pool, member):
    from app.cdp.models import Identity

    grow_old()
    lane = make_lane(house)
    (person,) = (one.profile_id for one in house.messages(lane.plan.campaign_id))
    with unit_of_work() as session:
        session.add(Identity(profile_id=person, kind="phone", value="+4915299999999"))
    say_stop(provider, "+4915299999999")
    let_go(lane, pool)
    assert set(house.reasons(lane.plan.campaign_id).values()) == {"stop"}
    assert twilio.messages()["messages"] == 0
    with tenant_scope(member.tenant_id):
        assert gate.take([], "sms", [ANN], gate.epoch()).goes == [False]
