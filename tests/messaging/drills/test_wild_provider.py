"""A provider that stumbles, and reports that come twice, out of order and late."""

from __future__ import annotations

import pytest

from tests.messaging.drills.world import assert_each_once, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]
MESSAGES = "*/Messages.json"
FINAL = {"delivered", "undelivered", "failed"}


def test_refusals_for_haste_lost_connections_and_broken_gateways_cost_nobody_a_message(make_world, sandbox):
    world, people = make_world(), 250
    faults = {
        "status_429": {"rate": 0.05, "times": 10, "retry_after": 1},
        "reset": {"rate": 0.05, "times": 10},
        "lost_answer": {"rate": 0.05, "times": 10},
        "html_502": {"rate": 0.05, "times": 10},
        "broken_body": {"rate": 0.03, "times": 5},
        "hang": {"rate": 0.01, "times": 2, "seconds": 1.5},
    }
    for action, more in faults.items():
        sandbox.control.fault("twilio", action, path=MESSAGES, **more)
    campaign_id = world.ask("prepare", people=people, rate=100)
    world.start_workers(2)
    world.start_ticker()
    world.ask("launch", campaign_id=campaign_id)
    assert_each_once(world, campaign_id, people)
    met = {one["fault"] for one in sandbox.control.received("twilio") if one["method"] == "POST"}
    assert met >= {"status_429", "reset", "lost_answer", "html_502"}


def test_reports_that_come_twice_out_of_order_and_late_end_in_the_right_states(make_world, sandbox):
    world, people = make_world(), 150
    for action, rate in (("callbacks_doubled", 0.3), ("callbacks_out_of_order", 0.4), ("callbacks_late", 0.5)):
        sandbox.control.fault("twilio", action, path=MESSAGES, rate=rate, seconds=4, count=3)
    sandbox.control.twilio(
        callbacks=True, delay_ms=150.0, outcomes={"delivered": 0.8, "undelivered:30005": 0.1, "failed:30006": 0.1}
    )
    campaign_id = world.ask("prepare", people=people, rate=100)
    world.start_web()
    world.start_workers(2)
    world.start_ticker()
    world.ask("launch", campaign_id=campaign_id)
    assert_each_once(world, campaign_id, people)

    def all_are_told() -> bool:
        counts = sandbox.control.messages()
        return counts["callbacks_taken"] > people and counts["callbacks_waiting"] == 0

    wait_until(all_are_told, 60, every=0.2)
    wait_until(lambda: world.ask("count", what="receipts") == 0, 30, every=0.2)
    kept = world.ask("states_by_sid", campaign_id=campaign_id)
    assert kept == {sid: status for sid, status in outcomes(world).items() if sid in kept}
    assert set(kept.values()) == FINAL
    assert sandbox.control.messages()["callbacks_refused"] == 0
    assert world.ask("report", campaign_id=campaign_id)["adds_up"]


def outcomes(world) -> dict[str, str]:
    """What the sandbox itself says has become of each message."""
    return {row["sid"]: row["status"] for row in world.provider_messages()}
