"""A forecast says what the freezing then does: who is written to, who is not and why, and about when it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.db import unit_of_work
from app.messaging.models import Suppression
from app.messaging.services import campaigns, forecast_times, forecasts
from app.messaging.services.campaign_rules import VariantIn
from app.messaging.services.campaigns import CampaignIn
from app.messaging.services.quiet_hours import Window
from tests.messaging.campaign import house, number_of, twilio

__all__ = ["house", "twilio"]


def test_a_forecast_is_what_the_campaign_then_does(house):
    house.people(60)
    house.people(3, phone="")
    house.people(4, state="denied")
    house.people(2, state="unknown")
    house.people(2, phone=number_of(1))
    (often,) = house.people(1)
    (bad,) = house.people(1, phone=number_of(900))
    house.rules(caps=[{"channel": "sms", "most": 2, "days": 7}])
    house.sent_earlier(often, 2)
    with unit_of_work() as session:
        session.add(Suppression(channel="sms", address=number_of(900), reason="bad_number"))
    campaign_id = house.campaign(house.segment(), holdout_percent=20)
    foretold = forecasts.reach(house.load(campaign_id))
    house.launch(campaign_id)

    states = [one.reason if one.state == "skipped" else "" for one in house.messages(campaign_id)]
    assert foretold.people == len(states) == 73
    assert foretold.sendable == states.count("")
    assert dict(foretold.skipped) == {reason: states.count(reason) for reason in set(states) if reason}
    assert {"no_phone", "no_consent", "duplicate_number", "cap_reached", "bad_number", "holdout"} <= set(states)
    assert bad


def test_those_without_a_value_are_foretold_by_the_sample_and_cost_nothing(house):
    house.people(30, traits={"city": "Leeds"})
    house.people(10)
    campaign_id = house.campaign(house.segment(), house.template("From {city}"))
    found = forecasts.forecast(house.load(campaign_id), [("A", "From {city}", 1)])
    assert (found.reach.sendable, found.lacking, found.sendable) == (40, 10, 30)
    assert found.cost_micros == 30 * 8300


def test_more_people_than_can_be_counted_at_once_are_sampled_the_same_each_time_and_it_is_said(house, monkeypatch):
    ids = house.people(300)
    house.people(100, state="denied")
    campaign_id = house.campaign(house.segment())
    monkeypatch.setattr(forecasts, "EXACT_UNTIL", 200)
    monkeypatch.setattr(forecasts, "SAMPLE", 100)
    found = forecasts.reach(house.load(campaign_id))
    assert found.is_estimate
    assert found.people == 400
    assert found.sendable == pytest.approx(300, abs=12)
    assert found == forecasts.reach(house.load(campaign_id))
    assert len(ids) == 300


def test_a_campaign_that_meets_a_night_ends_after_it(house):
    with unit_of_work():
        wanted = CampaignIn(
            "Night", house.segment(), [VariantIn(house.template())], quiet_start="21:00", quiet_end="08:00",
            rate_per_second=1.0,
        )  # fmt: skip
        row = campaigns.create(wanted)
        begins = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)
        person = type("P", (), {"traits": {"timezone": "Etc/UTC"}, "phone": ""})()
        nights = forecast_times.nights(row, [person], begins)
        short = forecast_times.ending(nights, 600, 1.0, begins)
        long = forecast_times.ending(nights, 7200, 1.0, begins)
        asleep = forecast_times.nights(row, [person], begins.replace(hour=22))
    assert (short.at, short.waits) == (begins.replace(minute=10), False)
    assert long.waits
    assert long.at == datetime(2026, 6, 2, 9, 0, tzinfo=UTC), "an hour before the night, an hour after it"
    assert asleep.held_share == 1.0


def test_those_awake_do_not_wait_for_those_asleep():
    windows = (Window.between("21:00", "08:00"),)
    begins = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    groups = tuple(
        forecast_times.Group((ZoneInfo(name),), windows, 0.5) for name in ("Europe/London", "Pacific/Auckland")
    )
    found = forecast_times.ending(forecast_times.Nights(groups, 0.5, ()), 100, 100.0, begins)
    assert found.morning_at == datetime(2026, 6, 1, 20, 0, tzinfo=UTC), "eight in Auckland"
    assert found.at - found.morning_at < forecast_times.STEP
