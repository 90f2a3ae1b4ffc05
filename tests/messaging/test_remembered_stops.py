"""A STOP outlives whoever said it, by the number; and somebody who vouches for a person lifts it, on every way."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.cdp.events import ConsentGiven
from app.core.clock import utc_now
from app.core.db import db
from app.core.redis import get_redis
from app.core.tenancy import tenant_scope
from app.messaging.jobs.consent import heed_yes
from app.messaging.models import Message
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import twilio
from tests.messaging.provider import PUBLIC, Provider
from tests.messaging.test_campaigns_api import Campaigns, api

__all__ = ["api", "twilio"]
NUMBER = "+4915112345777"
API = "/messaging/api/v1"
USER = f"{API}/users/{NUMBER[1:]}"
ANSWER = {"body": "Hi", "token": "t" * 20}


@pytest.fixture
def provider(app, twilio, settings_override) -> Provider:
    settings_override(public_url=PUBLIC)
    return Provider(app.test_client(), ACCOUNT_SID, AUTH_TOKEN)


def say(api: Campaigns, word: str | None) -> None:
    """The contact is there, and said this."""
    body = {"phone_e164": NUMBER} | ({"consent_state": word} if word else {})
    assert api.client.post(f"{API}/users", json=body).status_code == 201
    api.run_jobs()


def profile_of(api: Campaigns) -> int:
    [found] = api.client.get("/api/v1/cdp/profiles", query_string={"q": NUMBER}).get_json()["items"]
    return found["id"]


def agree(api: Campaigns) -> None:
    """Somebody notes on the profile that they agreed."""
    body = {"channel": "sms", "state": "granted", "source": "telephone"}
    assert api.client.post(f"/api/v1/cdp/profiles/{profile_of(api)}/consent", json=body).status_code == 201


def leave_a_stop(api: Campaigns) -> None:
    """They said STOP and were erased; the store has forgotten it."""
    say(api, "STOP")
    assert api.client.delete(USER).status_code == 200
    api.run_jobs()
    get_redis().flushdb()


def send_test(api: Campaigns, status: int = 200) -> str:
    campaign = api.make()
    return str(api.call("post", f"/{campaign['id']}/test", {"phone": NUMBER}, status))


def outcome(api: Campaigns, in_tenant, member) -> list[str]:
    """What a campaign to everyone comes to, by person: the state of the message, or why there is none."""
    made = api.make()
    api.call("post", f"/{made['id']}/trigger")
    api.run_jobs()
    with in_tenant(member.tenant_id):
        rows = db.session.scalars(select(Message).where(Message.campaign_id.is_not(None)).order_by(Message.id))
        return [row.reason or row.state for row in rows]


def test_a_test_is_refused_to_a_number_whose_stop_is_remembered(api, twilio):
    leave_a_stop(api)
    assert "STOP" in send_test(api, 400)
    api.run_jobs()
    assert twilio.messages()["messages"] == 0


def test_a_test_that_waits_is_not_sent_once_only_the_stop_is_left_of_the_person(api, twilio):
    send_test(api)
    leave_a_stop(api)
    api.run_jobs()
    assert twilio.messages()["messages"] == 0


def test_nobody_answers_by_hand_where_a_stop_is_remembered(api, provider):
    leave_a_stop(api)
    provider.inbound("Hello again", person=NUMBER)
    [thread] = api.client.get(f"{API}/threads").get_json()["threads"]
    answer = api.client.post(f"{API}/threads/{thread['id']}/messages", json=ANSWER)
    assert answer.status_code == 422
    assert "said STOP" in answer.text
    provider.inbound("START", number=2, person=NUMBER)
    assert api.client.post(f"{API}/threads/{thread['id']}/messages", json=ANSWER).status_code == 201


def test_a_campaign_counts_a_remembered_stop_as_one(api, twilio, in_tenant, member):
    leave_a_stop(api)
    say(api, None)
    assert outcome(api, in_tenant, member) == ["stop"]


def test_a_yes_on_the_profile_lifts_a_remembered_stop(api, twilio, in_tenant, member):
    leave_a_stop(api)
    say(api, None)
    agree(api)
    assert outcome(api, in_tenant, member) == ["queued"]


def test_a_yes_on_the_profile_opens_the_gate_a_stop_had_closed(api, provider, in_tenant, member):
    say(api, "OPT_IN")
    provider.inbound("STOP", person=NUMBER)
    agree(api)
    assert outcome(api, in_tenant, member) == ["queued"]


def test_a_yes_that_is_heard_late_lifts_nothing_after_another_no(api, app, member):
    leave_a_stop(api)
    say(api, None)
    agreed = ConsentGiven(member.tenant_id, profile_of(api), "sms", utc_now().isoformat())
    with app.app_context(), tenant_scope(member.tenant_id):
        heed_yes(agreed)
    assert "STOP" in send_test(api, 400)
