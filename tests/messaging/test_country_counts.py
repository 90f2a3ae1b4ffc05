"""Where messages went is counted as it happens: whole, by the workspace's days, in one statement a batch."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from app.cdp import personal_data as customer_data
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import CountryCount, DeliveryCount, Message
from app.messaging.services import country_counts, period_reports, receipts, reconciling, tallies
from app.messaging.services.phones import calling_code
from app.messaging.services.tallies import Shift
from tests.messaging.campaign import House, house, twilio
from tests.messaging.provider import installation, provider, sid, workspace
from tests.messaging.test_retries import finished, report

__all__ = ["House", "finished", "house", "installation", "provider", "report", "twilio", "workspace"]


def counted() -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    db.session.rollback()
    for row in db.session.scalars(select(CountryCount)):
        found[row.code, row.outcome] += row.n
    return {key: n for key, n in found.items() if n}


@pytest.mark.parametrize(("number", "code"), [("+4915112345678", "+49"), ("+14155550123", "+1"), ("+3581", "+358"),
                                              ("", ""), ("erased 7", ""), ("+", ""), ("+999123", "")])  # fmt: skip
def test_a_number_has_one_calling_code_or_none(number, code):
    assert calling_code(number) == code


def test_a_campaign_is_counted_by_where_it_went(house):
    for phones in (["+4915112345671", "+4915112345672"], ["+33612345678"]):
        for phone in phones:
            house.people(1, phone=phone)
    house.people(1, phone="+393331234567", state="denied")
    house.launch(house.campaign(house.segment()))
    assert counted() == {("+49", "sent"): 2, ("+33", "sent"): 1}, "who is skipped went nowhere"


def test_reports_move_the_counts_and_a_second_try_is_taken_back(provider, workspace):
    campaign = workspace.campaign()
    first, second = (workspace.message(campaign, None, address=number) for number in ("+4915112345671", "+33612345678"))
    third = workspace.message(None, None, address="+33612345679")
    for number, message, status, code in ((1, first, "delivered", None), (2, second, "sent", None),
                                          (2, second, "undelivered", 30003), (3, third, "failed", 21211)):  # fmt: skip
        provider.status(sid(number), status, message=message, code=code)
        with workspace.scope(workspace.tenant_id), unit_of_work():
            receipts.apply_batch()
    with workspace.scope(workspace.tenant_id):
        assert db.session.get_one(Message, second).state == "pending", "a phone that is off is tried again"
        assert counted() == {("+49", "sent"): 1, ("+49", "delivered"): 1, ("+33", "failed"): 1}


def test_a_batch_is_three_statements_however_many_messages(workspace):
    campaign = workspace.campaign()
    told: list[str] = []
    with workspace.scope(workspace.tenant_id), unit_of_work():
        link = db.session.connection()
        event.listen(link, "before_cursor_execute", lambda *of: told.append(of[2]))
        tallies.shift(
            Shift(campaign, 0, "pending", "", "queued", "", address=f"+{(49, 33, 1, 358)[n % 4]}15112345{n:03}")
            for n in range(500)
        )
    assert len(told) == 3, told


def test_countries_are_of_the_workspaces_own_days(workspace):
    """A quarter before midnight in Kathmandu, which is five hours and three quarters ahead."""
    with workspace.scope(workspace.tenant_id), unit_of_work():
        tallies.shift([Shift(None, 0, None, "", "delivered", "", address="+97798")])
        at = (utc_now() - timedelta(days=3)).replace(hour=18, minute=0, second=0, microsecond=0)
        db.session.execute(update(CountryCount).values(at=at))
        db.session.execute(db.text("UPDATE tenants SET timezone = 'Asia/Kathmandu'"))
    day = at.date()
    with workspace.scope(workspace.tenant_id):
        for first, lines in ((day, 1), (day + timedelta(days=1), 0)):
            assert len(period_reports.report_of(period_reports.stretch_of(first, first)).countries) == lines
        at += timedelta(minutes=15)
        assert country_counts.quarter_of(at + timedelta(minutes=14, seconds=59)) == at
        with unit_of_work():
            db.session.execute(update(CountryCount).values(at=at))
        for first, lines in ((day, 0), (day + timedelta(days=1), 1)):
            assert len(period_reports.report_of(period_reports.stretch_of(first, first)).countries) == lines


def move_back(by: timedelta) -> None:
    """Let everything that was sent have been sent so much earlier."""
    with unit_of_work():
        for model, column in ((CountryCount, "at"), (DeliveryCount, "at"), (Message, "sent_at")):
            for at in set(db.session.scalars(select(getattr(model, column)))):
                moved = update(model).where(getattr(model, column) == at).values({column: at - by})
                db.session.execute(moved.execution_options(synchronize_session=False))


def report_of(day) -> period_reports.PeriodReport:
    db.session.rollback()
    return period_reports.report_of(period_reports.stretch_of(day, day))


def lines_of(found) -> list:
    return [found.totals, *found.by_day.values(), *(one.totals for one in (*found.campaigns, *found.countries))]


def test_what_is_tried_again_on_another_day_is_taken_back_from_the_day_it_was_sent(house, twilio, report, finished):
    move_back(timedelta(days=1))
    yesterday, today = ((utc_now() - timedelta(days=ago)).date() for ago in (1, 0))
    assert report_of(yesterday).totals.sent == 1
    (row,) = house.messages(finished)
    report(row, "undelivered", 30003)
    for day in (yesterday, today):
        assert all(line.sent == 0 for line in lines_of(report_of(day)))
        assert report_of(day).countries == []


def test_what_fails_after_it_was_taken_is_taken_back_from_the_day_it_was_sent(house, twilio, report, finished):
    move_back(timedelta(days=1))
    (row,) = house.messages(finished)
    report(row, "failed", 30036)
    yesterday, today = (report_of((utc_now() - timedelta(days=ago)).date()) for ago in (1, 0))
    assert all(line.sent == 0 for found in (yesterday, today) for line in lines_of(found))


def test_a_message_counts_as_sent_when_the_provider_took_it_however_late_that_is_known(house, twilio):
    house.people(1)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=1)
    house.launch(campaign_id)
    reconciling.reconcile()
    (row,) = house.messages(campaign_id)
    (counted_at,) = {one.at for one in db.session.scalars(select(CountryCount)) if one.outcome == "sent"}
    assert counted_at == country_counts.quarter_of(row.sent_at)


@pytest.mark.parametrize(
    ("ended", "code", "reason"), [("undelivered", 30003, "unreachable"), ("failed", 30036, "expired")]
)
def test_of_somebody_erased_nothing_is_tried_again_or_taken_back(house, report, ended, code, reason):
    (person,) = house.people(1)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    (row,) = house.messages(campaign_id)
    with unit_of_work():
        customer_data.erase(person)
    report(row, ended, code)
    (row,) = house.messages(campaign_id)
    assert (row.state, row.reason) == (ended, reason)
    assert counted() == {("+49", "sent"): 1, ("", ended): 1}
    assert house.tallies_add_up(campaign_id)
