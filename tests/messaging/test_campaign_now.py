"""What a run page tells of now: messages a minute against the pace, and whose night it is, by where they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, update

from app.cdp.models import Profile
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Campaign, DeliveryCount, Message
from app.messaging.queries import held_people as held_queries
from app.messaging.queries.campaign_minutes import last_minutes
from app.messaging.queries.campaigns import figures_of
from app.messaging.services import held_people, tallies
from app.messaging.services.tallies import Shift
from tests.messaging.answers import Answers
from tests.messaging.campaign import House
from tests.support.pages import words

AT = datetime(2026, 11, 3, 10, 22, 30, tzinfo=UTC)


def send(campaign_id: int, n: int, to: str = "queued", was: str = "pending") -> None:
    with unit_of_work():
        tallies.shift([Shift(campaign_id, 0, was, "", to, "", n)])


@pytest.fixture
def clock(monkeypatch):
    """`clock(moment)` sets what counts are made by."""
    return lambda at: monkeypatch.setattr("app.messaging.services.delivery_counts.utc_now", lambda: at)


@pytest.fixture
def house(run_jobs) -> House:
    return House(run_jobs)


@pytest.fixture
def inside(acting):
    """The test speaks to services as the workspace does."""
    with acting():
        yield


@pytest.fixture
def campaign_id(house, acting) -> int:
    with acting():
        return house.campaign(house.segment())


def test_each_minute_is_counted_by_itself_and_empty_ones_stand_between(inside, campaign_id, clock):
    for second, n in ((0, 40), (20, 20), (70, 55), (250, 7), (330, 60)):
        clock(AT + timedelta(seconds=second))
        send(campaign_id, n)
    found = last_minutes(campaign_id, AT)
    assert [(f"{at:%H:%M}", n) for at, n in found] == [
        ("10:22", 60), ("10:23", 55), ("10:24", 0), ("10:25", 0), ("10:26", 7), ("10:27", 0), ("10:28", 60),
    ]  # fmt: skip
    assert last_minutes(campaign_id, AT, AT + timedelta(minutes=8))[-1] == (AT.replace(minute=30, second=0), 0)


def test_a_second_try_counts_in_its_minute_and_takes_nothing_from_another(inside, campaign_id, clock):
    clock(AT)
    send(campaign_id, 9)
    clock(AT + timedelta(minutes=1))
    send(campaign_id, 4, to="pending", was="queued")
    send(campaign_id, 4)
    assert [n for _, n in last_minutes(campaign_id, AT)] == [9, 4]


def test_the_last_hour_is_read_however_long_it_ran(inside, campaign_id, clock):
    for minute in range(0, 300, 3):
        clock(AT + timedelta(minutes=minute))
        send(campaign_id, 1)
    found = last_minutes(campaign_id, AT)
    assert len(found) == 60
    assert (found[-1], sum(n for _, n in found)) == ((AT.replace(second=0) + timedelta(minutes=297), 1), 20)
    quiet = last_minutes(campaign_id, AT, AT + timedelta(hours=9))
    assert (len(quiet), sum(n for _, n in quiet)) == (60, 0)


def test_what_was_counted_before_minutes_were_kept_is_spread_over_its_five(inside, campaign_id, clock):
    clock(AT)
    send(campaign_id, 12)
    with unit_of_work():
        db.session.execute(update(DeliveryCount).values(m0=0, m1=0, m2=0, m3=0, m4=0))
    assert [n for _, n in last_minutes(campaign_id, AT)] == [3, 3, 2, 2, 2]


def test_the_run_page_draws_the_minutes_against_the_pace(house, acting, client):
    with acting():
        answers = Answers(house, house.campaign(house.segment(), rate_per_second=1.0))
        answers.began(0.01, completed=False)
        answers.messages(house.people(7), answers.variants()[0], state="queued")
    url = f"/app/campaigns/{answers.campaign_id}"
    page = client.get(url).text
    assert "pace 60 a minute" in words(page)
    assert 'data-limit="60.0"' in page
    part = client.get(f"{url}/minutes").text
    assert f"sse:campaign-{answers.campaign_id}" in part
    assert f"{utc_now():%H}" in words(part)
    assert sum(int(n) for n in re.findall(r'data-v="(\d+)"', part)) == 7


def test_a_campaign_that_ended_shows_its_last_minutes_and_asks_no_more(house, acting, client):
    with acting():
        answers = Answers(house, house.campaign(house.segment()))
        answers.began(0.2)
        answers.messages(house.people(3), answers.variants()[0])
    part = client.get(f"/app/campaigns/{answers.campaign_id}/minutes").text
    assert "sse:" not in part
    assert re.findall(r'data-v="(\d+)"', part)[-1] == "3"
    assert "Rate 0 a second on average, from start to end" in words(
        client.get(f"/app/campaigns/{answers.campaign_id}/live").text
    )


def hold(house, campaign_id, phone, at, count=1, **values):
    """People whose messages wait for a time, as a worker leaves them."""
    ids = house.people(count, **values)
    with unit_of_work():
        first = db.session.scalar(db.func.max(Message.id)) or 0
        db.session.add_all(
            Message(id=first + n, campaign_id=campaign_id, profile_id=one, channel="sms", address=phone % n,
                    due_at=at, reason="quiet_hours")
            for n, one in enumerate(ids, 1)
        )  # fmt: skip
        tallies.shift([Shift(campaign_id, 0, None, "", "pending", "quiet_hours", count)])
    return ids


def told(campaign_id):
    figures = figures_of([campaign_id])[campaign_id]
    return held_people.list_held(db.session.get_one(Campaign, campaign_id), figures.held)


@pytest.fixture
def morning() -> datetime:
    """One in the afternoon of tomorrow in London: eight in New York."""
    return (utc_now() + timedelta(days=1)).replace(hour=13, minute=0, second=0, microsecond=0)


def test_held_people_are_told_by_zone_and_time(house, acting, client, campaign_id, morning):
    with acting():
        Answers(house, campaign_id).began(0.01, completed=False)
        hold(house, campaign_id, "+1212555%04d", morning, 3)
        hold(house, campaign_id, "+4420794600%02d", morning - timedelta(hours=5), 2)
        hold(house, campaign_id, "+4915112340%03d", morning, 1, traits={"timezone": "America/Bogota"})
    page = words(client.get(f"/app/campaigns/{campaign_id}/held").text)
    assert "Held until morning 6 asleep" in page
    assert "Held until 08:00 in Europe/London 2 people" in page
    assert "Held until 08:00 in America/New York 3 people" in page
    assert "Held until 08:00 in America/Bogota 1 person" in page
    assert page.index("Europe/London") < page.index("America/New York") < page.index("America/Bogota")
    assert "Held until 08:00 in America/New York 3 people" in words(client.get(f"/app/campaigns/{campaign_id}").text)


def test_a_number_of_many_zones_is_told_by_the_last_to_wake(inside, house, campaign_id, morning):
    hold(house, campaign_id, "+1800555%04d", morning + timedelta(hours=6))
    [line], more = told(campaign_id)
    assert (line.place, line.clock, more) == ("Pacific/Pago Pago", "08:00", 0)
    assert line.others > 10


def test_many_are_divided_as_some_of_them_are_and_each_is_in_a_line(inside, house, campaign_id, morning, monkeypatch):
    monkeypatch.setattr(held_people, "LOOKED_AT", 20)
    hold(house, campaign_id, "+1212555%04d", morning, 60)
    hold(house, campaign_id, "+4420794600%02d", morning, 30)
    lines, more = told(campaign_id)
    assert [(one.place, one.is_about) for one in lines] == [("America/New York", True), ("Europe/London", True)]
    assert (sum(one.n for one in lines), more) == (90, 0)
    assert 50 <= lines[0].n <= 70


def test_however_many_times_there_are_few_statements_tell_them(inside, house, campaign_id, morning):
    for hour in range(12):
        hold(house, campaign_id, f"+4915112{hour:02d}%04d", morning + timedelta(hours=hour), 1)
    asked: list[str] = []
    event.listen(db.session.connection(), "before_cursor_execute", lambda *of: asked.append(of[2]))
    lines, more = told(campaign_id)
    assert (len(lines), more) == (8, 4)
    assert len(asked) <= 13, asked


def test_of_more_than_are_counted_the_soonest_are_told_and_the_others_together(
    inside, house, campaign_id, morning, monkeypatch
):
    monkeypatch.setattr(held_queries, "MOST_COUNTED", 5)
    monkeypatch.setattr(held_queries.count_by_release, "__defaults__", (5,))
    hold(house, campaign_id, "+1212555%04d", morning, 4)
    hold(house, campaign_id, "+4915112340%03d", morning + timedelta(hours=2), 3)
    lines, more = told(campaign_id)
    assert ([(one.place, one.n, one.is_least) for one in lines], more) == ([("America/New York", 4, False)], 3)
    hold(house, campaign_id, "+1212556%04d", morning, 3)
    lines, more = told(campaign_id)
    assert ([(one.place, one.n, one.is_least) for one in lines], more) == ([("America/New York", 5, True)], 0)


def test_whoever_was_erased_while_held_is_still_counted(inside, house, campaign_id, morning):
    ids = hold(house, campaign_id, "+1212555%04d", morning, 2)
    with unit_of_work():
        db.session.execute(update(Message).where(Message.profile_id == ids[0]).values(profile_id=None, address=""))
        db.session.execute(update(Profile).where(Profile.id == ids[1]).values(traits={"tz": "Mars/Olympus"}))
    lines, _ = told(campaign_id)
    assert sorted((one.place, one.n) for one in lines) == [("America/New York", 1), ("UTC", 1)]


def test_another_workspace_sees_nothing_of_it(client_for, other_member, campaign_id):
    stranger = client_for(other_member)
    for part in ("minutes", "held"):
        assert stranger.get(f"/app/campaigns/{campaign_id}/{part}").status_code == 404
