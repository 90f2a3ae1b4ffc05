"""When somebody may be written to: never in their night, in any zone, on any day, however the clock is put."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import ValidationFailed
from app.messaging.services import campaigns
from app.messaging.services.quiet_hours import US_WINDOW, Window, first_allowed, next_allowed, place_of
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]
ZONES = sorted(available_timezones())
NIGHT = Window.between("22:00", "08:00")
MINUTE = timedelta(minutes=1)
zones = st.sampled_from(ZONES)
clocks = st.integers(0, 1439)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
windows = st.tuples(clocks, clocks).filter(lambda both: both[0] != both[1]).map(lambda both: Window(*both))


def clock_of(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.hour * 60 + local.minute


def is_quiet(at: datetime, zone: ZoneInfo, window: Window) -> bool:
    """Said apart from the code under test: minutes after the window's start, on a clock face."""
    return (clock_of(at, zone) - window.start) % 1440 < (window.end - window.start) % 1440


def change_near(zone: ZoneInfo, after: datetime) -> datetime | None:
    """The minute the zone's clock is put forward or back within a year of `after`."""
    day = next((d for d in range(366) if offset(zone, after, d) != offset(zone, after, d + 1)), None)
    if day is None:
        return None
    low, high = after + timedelta(days=day), after + timedelta(days=day + 1)
    while high - low > MINUTE:
        middle = low + timedelta(minutes=(high - low) // MINUTE // 2)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset() else (
            low, middle)  # fmt: skip
    return high


def offset(zone: ZoneInfo, after: datetime, days: int) -> timedelta | None:
    return (after + timedelta(days=days)).astimezone(zone).utcoffset()


def check(moment: datetime, zone: ZoneInfo, window: Window) -> None:
    found = next_allowed(moment, [zone], [window])
    assert found >= moment
    assert not is_quiet(found, zone, window)
    if found == moment:
        return
    assert is_quiet(moment, zone, window)
    minute = found - MINUTE
    while minute > moment:  # nobody waits longer than they have to
        assert is_quiet(minute, zone, window), (minute, found)
        minute -= timedelta(minutes=7)
    assert is_quiet(max(moment, found - MINUTE), zone, window)


@settings(max_examples=400, deadline=None)
@given(moments, zones, windows)
def test_the_next_moment_is_the_first_that_is_not_quiet(moment, zone, window):
    check(moment, ZoneInfo(zone), window)


@settings(max_examples=400, deadline=None)
@given(zones, windows, st.integers(-36 * 60, 36 * 60), st.integers(0, 2))
@example("Africa/Casablanca", NIGHT, -60, 1)
@example("Antarctica/Troll", NIGHT, -30, 0)
def test_it_is_so_around_every_change_of_the_clock(zone, window, minutes, year):
    change = change_near(ZoneInfo(zone), datetime(2025 + year, 1, 1, tzinfo=UTC))
    if change is not None:
        check(change + timedelta(minutes=minutes), ZoneInfo(zone), window)


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_keeps_its_night_on_the_days_its_clock_is_put(zone):
    place, start = ZoneInfo(zone), datetime(2026, 1, 1, tzinfo=UTC)
    change = change_near(place, start) or start
    for hours in range(-14, 15, 2):
        check(change + timedelta(hours=hours, minutes=17), place, NIGHT)


@settings(max_examples=300, deadline=None)
@given(moments, st.lists(zones, min_size=2, max_size=4, unique=True))
def test_a_number_that_may_be_in_several_zones_waits_until_none_of_them_sleeps(moment, names):
    places = [ZoneInfo(name) for name in names]
    found = next_allowed(moment, places, [NIGHT])
    assert found >= moment
    asleep = [is_quiet(found, place, NIGHT) for place in places]
    if any(asleep):  # there is no such moment: looked for over two days, minute by minute
        every = (moment + MINUTE * n for n in range(2 * 1440))
        assert not any(not any(is_quiet(at, place, NIGHT) for place in places) for at in every)
        assert not asleep[0]
    elif found > moment:
        assert any(is_quiet(found - MINUTE, place, NIGHT) for place in places)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "window", "moment", "expected"),
    [
        ("Europe/Berlin", "22:00-08:00", "2026-06-01T21:30", "2026-06-02T06:00"),  # held across midnight
        ("Europe/Berlin", "22:00-08:00", "2026-06-01T19:59", "2026-06-01T19:59"),
        ("Europe/Berlin", "22:00-08:00", "2026-03-29T00:30", "2026-03-29T06:00"),  # the night is an hour shorter
        ("Europe/Berlin", "22:00-08:00", "2026-10-24T22:30", "2026-10-25T07:00"),  # and an hour longer
        ("Europe/Berlin", "22:00-02:30", "2026-03-29T00:10", "2026-03-29T01:00"),  # 02:30 is jumped over
        ("Europe/Berlin", "22:00-02:30", "2026-10-25T00:10", "2026-10-25T00:30"),  # 02:30 comes, and once more
        ("Europe/Berlin", "22:00-02:30", "2026-10-25T01:10", "2026-10-25T01:30"),
        ("America/New_York", "21:00-08:00", "2026-03-08T05:00", "2026-03-08T12:00"),
        ("America/New_York", "21:00-08:00", "2026-11-01T04:00", "2026-11-01T13:00"),
        ("Australia/Lord_Howe", "22:00-08:00", "2026-10-03T14:00", "2026-10-03T21:00"),  # half an hour
        ("Australia/Lord_Howe", "22:00-08:00", "2026-04-04T14:00", "2026-04-04T21:30"),
        ("Africa/Casablanca", "22:00-08:00", "2026-02-15T00:30", "2026-02-15T08:00"),  # back for Ramadan
        ("Africa/Casablanca", "22:00-08:00", "2026-03-22T00:30", "2026-03-22T07:00"),
    ],
)
def test_the_end_of_a_night_is_by_the_clock_on_the_wall(zone, window, moment, expected):
    assert next_allowed(at(moment), [ZoneInfo(zone)], [Window.between(*window.split("-"))]) == at(expected)


def test_the_hour_that_comes_twice_is_quiet_again_the_second_time():
    window = Window.between("01:30", "02:30")
    first_end = next_allowed(at("2026-10-25T00:00"), [ZoneInfo("Europe/Berlin")], [window])
    assert first_end == at("2026-10-25T00:30")
    assert next_allowed(at("2026-10-25T01:05"), [ZoneInfo("Europe/Berlin")], [window]) == at("2026-10-25T01:30")


@pytest.mark.parametrize(
    ("traits", "phone", "zones", "source", "is_in_us"),
    [
        ({"timezone": "Asia/Tokyo"}, "+4915112345678", ["Asia/Tokyo"], "stored", False),
        ({"tz": "Mars/Olympus"}, "+4915112345678", ["Europe/Berlin"], "number", False),
        ({"timezone": ""}, "+4915112345678", ["Europe/Berlin"], "number", False),
        ({"timezone": 7, "tz": "../../etc/passwd"}, "+819012345678", ["Asia/Tokyo"], "number", False),
        ({"timezone": "x" * 5000}, "+12125550123", ["America/New_York"], "number", True),
        ({"timezone": "Europe/Paris"}, "+12125550123", ["Europe/Paris"], "stored", True),
        ({}, "not a number", ["Europe/Vienna"], "workspace", False),
        ({}, "+882161234567", ["Europe/Vienna"], "workspace", False),
    ],
)
def test_a_zone_that_is_none_is_passed_over_for_the_number_then_the_workspace(traits, phone, zones, source, is_in_us):
    place = place_of(traits, phone, "Europe/Vienna")
    assert [str(zone) for zone in place.zones] == zones
    assert (place.source, place.is_in_us) == (source, is_in_us)


def test_a_workspace_whose_zone_is_none_goes_by_utc():
    assert [str(zone) for zone in place_of({}, "", "Nowhere/Here").zones] == ["UTC"]


def test_a_toll_free_number_waits_until_all_its_zones_may_be_written_to():
    place = place_of({}, "+18005550100", "Europe/Vienna")
    assert len(place.zones) > 1
    assert place.is_in_us
    found = next_allowed(at("2026-06-01T13:00"), place.zones, [US_WINDOW])
    assert not any(is_quiet(found, zone, US_WINDOW) for zone in place.zones)


@given(moments)
@settings(max_examples=100, deadline=None)
def test_the_us_is_written_to_from_eight_to_nine_in_the_evening(moment):
    place = place_of({}, "+12125550123", "UTC")
    found = next_allowed(moment, place.zones, [US_WINDOW]).astimezone(place.zones[0])
    assert 8 <= found.hour < 21


def test_a_campaign_keeps_the_hours_of_the_us_though_its_own_quiet_hours_are_others(house):
    eight, twenty_one = (
        house.people(1, phone=number, traits={"timezone": zone})[0]
        for number, zone in zip(("+12125550123", "+12125550124"), zones_at_day_and_night(), strict=True)
    )
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    assert house.reasons(campaign_id) == {eight: "queued", twenty_one: "quiet_hours"}


def zones_at_day_and_night() -> tuple[str, str]:
    """Zones where it is about noon, and about midnight, now."""
    ahead = 12 - utc_now().hour
    day, night = ((hours + 11) % 24 - 11 for hours in (ahead, ahead + 12))
    return tuple(f"Etc/GMT{-hours:+d}" for hours in (day, night))  # type: ignore[return-value]


def test_people_of_a_trait_that_is_no_zone_are_not_lost(house):
    ids = house.people(1, traits={"timezone": "Mars/Olympus"}) + house.people(1, traits={"timezone": ["x"]})
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    assert house.reasons(campaign_id) == dict.fromkeys(ids, "queued")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-01T06:59:57", "2026-06-01T07:00:57"),  # the night ends while it may leave: not a second early
        ("2026-06-01T07:00:00", "2026-06-01T07:00:00"),
        ("2026-06-01T20:59:49", "2026-06-01T20:59:49"),
        ("2026-06-01T20:59:55", "2026-06-02T07:00:00"),  # the night begins meanwhile
    ],
)
def test_what_may_leave_within_ten_seconds_leaves_at_no_quiet_one(moment, expected):
    night = [Window.between("21:00", "07:00")]
    found = first_allowed(at(moment), timedelta(seconds=10), [ZoneInfo("UTC")], night)
    assert found == at(expected)


def test_quiet_hours_that_leave_none_of_the_us_hours_are_refused(house):
    segment_id, template_id = house.segment(), house.template()
    for start, end in (("08:00", "21:00"), ("07:00", "06:00")):
        with pytest.raises(ValidationFailed) as refused:
            house.campaign(segment_id, template_id, quiet_start=start, quiet_end=end)
        assert refused.value.details["field"] == "quiet_hours_end"
        with pytest.raises(ValidationFailed):
            house.rules(quiet_start=start, quiet_end=end)
    house.rules(keeps_us_hours=False)
    assert house.campaign(segment_id, template_id, quiet_start="08:00", quiet_end="21:00")


def test_us_hours_taken_up_later_refuse_the_start_of_such_a_campaign(house):
    house.people(1)
    house.rules(keeps_us_hours=False)
    campaign_id = house.campaign(house.segment(), quiet_start="08:00", quiet_end="21:00")
    house.rules(keeps_us_hours=True)
    with pytest.raises(ValidationFailed, match="quiet_hours_end"), unit_of_work():
        campaigns.launch(campaign_id)


def test_where_no_minute_is_left_the_us_hours_decide_and_nobody_is_held_for_ever():
    windows = [Window.between("08:00", "21:00"), US_WINDOW]
    found = next_allowed(at("2026-06-01T22:00:00"), [ZoneInfo("UTC")], windows)
    assert found == at("2026-06-02T08:00:00")
    assert next_allowed(found, [ZoneInfo("UTC")], windows) == found
