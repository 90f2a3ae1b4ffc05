"""Reports as pages: totals beside their base, days of the workspace, order and days in the address, CSV, a campaign."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text, update

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, DeliveryCount, MessageState, Skip
from app.messaging.queries import deliveries
from tests.messaging.answers import Answers
from tests.messaging.campaign import House
from tests.support.pages import words

URL = "/app/reports/messages"


@pytest.fixture
def see(client):
    def show(url=URL, status=200, **asked):
        answer = client.get(url, query_string={name.rstrip("_"): value for name, value in asked.items()})
        assert answer.status_code == status, answer.text
        return words(answer.text)

    return show


@pytest.fixture
def spring(run_jobs, acting):
    """Two texts with a link, a goal and people held out; 6 delivered, 1 undelivered, 1 refused, 2 skipped."""
    with acting():
        house = House(run_jobs)
        templates = [house.template(f"Text {name} https://shop.example/", name=name) for name in "AB"]
        values = {"goal_event": "purchase", "holdout_percent": 10}
        answers = Answers(house, house.campaign(house.segment(), *templates, **values))
        answers.began(0.5)
        people, (first, second) = house.people(10), answers.variants()
        sent = answers.messages(people[:6], first)
        answers.messages(people[6:7], second, state=MessageState.UNDELIVERED, reason="filtered")
        answers.messages(people[7:8], second, state=MessageState.FAILED, reason="bad_number")
        answers.messages(people[8:9], state=MessageState.SKIPPED, reason=Skip.STOP)
        answers.messages(people[9:], state=MessageState.SKIPPED, reason=Skip.HOLDOUT)
        answers.click(answers.link(), sent[:3], times=2)
        answers.answer(sent[:2])
        answers.answer(sent[2:3], kind="stop")
        answers.did(people[:2], "purchase", utc_now() - timedelta(hours=10))
        return answers


def test_totals_stand_beside_their_base(see, spring):
    page = see()
    assert "Sent 7 1 more were refused" in page
    assert "Delivered 6 85.7 % of 7 sent" in page
    assert "Failed 2 25.0 % of 8 handed over" in page
    assert "Followed a link 3 42.9 % of 7 sent" in page
    assert "Answers 2" in page
    assert "Said STOP 1 14.3 % of 7 sent" in page


def test_failures_are_named_and_countries_counted(see, spring):
    page = see()
    assert "Held back by the carrier 1" in page
    assert "Number is no good 1" in page
    assert "+49 DE 7 6 85.7 % of 7 sent 2 25.0 % of 8 handed over" in page


def test_days_are_the_workspaces_own(see, spring, acting):
    """What happened at 23:30 UTC is of the next day in Kolkata, which is five and a half hours ahead."""
    with acting(), unit_of_work():
        at = (utc_now() - timedelta(days=3)).replace(hour=23, minute=30, second=0, microsecond=0)
        db.session.execute(update(DeliveryCount).values(at=at))
        db.session.execute(text("UPDATE tenants SET timezone = 'Asia/Kolkata'"))
    day, after = at.date(), at.date() + timedelta(days=1)
    assert "Nothing was sent in these days" not in see(from_=str(after), to=str(after))
    assert "Delivered 6" not in see(from_=str(day), to=str(day))


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_every_message_is_of_one_day_also_where_the_clocks_change(acting, zone):
    """A message every hour for a year, each on the day a clock in that place shows."""
    place, begin = ZoneInfo(zone), datetime(2025, 11, 1, 0, 15, tzinfo=UTC)
    moments = [begin + timedelta(hours=n) for n in range(365 * 24)]
    with acting(), unit_of_work():
        row = {"tenant_id": current_tenant_id(), "campaign_id": 0, "outcome": "sent", "reason": "", "n": 1}
        db.session.execute(insert(DeliveryCount), [row | {"at": at, "seconds": 0.0} for at in moments])
        first, last = date(2025, 11, 5), date(2026, 10, 28)
        since, until = (datetime.combine(day, time(), place).astimezone(UTC) for day in (first, last))
        found = deliveries.by_day(since, until, place)
    expected = Counter(at.astimezone(place).date() for at in moments if since <= at < until)
    assert {day: totals.sent for day, totals in found.items()} == dict(expected)
    assert len(found) == (last - first).days


def test_an_empty_stretch_says_so_and_leads_on(see, spring):
    assert "Nothing was sent in these days" in see(from_="2020-01-01", to="2020-01-31")


@pytest.mark.parametrize("asked", [{"from_": "x"}, {"from_": "2026-02-30", "to": "9999-99-99"}, {"days": "12"},
                                   {"from_": "0001-01-01"}, {"from_": "9999-12-31"}, {"to": "0001-01-01"},
                                   {"sort": "'; --"}])  # fmt: skip
def test_an_address_that_makes_no_sense_shows_something_sensible(see, spring, asked):
    see(**asked)


def test_campaigns_are_sorted_by_what_the_address_says(client, spring, acting, run_jobs):
    with acting():
        other = Answers(spring.house, spring.house.campaign(spring.house.segment(), name="Autumn"))
        other.began(0.2)
        other.messages(spring.house.people(3), other.variants()[0])
    names = ("Spring", "Autumn")
    for sort, expected in (("sent", names), ("name", names[::-1]), ("delivered", names[::-1]), ("failed", names)):
        rows = list(csv.reader(io.StringIO(client.get(f"{URL}/campaigns.csv?sort={sort}").text)))
        assert tuple(row[0] for row in rows[1:]) == expected, sort


def test_the_table_as_csv_is_the_page_and_runs_nothing_in_a_spreadsheet(client, spring, acting):
    with acting(), unit_of_work():
        db.session.execute(update(Campaign).values(name="=HYPERLINK(1)"))
    answer = client.get(f"{URL}/campaigns.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[1] == ["'=HYPERLINK(1)", "7", "6", "2", "3"]


def test_a_campaigns_report_tells_how_far_people_came(see, spring):
    page = see(f"/app/campaigns/{spring.campaign_id}/report")
    for line in ("In the segment 10", "To be written to 8", "Sent 7", "Delivered 6", "Followed a link 3", "Answered 2",
                 "Did the goal 2"):  # fmt: skip
        assert line in page, line
    assert "Too few yet: each text needs 100 people, and B has 1." in page
    assert "2 of 6" in page
    assert "https://shop.example/ 3 42.9 % of 7 sent 6" in page
    assert "Said STOP 1" in page
    assert "Held out 1" in page
    assert "Too few to say what the campaign changed" in page


def test_a_campaign_and_its_report_lead_to_each_other(client, spring):
    url = f"/app/campaigns/{spring.campaign_id}"
    assert f'href="{url}/report"' in client.get(url).text
    assert f'href="{url}"' in client.get(f"{url}/report").text


def test_a_campaign_that_never_ran_has_no_report_yet(see, acting, run_jobs):
    with acting():
        house = House(run_jobs)
        campaign_id = house.campaign(house.segment())
    assert "Nothing to report yet" in see(f"/app/campaigns/{campaign_id}/report")


def test_a_workspace_that_sent_nothing_is_led_to_campaigns(see):
    assert "Nothing was sent in these days" in see()


def test_another_workspace_finds_nothing(client_for, other_member, spring):
    stranger = client_for(other_member)
    assert stranger.get(f"/app/campaigns/{spring.campaign_id}/report").status_code == 404
    assert "Spring" not in stranger.get(URL).text
