"""WhatsApp texts: registered and approved at the provider, and sent one by one through the stratum contract."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.jobs import BackgroundJob, JobState
from app.core.tenancy import platform_scope
from app.messaging.jobs import templates as jobs
from app.messaging.models import Suppression, TemplateVersion
from tests.messaging.campaign import twilio
from tests.messaging.test_template_pages import Pages

__all__ = ["twilio"]
TEMPLATES, WHATSAPP = "/messaging/api/v1/templates", "/api/v1/whatsapp"
TEXT = "Hello {first_name|there}, {company} sees you on {day}. Reply to change it, {first_name|there}."
ANN, BOB = "+14155550123", "+14155550124"
REQUEST = f"{WHATSAPP}/send"


class Shop:
    """A marketer's and an integrator's way with WhatsApp texts."""

    def __init__(self, client, twilio, run_jobs, app, tenant_id):
        self.client, self.twilio, self.run_jobs, self.app, self.tenant_id = client, twilio, run_jobs, app, tenant_id
        self.pages = Pages(client)
        self.numbers = {}

    def make(self, content=TEXT, name="Welcome message", **more):
        body = {"name": name, "content": content, "channel": "whatsapp"} | more
        answer = self.client.post(TEMPLATES, json=body)
        assert answer.status_code == 201, answer.text
        made = answer.get_json()
        page = self.client.get(f"/app/templates?q={made['name']}").text
        self.numbers[made["id"]] = int(page.split('href="/app/templates/')[-1].split('"')[0])
        return made

    def state(self, made):
        found = self.client.get(f"{TEMPLATES}/{made['id']}").get_json()
        return found["approval"], found["approval_note"]

    def number(self, made):
        """The id pages speak of a template by."""
        return self.numbers[made["id"]]

    def submit(self, made):
        return self.pages.post(f"/app/templates/{self.number(made)}/submit")

    def look(self):
        """The periodic look at texts that wait."""
        with self.app.app_context(), platform_scope():
            jobs.check_everywhere()
        self.run_jobs()

    def approved(self, **more):
        made = self.make(**more)
        self.submit(made)
        self.run_jobs()
        self.twilio.approve(self.contents()[-1]["sid"])
        self.look()
        assert self.state(made)[0] == "approved"
        return made

    def calls(self, ending):
        return [call for call in self.twilio.received("twilio") if call["path"].endswith(ending)]

    def contents(self):
        """What was registered, with the ids the provider gave."""
        registered = [call["body"] for call in self.calls("/Content")]
        sids = [call["path"].split("/")[-3] for call in self.calls("/ApprovalRequests/whatsapp")]
        return [body | {"sid": sid} for body, sid in zip(registered, sids, strict=True)]

    def send(self, to=ANN, status=202, template="welcome_message", **parameters):
        answer = self.client.post(REQUEST, json={"to": to, "template": template, "parameters": parameters})
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def sent(self):
        return [call["body"] for call in self.calls("Messages.json")]


@pytest.fixture
def shop(client, twilio, run_jobs, app, member, settings_override) -> Shop:
    settings_override(twilio_whatsapp_sender="+14155238886")
    return Shop(client, twilio, run_jobs, app, member.tenant_id)


@pytest.fixture
def ann(people, run_jobs) -> int:
    """Ann agreed to WhatsApp; Bob was never asked."""
    ids = [
        people.send("signup", user_id=name, traits={"name": f"{name} Lee", "phone": phone})
        for name, phone in (("Ann", ANN), ("Bob", BOB))
    ]
    people.post(f"/profiles/{ids[0]}/consent", {"channel": "whatsapp", "state": "granted"})
    run_jobs()
    return ids[0]


def test_a_person_is_written_to_at_an_older_number_of_theirs_too(shop, ann, people):
    shop.approved()
    people.send("moved", user_id="Ann", traits={"phone": "+14155550199"})
    shop.run_jobs()
    shop.send(to=ANN, day="Monday")
    shop.send(to="+14155550199", day="Monday")
    shop.run_jobs()
    assert [one["To"] for one in shop.sent()] == [f"whatsapp:{ANN}", "whatsapp:+14155550199"]


def test_a_text_is_registered_with_numbered_variables_and_examples_that_are_nobodys(shop, ann):
    made = shop.make()
    assert shop.state(made) == ("unsubmitted", "")
    shop.submit(made)
    shop.run_jobs()
    [content] = shop.contents()
    assert content["types"] == {
        "twilio/text": {"body": "Hello {{1}}, {{2}} sees you on {{3}}. Reply to change it, {{1}}."}
    }
    assert content["variables"] == {"1": "Ann", "2": "Acme", "3": "day"}
    [asked] = shop.calls("/ApprovalRequests/whatsapp")
    assert asked["body"]["category"] == "MARKETING"
    assert asked["body"]["name"].startswith("welcome_message_")
    assert shop.state(made)[0] in ("received", "pending")


def test_an_approval_arrives_by_the_periodic_look_and_shows_on_the_page(shop):
    made = shop.approved()
    page = shop.pages.text(f"/app/templates/{shop.number(made)}/approval")
    assert "Approved Version 1 may be sent." in page


def test_a_rejection_keeps_its_reason(shop):
    made = shop.make()
    shop.submit(made)
    shop.run_jobs()
    shop.twilio.approve(shop.contents()[0]["sid"], "rejected")
    shop.look()
    approval, note = shop.state(made)
    assert (approval, note != "") == ("rejected", True)
    assert note in shop.pages.text(f"/app/templates/{shop.number(made)}/approval")


def test_another_text_is_approved_anew_and_the_approved_one_is_sent_until_then(shop, ann):
    made = shop.approved(content="Hello {first_name|there}, see you.")
    shop.client.put(f"{TEMPLATES}/{made['id']}", json={"content": "Hi {first_name|there}, see you."})
    assert shop.state(made)[0] == "unsubmitted"
    shop.send()
    shop.run_jobs()
    assert shop.sent()[-1]["ContentSid"] == shop.contents()[0]["sid"]


def test_an_approval_whatsapp_takes_back_is_noticed_a_day_later(shop, in_tenant):
    made = shop.approved()
    shop.twilio.approve(shop.contents()[0]["sid"], "paused")
    shop.look()
    assert shop.state(made)[0] == "approved", "it was looked at just now"
    with in_tenant(shop.tenant_id), unit_of_work():
        db.session.execute(update(TemplateVersion).values(checked_at=utc_now() - timedelta(days=2)))
    shop.look()
    assert shop.state(made)[0] == "paused"


@pytest.mark.parametrize("content", ["{first_name|You} are expected", "We expect {first_name|you}"])
def test_a_text_that_begins_or_ends_with_a_variable_is_not_submitted(shop, content):
    made = shop.make(content)
    shop.submit(made)
    shop.run_jobs()
    assert "begins or ends with a variable" in shop.pages.text(f"/app/templates/{shop.number(made)}")
    assert shop.calls("/Content") == []


def test_a_text_is_submitted_once(shop):
    made = shop.make()
    shop.submit(made)
    shop.submit(made)
    shop.run_jobs()
    shop.submit(made)
    shop.run_jobs()
    assert len(shop.calls("/ApprovalRequests/whatsapp")) == 1


def test_a_submission_that_is_run_again_does_not_register_twice(shop, app):
    made = shop.make()
    shop.submit(made)
    shop.twilio.fault("twilio", "status_503", path="*/ApprovalRequests/whatsapp", times=1)
    run_until_done(shop, app, "messaging.submit_template")
    assert len(shop.calls("/ApprovalRequests/whatsapp")) == 2, "the first was answered 503"
    assert len(shop.calls("/Content")) == 1
    assert shop.state(made)[0] in ("received", "pending")


def run_until_done(shop, app, name):
    """Run what waits, and what failed and waits for its next try, without the waiting."""
    for _ in range(6):
        shop.run_jobs()
        with app.app_context(), unit_of_work():
            later = (BackgroundJob.name == name) & (BackgroundJob.state == JobState.QUEUED)
            db.session.execute(update(BackgroundJob).where(later).values(run_after=utc_now()))


def test_a_refusal_of_the_provider_is_told_and_the_text_can_be_sent_again(shop):
    made = shop.make()
    shop.submit(made)
    shop.twilio.fault("twilio", "status_400", path="/content/v1/Content", times=1)
    shop.run_jobs()
    approval, note = shop.state(made)
    assert (approval, note != "") == ("unsubmitted", True)
    shop.submit(made)
    shop.run_jobs()
    assert shop.state(made)[0] in ("received", "pending")


def test_without_an_account_nothing_is_submitted(shop, settings_override):
    made = shop.make()
    settings_override(twilio_account_sid="", twilio_auth_token="")
    shop.submit(made)
    assert "No account for messages is connected" in shop.pages.text(f"/app/templates/{shop.number(made)}")
    assert shop.state(made)[0] == "unsubmitted"


def test_an_sms_text_is_not_submitted(shop):
    made = shop.make(name="Plain", channel="sms")
    shop.submit(made)
    assert shop.state(made)[0] == "not_needed"


def test_a_single_message_goes_by_its_approved_content_and_variables(shop, ann):
    shop.approved()
    answer = shop.send(day="Friday")
    assert (answer["success"], answer["status"]) == (True, "pending")
    assert "messaging.send_one" in shop.run_jobs()
    [sent] = shop.sent()
    assert (sent["To"], sent["From"]) == (f"whatsapp:{ANN}", "whatsapp:+14155238886")
    assert sent["ContentSid"] == shop.contents()[0]["sid"]
    assert json.loads(sent["ContentVariables"]) == {"1": "Ann", "2": "Person1's workspace", "3": "Friday"}
    assert "Body" not in sent


def test_parameters_outweigh_what_is_known(shop, ann):
    shop.approved()
    shop.send(day="Friday", first_name="Annie", company="Oat")
    shop.run_jobs()
    assert json.loads(shop.sent()[0]["ContentVariables"]) == {"1": "Annie", "2": "Oat", "3": "Friday"}


def test_whoever_did_not_agree_is_not_written_to(shop, ann, in_tenant):
    shop.approved()
    for phone in (BOB, "+14155550199"):
        refused = shop.send(phone, 422, day="Friday")
        assert (refused["success"], refused["details"]["field"]) == (False, "to")
    with in_tenant(shop.tenant_id), unit_of_work() as session:
        session.add(Suppression(channel="whatsapp", address=ANN, reason="bad_number"))
    assert shop.send(ANN, 422, day="Friday")["details"]["reason"] == "bad_number"
    shop.run_jobs()
    assert shop.sent() == []


def test_a_send_says_what_is_wrong_with_it(shop, ann):
    shop.approved()
    assert shop.send("0123", 422, day="x")["details"]["expected"] == "E.164 format (+1234567890)"
    assert shop.send(ANN, 404, template="absent")["code"] == "NOT_FOUND"
    assert shop.send(ANN, 422)["details"]["missing"] == ["day"]
    assert shop.send(ANN, 422, day="x", colour="red")["details"]["unknown"] == ["colour"]
    shop.make(name="Fresh")
    assert shop.send(ANN, 422, template="fresh", day="x")["details"]["provided"] == "unsubmitted"
    shop.run_jobs()
    assert shop.sent() == []


def test_the_list_names_what_send_takes(shop):
    shop.approved()
    shop.make(name="Quiet", is_active=False)
    shop.make(name="Plain", channel="sms")
    page = shop.client.get(f"{WHATSAPP}/templates").get_json()
    [one] = page["items"]
    assert (one["name"], one["title"], one["status"], one["parameters"]) == (
        "welcome_message", "Welcome message", "approved", ["first_name", "company", "day"],
    )  # fmt: skip


def test_an_analyst_may_not_send_and_another_tenant_finds_nothing(
    shop, ann, client_for, make_member, other_member, member
):
    shop.approved()
    body = {"to": ANN, "template": "welcome_message", "parameters": {"day": "x"}}
    assert client_for(make_member("analyst", member.tenant_id)).post(REQUEST, json=body).status_code == 403
    assert client_for(other_member).post(REQUEST, json=body).status_code == 404
    assert client_for(other_member).get(f"{WHATSAPP}/templates").get_json()["total"] == 0
