"""Alarms: raised once an hour when too many fail, told in the bell and in Slack, and the campaign paused if wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core.activity import Activity
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import tenant_scope
from app.messaging.events import CampaignMoved
from app.messaging.jobs.alarms import tell_of_move, watch_campaigns
from app.messaging.models import Campaign, CampaignAlarm, DeliveryCount, MessageState
from app.messaging.services import alarms, campaigns, rules
from tests.messaging.answers import Answers
from tests.messaging.campaign import house, twilio
from tests.messaging.test_troubles import run_sql

__all__ = ["house", "twilio"]
HOOK = "https://hooks.slack.com/services/T000/B000/"


@pytest.fixture
def slack(sandbox, settings_override, house):
    """Slack's stand-in, and a workspace that has its webhook."""
    settings_override(slack_base_url=f"{sandbox.url}/slack", allow_private_urls=True)
    house.rules(slack_url=f"{HOOK}SECRET")
    return sandbox.control


@pytest.fixture
def running(house):
    """A campaign that is being sent."""
    answers = Answers(house, house.campaign(house.segment()))
    answers.began(0.1, completed=False)
    return answers


def outcomes(answers, delivered: int, failed: int) -> None:
    people, variant = answers.house.people(delivered + failed), answers.variants()[0]
    if delivered:
        answers.messages(people[:delivered], variant)
    if failed:
        answers.messages(people[delivered:], variant, state=MessageState.UNDELIVERED, reason="filtered")


def raised() -> list[CampaignAlarm]:
    db.session.rollback()
    return list(db.session.scalars(select(CampaignAlarm).order_by(CampaignAlarm.id)))


def bell(words: str) -> list[Activity]:
    db.session.rollback()
    return [row for row in db.session.scalars(select(Activity)) if words in row.title]


def told(control) -> list[str]:
    return [call["body"]["text"] for call in control.received("slack")]


def test_an_alarm_names_how_many_failed_and_why(running, slack, run_jobs):
    outcomes(running, delivered=38, failed=12)
    watch_campaigns()
    run_jobs()
    alarm = raised()[0]
    assert (alarm.failed, alarm.total, alarm.top_error) == (12, 50, "filtered")
    sentence = "12 of the last 50 failed (24.0 %), most often: held back by the carrier."
    line = bell("Many messages of Spring fail")[0]
    assert (line.detail, line.url, line.is_failure) == (sentence, f"/app/campaigns/{running.campaign_id}", True)
    assert len(told(slack)) == 1
    assert sentence in told(slack)[0]


@pytest.mark.parametrize(("delivered", "failed"), [(40, 10), (29, 20), (50, 0), (0, 0)])
def test_there_is_none_at_the_limit_below_it_or_for_too_few(running, delivered, failed):
    outcomes(running, delivered, failed)
    watch_campaigns()
    assert raised() == []


def test_a_campaign_raises_one_an_hour(running):
    outcomes(running, delivered=0, failed=60)
    watch_campaigns()
    watch_campaigns()
    assert len(raised()) == 1
    with unit_of_work():
        db.session.execute(update(Campaign).values(alarmed_at=utc_now() - timedelta(minutes=61)))
    watch_campaigns()
    assert len(raised()) == 2


def test_failures_of_earlier_raise_none(running):
    outcomes(running, delivered=0, failed=60)
    with unit_of_work():
        db.session.execute(update(DeliveryCount).values(at=utc_now() - timedelta(minutes=20)))
    watch_campaigns()
    assert raised() == []


def test_a_campaign_that_is_not_running_is_not_watched(running):
    outcomes(running, delivered=0, failed=60)
    running.began(1)
    watch_campaigns()
    assert raised() == []


def test_the_rules_may_pause_the_campaign_which_is_told_once(running, slack, run_jobs):
    running.house.rules(alarm_pauses=True, alarm_percent=10.0, alarm_least=20)
    outcomes(running, delivered=17, failed=3)
    watch_campaigns()
    run_jobs()
    row = running.house.load(running.campaign_id)
    assert (row.state, row.pause_reason) == ("paused", alarms.sentence(raised()[0]))
    assert [line.title for line in bell("Spring")] == ["Spring was paused"]
    assert len(told(slack)) == 1
    assert "was paused" in told(slack)[0]


def test_a_pause_by_hand_is_told_to_nobody(running, slack, run_jobs):
    with unit_of_work():
        campaigns.pause(running.campaign_id)
    run_jobs()
    assert told(slack) == []


def test_the_end_is_told_with_its_figures_and_once_in_the_bell(house, slack, run_jobs):
    house.people(3)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    run_jobs()
    row = house.load(campaign_id)
    assert row.state == "completed"
    tell_of_move(CampaignMoved(row.tenant_id, row.id, row.uuid, row.name, row.state))
    run_jobs()
    assert [line.detail for line in bell("Spring is done")] == ["0 of 3 messages delivered so far (0.0 %)."]
    assert len([text for text in told(slack) if "Spring is done" in text]) == 1


def test_a_workspace_without_a_webhook_hears_it_in_the_bell_alone(running, sandbox, run_jobs):
    outcomes(running, delivered=0, failed=60)
    watch_campaigns()
    run_jobs()
    assert len(bell("Many messages of Spring fail")) == 1
    assert told(sandbox.control) == []


def test_a_dead_webhook_is_noted_and_cleared_when_it_works_again(running, slack, run_jobs):
    running.house.rules(slack_url=f"{HOOK}GONE")
    outcomes(running, delivered=0, failed=60)
    watch_campaigns()
    run_jobs()
    assert "does not exist any more" in rules.load().slack_error
    running.house.rules(slack_url=f"{HOOK}SECRET")
    assert rules.load().slack_error == ""


def test_words_of_people_are_no_markup_in_slack(slack, house, run_jobs):
    answers = Answers(house, house.campaign(house.segment(), name="<!channel> & more"))
    answers.began(0.1, completed=False)
    outcomes(answers, delivered=0, failed=60)
    watch_campaigns()
    run_jobs()
    assert "&lt;!channel&gt; &amp; more" in told(slack)[0]


@pytest.fixture
def theirs(house, other_member):
    """Another workspace's campaign, begun before ours, most of whose messages fail; used inside `tenant_scope`."""
    with tenant_scope(other_member.tenant_id):
        house.rules(slack_url=f"{HOOK}SECRET")
        answers = Answers(house, house.campaign(house.segment()))
        answers.began(0.1, completed=False)
        outcomes(answers, delivered=0, failed=60)
    return answers


def test_one_campaigns_trouble_keeps_no_other_from_being_watched(theirs, other_member, running):
    outcomes(running, delivered=0, failed=60)
    run_sql("UPDATE messaging_settings SET caps = '[7]'")
    watch_campaigns()
    assert [alarm.campaign_id for alarm in raised()] == [running.campaign_id]
    run_sql("UPDATE messaging_settings SET caps = '[]'")
    watch_campaigns()
    with tenant_scope(other_member.tenant_id):
        assert [alarm.campaign_id for alarm in raised()] == [theirs.campaign_id]


def test_a_webhook_that_cannot_be_read_is_none_and_alarms_stand_in_the_bell(running, slack, run_jobs):
    outcomes(running, delivered=0, failed=60)
    run_sql("UPDATE messaging_settings SET slack_url = 'garbage'")
    watch_campaigns()
    run_jobs()
    assert len(bell("Many messages of Spring fail")) == 1
    assert told(slack) == []


def test_each_workspace_goes_by_its_own_rules(running, house, other_member, run_jobs):
    outcomes(running, delivered=0, failed=60)
    with tenant_scope(other_member.tenant_id):
        house.rules(alarm_least=1)
        watch_campaigns()
        assert raised() == []
    assert len(raised()) == 1
