"""The demo's messages: made once, sent to the sandbox and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import demo_messages
from app.cdp.services import segments
from app.core.db import db, unit_of_work
from app.messaging.models import Campaign, Message, MessageThread
from app.messaging.queries import campaigns, templates
from tests.messaging.campaign import EVERYONE, house, twilio

__all__ = ["house", "twilio"]


@pytest.fixture
def people(house):
    """The demo's segments, with forty people who agreed."""
    house.people(40)
    with unit_of_work():
        for name in (demo_messages.FIRST_TO, demo_messages.LATER_TO):
            segments.create(name, "", EVERYONE)
    house.run_jobs()
    return house


def states() -> dict[str, str]:
    db.session.rollback()
    return {row.name: row.state for row in db.session.scalars(select(Campaign))}


def test_the_demo_sends_one_campaign_and_schedules_another_and_a_second_start_adds_nothing(
    people, twilio, sandbox, member, settings_override
):
    settings_override(sandbox_url=sandbox.url)
    for _ in range(2):
        demo_messages.load(member.id, people.run_jobs)
        people.run_jobs()
        assert states() == {demo_messages.FIRST: "completed", demo_messages.LATER: "scheduled"}
        assert templates.list_rows(1, 10).total == 3
        assert len(list(db.session.scalars(select(MessageThread.id)))) == 2
    [first] = [row for row in campaigns.list_rows(1, 10).items if row.campaign.name == demo_messages.FIRST]
    sent = list(
        db.session.scalars(select(Message.id).where(Message.campaign_id == first.campaign.id, Message.sid != ""))
    )
    assert twilio.messages()["messages"] == len(sent) == first.figures.wanted > 30


def test_with_an_account_of_ones_own_the_demo_writes_texts_and_sends_nothing(people, twilio, member, settings_override):
    settings_override(sandbox_url="http://127.0.0.1:9", twilio_base_url="https://api.twilio.com")
    demo_messages.load(member.id, people.run_jobs)
    assert states() == {}
    assert templates.list_rows(1, 10).total == 3
    assert twilio.messages()["messages"] == 0


@pytest.mark.parametrize("hour", range(24))
def test_the_demos_campaign_never_begins_in_a_night(house, hour):
    now = datetime(2026, 1, 15, hour, 30, tzinfo=UTC)
    start, end = (int(one[:2]) for one in demo_messages.night(now))
    is_quiet = start <= hour < end if start < end else hour >= start or hour < end
    assert not is_quiet
