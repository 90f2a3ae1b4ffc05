"""One workspace's trouble, whatever it is, stops its own campaign with a reason and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.activity import list_activity
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.jobs.campaigns import launch_due
from app.messaging.models import MessagingAccount
from app.messaging.services import campaigns, recipients, rules
from tests.messaging.campaign import House, house, twilio
from tests.support.pages import words

__all__ = ["house", "twilio"]
SETTINGS = "/app/settings/messaging"


def run_sql(statement: str, **values) -> None:
    with platform_scope(), unit_of_work():
        db.session.connection().execute(text(statement), values)


def token_of(client) -> str:
    """What its forms carry."""
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get(SETTINGS).text).group(1)


def start(campaign_id: int) -> int:
    """Launched, everyone frozen, and nothing sent yet."""
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    return campaign_id


@pytest.fixture
def others(house, other_member, run_jobs):
    """Another workspace with an account of its own and people, used inside `tenant_scope(others_id)`."""
    with tenant_scope(other_member.tenant_id):
        with unit_of_work():
            db.session.add(MessagingAccount(account_sid="AC" + "b" * 32, auth_token="x" * 32))
        there = House(run_jobs)
        there.people(3)
    return there


@pytest.fixture
def unreadable(others):
    """Their token was encrypted with a key that is gone."""
    run_sql("UPDATE messaging_accounts SET auth_token = 'garbage'")
    return others


def test_a_token_that_cannot_be_read_pauses_its_campaign_and_nobody_elses(house, others, other_member, run_jobs):
    house.people(3)
    segment_id = house.segment()
    with tenant_scope(other_member.tenant_id):
        theirs = start(others.campaign(others.segment()))
    run_sql("UPDATE messaging_accounts SET auth_token = 'garbage'")
    ours = start(house.campaign(segment_id))
    run_jobs()
    assert set(house.reasons(ours).values()) == {"queued"}
    assert house.load(ours).state == "completed"
    with tenant_scope(other_member.tenant_id):
        row = others.load(theirs)
        assert row.state == "paused"
        assert "Settings, Messaging" in row.pause_reason
        assert {one.state for one in others.messages(theirs)} == {"pending"}


def test_a_token_that_cannot_be_read_keeps_no_other_scheduled_campaign_waiting(house, unreadable, other_member):
    at = utc_now() + timedelta(hours=1)
    with tenant_scope(other_member.tenant_id):
        theirs = unreadable.campaign(unreadable.segment(), schedule_at=at)
    house.people(1)
    ours = house.campaign(house.segment(), schedule_at=at)
    run_sql("UPDATE campaigns SET schedule_at = :at", at=utc_now() - timedelta(minutes=2))
    launch_due()
    assert house.load(ours).state == "running"
    with tenant_scope(other_member.tenant_id):
        row = unreadable.load(theirs)
        assert (row.state, "Settings, Messaging" in row.error) == ("failed", True)


def test_rules_that_cannot_be_read_pause_their_campaign_and_nobody_elses(house, others, other_member, run_jobs):
    house.people(3)
    segment_id = house.segment()
    with tenant_scope(other_member.tenant_id):
        others.rules(caps=[])
        theirs = start(others.campaign(others.segment()))
    ours = start(house.campaign(segment_id))
    run_sql("UPDATE messaging_settings SET caps = '[7]'")
    run_jobs()
    assert house.load(ours).state == "completed"
    with tenant_scope(other_member.tenant_id):
        assert others.load(theirs).state == "paused"
        assert "A fault of ours" in others.load(theirs).pause_reason


def test_a_fault_while_sending_pauses_that_campaign_and_loses_none_of_its_messages(house, twilio, run_jobs):
    house.people(3)
    segment_id = house.segment()
    broken, sound = (
        house.campaign(segment_id, house.template("A", "A")),
        house.campaign(segment_id, house.template("B", "B")),
    )
    with unit_of_work():
        campaigns.launch(broken)
    with unit_of_work():
        campaigns.launch(sound)
    for one in (broken, sound):
        with unit_of_work():
            recipients.freeze_step(one)
    variants = {one.variant_id for one in house.messages(broken)}
    run_sql("UPDATE messages SET variant_id = 99 WHERE campaign_id = :id", id=broken)
    run_jobs()
    assert house.load(sound).state == "completed"
    assert house.load(broken).state == "paused"
    assert {one.state for one in house.messages(broken)} == {"pending"}

    run_sql("UPDATE messages SET variant_id = :was WHERE campaign_id = :id", id=broken, was=variants.pop())
    with unit_of_work():
        campaigns.resume(broken)
    run_jobs()
    assert house.load(broken).state == "completed"
    assert twilio.messages()["messages"] == 6


def test_the_settings_page_opens_with_a_token_that_cannot_be_read_and_says_so(client, member, in_tenant):
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.add(MessagingAccount(account_sid="AC" + "b" * 32, auth_token="x" * 32))
        db.session.flush()
        db.session.connection().execute(text("UPDATE messaging_accounts SET auth_token = 'garbage'"))
    page = client.get("/app/settings/messaging")
    assert page.status_code == 200
    assert "can no longer be read" in page.text


@pytest.fixture
def unreadable_webhook(acting):
    """The workspace's Slack webhook was encrypted with a key that is gone."""
    with acting():
        with unit_of_work():
            rules.save(slack_url="https://hooks.slack.com/services/T000/B000/SECRET", help_text="Call us.")
        run_sql("UPDATE messaging_settings SET slack_url = 'garbage'")


def test_a_slack_webhook_that_cannot_be_read_pauses_nothing(unreadable_webhook, house, run_jobs):
    house.people(3)
    ours = start(house.campaign(house.segment()))
    run_jobs()
    assert house.load(ours).state == "completed"


def test_a_slack_webhook_that_cannot_be_read_is_asked_for_again_in_the_settings(client, unreadable_webhook):
    page = words(client.get(SETTINGS).text)
    assert "The webhook can no longer be read" in page
    assert "Call us." in page
    token = token_of(client)
    hook = "https://hooks.slack.com/services/T000/B000/NEW"
    assert client.post(f"{SETTINGS}/slack", data={"csrf_token": token, "slack_url": hook}).status_code == 303
    assert "can no longer be read" not in words(client.get(SETTINGS).text)


def test_a_slack_webhook_that_cannot_be_read_can_be_removed(client, unreadable_webhook, acting):
    assert client.post(f"{SETTINGS}/slack/delete", data={"csrf_token": token_of(client)}).status_code == 303
    page = words(client.get(SETTINGS).text)
    assert "can no longer be read" not in page
    assert "An incoming webhook of Slack" in page
    with acting():
        assert rules.load().slack_url is None


@pytest.fixture
def unfrozen(house, run_jobs):
    """A campaign whose people could not be gathered, however often it was tried; its workspace is mended by now."""
    house.rules(caps=[])
    house.people(3)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    run_sql("UPDATE messaging_settings SET caps = '[7]'")
    for _ in range(12):
        run_sql("UPDATE background_jobs SET run_after = :past", past=utc_now() - timedelta(minutes=1))
        run_jobs()
    run_sql("UPDATE messaging_settings SET caps = '[]'")
    return campaign_id


def test_a_campaign_whose_people_cannot_be_gathered_has_failed_and_says_why(house, unfrozen):
    row = house.load(unfrozen)
    assert row.state == "failed"
    assert "could not be gathered" in row.error


def test_a_campaign_that_had_begun_is_said_to_have_stopped_and_not_that_it_could_not_start(unfrozen):
    line = list_activity(limit=1, url=f"/app/campaigns/{unfrozen}")[0]
    assert line.title == "Spring has stopped"
    assert "Whoever was not written to yet waits." in line.detail


@pytest.mark.parametrize("again", [campaigns.launch, campaigns.resume])
def test_a_campaign_whose_people_could_not_be_gathered_goes_on_when_it_is_triggered_again(
    house, unfrozen, run_jobs, again
):
    with unit_of_work():
        again(unfrozen)
    run_jobs()
    assert (house.load(unfrozen).state, house.load(unfrozen).error) == ("completed", "")
    assert set(house.reasons(unfrozen).values()) == {"queued"}
