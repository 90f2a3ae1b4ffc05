"""Settings of messaging: an account that is asked before it is kept, senders, rules, Slack; refusals beside their
field."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import MessageSender, MessagingAccount
from app.messaging.services import accounts, campaigns, rules
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import House, twilio
from tests.support.pages import words

__all__ = ["twilio"]
BASE = "/app/settings/messaging"
HOOK = "https://hooks.slack.com/services/T000/B000/"


class Settings:
    """What an admin does there in a browser without scripts."""

    def __init__(self, client, scope):
        self.client, self.scope = client, scope
        page = client.get("/app/settings/you").text
        self.token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)

    def post(self, path, **fields):
        return self.client.post(f"{BASE}{path}", data={"csrf_token": self.token, **fields})

    def saved(self, path, **fields):
        answer = self.post(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.text()

    def refused(self, path, **fields):
        answer = self.post(path, **fields)
        assert answer.status_code in (409, 422), answer.text
        return words(answer.text)

    def text(self):
        return words(self.client.get(BASE).text)

    def rules(self):
        with self.scope():
            return rules.load()

    def senders(self):
        with self.scope():
            rows = db.session.scalars(select(MessageSender).order_by(MessageSender.id))
            return [(row.channel, row.address, row.is_default) for row in rows]

    def account(self):
        with self.scope():
            row = db.session.scalars(select(MessagingAccount)).one_or_none()
            return (row.account_sid, row.auth_token) if row else None


@pytest.fixture
def settings(client, acting) -> Settings:
    return Settings(client, acting)


def test_an_account_is_kept_after_the_provider_accepted_it_and_its_token_is_not_shown(settings, twilio, acting):
    text = settings.saved("/account", account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
    assert settings.account() == (ACCOUNT_SID, AUTH_TOKEN)
    assert ACCOUNT_SID in text
    assert AUTH_TOKEN not in settings.client.get(BASE).text
    with acting():
        assert accounts.find_account().is_own
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("messaging.account")))
        assert [AUTH_TOKEN in str(vars(entry)) for entry in entries] == [False]


def test_an_account_the_provider_refuses_is_not_kept(settings, twilio):
    text = settings.refused("/account", account_sid=ACCOUNT_SID, auth_token="x" * 32)
    assert "Twilio does not accept these" in text
    assert settings.account() is None
    assert "x" * 32 not in text


def test_a_provider_that_is_away_keeps_nothing_and_says_so(settings, settings_override):
    settings_override(twilio_base_url="http://127.0.0.1:9", twilio_timeout_seconds=0.5)
    text = settings.refused("/account", account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
    assert "could not be asked, so nothing was saved" in text
    assert settings.account() is None


@pytest.mark.parametrize("sid", ["", "AC123", "SK" + "a" * 32, "AC" + "g" * 32])
def test_what_is_no_account_is_refused_without_asking(settings, twilio, sid):
    assert "Begins with AC" in settings.refused("/account", account_sid=sid, auth_token=AUTH_TOKEN)


def test_a_forgotten_account_leaves_the_installations(settings, twilio, acting):
    settings.saved("/account", account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
    text = settings.saved("/account/delete")
    assert "The account is forgotten" in text
    with acting():
        assert not accounts.find_account().is_own


def test_the_first_sender_of_a_channel_is_its_default_until_another_is_made_so(settings):
    settings.saved("/senders", channel="sms", address="+1 415 555 0100", label="Shop", rate="1")
    settings.saved("/senders", channel="sms", address="55501", rate="100")
    settings.saved("/senders", channel="whatsapp", address="+14155550100", rate="80")
    assert settings.senders() == [
        ("sms", "+14155550100", True), ("sms", "55501", False), ("whatsapp", "+14155550100", True),
    ]  # fmt: skip
    second = [row.id for row in _rows(settings)][1]
    settings.saved(f"/senders/{second}/default")
    assert [is_default for _, _, is_default in settings.senders()] == [False, True, True]
    settings.saved(f"/senders/{second}/delete")
    assert settings.senders()[0] == ("sms", "+14155550100", True)


def _rows(settings):
    with settings.scope():
        return list(db.session.scalars(select(MessageSender).order_by(MessageSender.id)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"address": "12"}, "Must name its country"), ({"rate": "fast"}, "Enter a number"),
        ({"rate": "-1"}, "no limit of its own"), ({"rate": "1e-19"}, "0.01 to 1,000"),
        ({"rate": "1e9"}, "no limit of its own"), ({"channel": "fax"}, "Choose SMS or WhatsApp"),
        ({"channel": "whatsapp", "address": "55501"}, "Must name its country"), ({"label": "x" * 101}, "at most 100"),
    ],
)  # fmt: skip
def test_a_sender_that_cannot_be_is_refused_and_what_was_typed_stays(settings, fields, said):
    given = {"channel": "sms", "address": "+14155550100", "label": "Kept words", "rate": "1"} | fields
    answer = settings.post("/senders", **given)
    assert answer.status_code == 422
    assert said.lower() in words(answer.text).lower()
    assert given["label"] in answer.text
    assert settings.senders() == []


def test_a_sender_is_added_once(settings):
    settings.saved("/senders", channel="sms", address="+14155550100", rate="1")
    assert "is there already" in settings.refused("/senders", channel="sms", address="+14155550100", rate="2")


def test_a_sender_a_campaign_still_needs_is_not_removed(settings, acting, run_jobs):
    settings.saved("/senders", channel="sms", address="+14155550100", rate="1")
    sender_id = _rows(settings)[0].id
    with acting():
        house = House(run_jobs)
        house.people(1)
        values = {"sender_id": sender_id, "schedule_at": utc_now() + timedelta(days=1)}
        campaign_id = house.campaign(house.segment(), **values)
    assert "is the sender of Spring" in settings.saved(f"/senders/{sender_id}/delete")
    assert len(settings.senders()) == 1
    with acting(), unit_of_work():
        campaigns.cancel(campaign_id)
    settings.saved(f"/senders/{sender_id}/delete")
    assert settings.senders() == []


def test_quiet_hours_are_saved_and_may_not_end_when_they_begin(settings):
    settings.saved("/rules/hours", quiet_start="22:30", quiet_end="07:15")
    assert (settings.rules().quiet_start, settings.rules().quiet_end) == ("22:30", "07:15")
    assert not settings.rules().keeps_us_hours
    assert "Must differ from the beginning" in settings.refused("/rules/hours", quiet_start="09:00", quiet_end="09:00")
    assert "must be a time" in settings.refused("/rules/hours", quiet_start="25:00", quiet_end="09:00").lower()
    assert settings.rules().quiet_start == "22:30"


def test_caps_without_a_number_are_removed(settings):
    rows = {"channel-0": "sms", "most-0": "2", "days-0": "7", "channel-1": "whatsapp", "most-1": "1", "days-1": "1"}
    settings.saved("/rules/caps", **rows)
    assert [(cap.channel, cap.most, cap.days) for cap in settings.rules().caps] == [("sms", 2, 7), ("whatsapp", 1, 1)]
    settings.saved("/rules/caps", **(rows | {"most-0": ""}))
    assert [cap.channel for cap in settings.rules().caps] == ["whatsapp"]
    assert "1 to 1,000 messages" in settings.refused("/rules/caps", **(rows | {"days-0": "400"}))


def test_prices_are_typed_in_the_currency_and_kept_exactly(settings):
    settings.saved("/rules/prices", currency="eur", sms="0,0712", whatsapp="0.05")
    prices = settings.rules().prices
    assert (prices.currency, prices.sms, prices.whatsapp) == ("EUR", 71200, 50000)
    assert 'value="0.0712"' in settings.client.get(BASE).text
    settings.refused("/rules/prices", currency="EUR", sms="-1", whatsapp="0")
    settings.refused("/rules/prices", currency="E1", sms="1", whatsapp="0")


def test_alarms_are_saved_and_may_pause(settings):
    settings.saved("/rules/alarms", alarm_percent="12.5", alarm_least="200", alarm_pauses="on")
    found = settings.rules()
    assert (found.alarm_percent, found.alarm_least, found.alarm_pauses) == (12.5, 200, True)
    for bad in ({"alarm_percent": "0"}, {"alarm_percent": "101"}, {"alarm_least": "0"}, {"alarm_least": "1.5"}):
        settings.refused("/rules/alarms", **({"alarm_percent": "10", "alarm_least": "10"} | bad))
    assert settings.rules().alarm_percent == 12.5


def test_the_answer_to_help_has_room_for_1600_characters(settings):
    settings.saved("/rules/help", help_text="Shop. Reply STOP to stop.")
    assert settings.rules().help_text == "Shop. Reply STOP to stop."
    assert "at most 1,600" in settings.refused("/rules/help", help_text="x" * 1601)


def test_a_slack_webhook_is_slacks_own_and_never_shown_again(settings):
    settings.saved("/slack", slack_url=f"{HOOK}SECRET")
    assert settings.rules().slack_url == f"{HOOK}SECRET"
    assert "SECRET" not in settings.client.get(BASE).text
    for bad in ("", "https://evil.example/services/x", "http://hooks.slack.com/services/x", f"{HOOK}a b"):
        assert "begins with https://hooks.slack.com" in settings.refused("/slack", slack_url=bad).lower()
    settings.saved("/slack/delete")
    assert settings.rules().slack_url is None


def test_a_test_message_says_what_slack_said(settings, sandbox, settings_override):
    settings_override(slack_base_url=f"{sandbox.url}/slack", allow_private_urls=True)
    settings.saved("/slack", slack_url=f"{HOOK}SECRET")
    assert "Slack took it" in settings.saved("/slack/test")
    assert len(sandbox.control.received("slack")) == 1
    settings.saved("/slack", slack_url=f"{HOOK}GONE")
    assert "does not exist any more" in settings.saved("/slack/test")
    assert "Broken" in settings.text()
    settings.saved("/slack", slack_url=f"{HOOK}SECRET")
    assert "Broken" not in settings.text()


def test_the_addresses_to_enter_at_the_provider_are_the_public_ones(settings, settings_override):
    settings_override(public_url="https://parley.example")
    text = settings.text()
    assert "https://parley.example/webhooks/inbound" in text
    assert "no public address yet" not in text


@pytest.mark.parametrize("role", ["manager", "analyst", "viewer"])
def test_only_an_admin_sees_or_changes_them(client_for, make_member, member, role):
    somebody = client_for(make_member(role, member.tenant_id))
    assert somebody.get(BASE).status_code == 403
    assert BASE not in somebody.get("/app/settings/you").text


def test_each_page_says_that_a_local_twin_takes_the_messages(client, settings_override):
    assert "local twin" not in client.get("/app/campaigns").text
    settings_override(sandbox_url="http://127.0.0.1:9", twilio_base_url="http://127.0.0.1:9/twilio")
    page = " ".join(client.get("/app/campaigns").text.split())
    assert "Twilio is answered by a local twin" in page
    assert 'href="/app/settings/messaging">Connections' in page
