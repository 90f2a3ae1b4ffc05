"""An approved template into a talk where a free answer may not go any more, on the page and by the API."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.accounts.models import AuditEntry
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Message, MessageThread, Suppression, TemplateVersion
from app.messaging.services import templates
from tests.messaging.provider import PERSON, SENDER, installation, other_workspace, provider, workspace
from tests.messaging.test_inbox_pages import csrf
from tests.support.pages import words

__all__ = ["installation", "other_workspace", "provider", "workspace"]
API, PAGE = "/messaging/api/v1/threads", "/app/inbox"
TEXT = "Hello {first_name|there}, your box comes on {day}. Reply to change it."
HTMX = {"HX-Request": "true"}


@pytest.fixture
def make(workspace):
    """A WhatsApp template, approved unless told otherwise; its id."""

    def template(name="Your box", content=TEXT, approval="approved", **more) -> int:
        with workspace.scope(workspace.tenant_id), unit_of_work():
            row = templates.create(name, content, channel="whatsapp", **more)
            db.session.flush()
            said = {"approval": approval, "content_sid": f"HX{row.id:032x}"}
            db.session.execute(update(TemplateVersion).where(TemplateVersion.template_id == row.id).values(said))
            return row.id

    return template


def age(workspace, hours: float) -> int:
    """The only talk, as it is when they wrote so long ago."""
    with workspace.scope(workspace.tenant_id), unit_of_work():
        thread = db.session.scalars(select(MessageThread)).one()
        thread.last_inbound_at = utc_now() - timedelta(hours=hours)
        return thread.id


@pytest.fixture
def talk(provider, workspace) -> int:
    """Ann wrote on WhatsApp, more than a day ago."""
    workspace.sent(workspace.campaign(channel="whatsapp"), workspace.person(), channel="whatsapp")
    provider.whatsapp("Hello", number=70)
    return age(workspace, 25)


def sent(workspace) -> list[Message]:
    with workspace.scope(workspace.tenant_id):
        return list(db.session.scalars(select(Message).where(Message.thread_id.is_not(None)).order_by(Message.id)))


def fields(page: str) -> dict[str, str]:
    form = page[page.index('id="template-form"') :]
    return {name: re.search(f'name="{name}" value="([^"]+)"', form).group(1) for name in ("csrf_token", "token")}


def test_the_reason_comes_with_the_templates_that_may_go(client, talk, make):
    make(), make("Offer", "We have news, {first_name|you}!")
    make("Waiting", approval="pending"), make("Off", is_active=False)
    page = client.get(f"{PAGE}/{talk}").text
    assert "More than 24 hours have passed" in page
    assert re.findall(r"<option[^>]*>([^<]+)</option>", page[page.index('id="pick"') :]) == [
        "Choose", "Offer", "Your box",
    ]  # fmt: skip
    assert "template-preview" not in page, "nothing is chosen yet"


def test_the_only_template_is_chosen_and_read_as_the_person_reads_it(client, talk, make):
    make(content="Hello {first_name|there}, we miss you at {company}. Come back!")
    page = words(client.get(f"{PAGE}/{talk}").text)
    assert "As Ann Lee reads it Hello Ann, we miss you at Person1's workspace. Come back!" in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_the_person_lacks_is_asked_for_and_shown_before_it_is_sent(client, workspace, talk, make, headers):
    box = make()
    form = fields(client.get(f"{PAGE}/{talk}").text)
    shown = client.post(f"{PAGE}/{talk}/template", data={**form, "template": box, "do": "look"}, headers=headers)
    assert shown.status_code == 200
    assert "your box comes on [day]" in shown.text
    assert "Ann Lee has no day; say it here." in words(shown.text)
    given = {**form, "template": box, "p.day": "Friday <b>"}
    shown = client.post(f"{PAGE}/{talk}/template", data={**given, "do": "look"}, headers=headers)
    assert "comes on Friday &lt;b&gt;" in shown.text
    assert sent(workspace) == []
    refused = client.post(f"{PAGE}/{talk}/template", data={**form, "template": box, "do": "send"}, headers=headers)
    assert refused.status_code == 422
    assert "day has no value" in refused.text.lower()
    answer = client.post(f"{PAGE}/{talk}/template", data={**given, "do": "send"}, headers=headers)
    assert answer.status_code == (200 if headers else 303)
    [row] = sent(workspace)
    assert row.body == "Hello Ann, your box comes on Friday <b>. Reply to change it."
    assert row.content == {"sid": f"HX{box:032x}", "variables": {"1": "Ann", "2": "Friday <b>"}}
    assert (row.address, row.sender, row.channel, row.state) == (PERSON, SENDER, "whatsapp", "pending")
    assert "Waiting to leave" in client.get(f"{PAGE}/{talk}").text


def test_the_same_form_sent_twice_sends_once_and_takes_the_talk(client, workspace, talk, make, member):
    box = make(content="We have news for you!")
    form = fields(client.get(f"{PAGE}/{talk}").text)
    for _ in range(2):
        client.post(f"{PAGE}/{talk}/template", data={**form, "template": box, "do": "send"})
    assert len(sent(workspace)) == 1
    with workspace.scope(workspace.tenant_id):
        thread = db.session.get_one(MessageThread, talk)
        assert (thread.assigned_to, thread.unread, thread.preview) == (member.id, 0, "You: We have news for you!")
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message.sent")).one()


def test_after_one_was_sent_the_form_is_empty_again(client, talk, make):
    box, _ = make(), make("Offer", "We have news!")
    form = fields(client.get(f"{PAGE}/{talk}").text)
    given = {**form, "template": box, "p.day": "Friday", "do": "send"}
    part = client.post(f"{PAGE}/{talk}/template", data=given, headers=HTMX).text
    assert fields(part)["token"] != form["token"]
    assert "selected" not in part
    assert "template-preview" not in part


def test_without_a_choice_nothing_is_sent(client, workspace, talk, make):
    make(), make("Offer")
    form = fields(client.get(f"{PAGE}/{talk}").text)
    for wrong in ("", "999", "x"):
        refused = client.post(f"{PAGE}/{talk}/template", data={**form, "template": wrong, "do": "send"})
        assert refused.status_code == 422
        assert "Choose the template to send." in refused.text
    assert sent(workspace) == []


def test_without_an_approved_template_the_way_to_one_is_shown(client, talk, make):
    make(approval="rejected")
    page = client.get(f"{PAGE}/{talk}").text
    assert "None of your WhatsApp templates is approved yet." in page
    assert 'id="template-form"' not in page


def test_while_they_may_be_answered_freely_no_template_is_offered(client, workspace, talk, make):
    make()
    age(workspace, 1)
    page = client.get(f"{PAGE}/{talk}").text
    assert "data-reply" in page
    assert 'id="template-form"' not in page


def test_who_did_not_agree_gets_no_template_and_the_page_says_so(client, provider, workspace, make):
    workspace.person(agreed=("sms",))
    provider.whatsapp("Hello", number=70)
    make(), (talk := age(workspace, 30))
    assert "This person has not agreed to WhatsApp messages" in client.get(f"{PAGE}/{talk}").text
    answer = client.post(f"{API}/{talk}/template", json={"template": "your_box", "parameters": {"day": "Friday"}})
    assert answer.status_code == 422
    assert "has not agreed" in answer.text
    assert sent(workspace) == []


def test_nobody_who_said_stop_or_cannot_be_reached_gets_one(client, provider, workspace, talk, make):
    make()
    with workspace.scope(workspace.tenant_id), unit_of_work():
        db.session.add(Suppression(channel="whatsapp", address=PERSON, reason="bad_number"))
    assert "WhatsApp cannot reach this number" in client.get(f"{PAGE}/{talk}").text
    body = {"template": "your_box", "parameters": {"day": "Friday"}}
    assert "cannot reach" in client.post(f"{API}/{talk}/template", json=body).text
    provider.whatsapp("STOP", number=71)
    age(workspace, 25)
    page = client.get(f"{PAGE}/{talk}").text
    assert "This person said STOP" in page
    assert 'id="template-form"' not in page
    assert "said STOP" in client.post(f"{API}/{talk}/template", json=body).text
    assert sent(workspace) == []


def test_a_program_sends_one_into_a_talk(client, workspace, talk, make):
    make()
    body = {"template": "your_box", "parameters": {"day": "Friday", "first_name": "Annie"}, "token": "token-0001"}
    answers = [client.post(f"{API}/{talk}/template", json=body) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    said = answers[0].get_json()
    assert (said["kind"], said["status"]) == ("reply", "pending")
    assert said["body"] == "Hello Annie, your box comes on Friday. Reply to change it."
    assert len(sent(workspace)) == 1
    assert client.get(f"{API}/{talk}").get_json()["entries"][-1]["body"] == said["body"]


def test_a_program_is_told_what_is_wrong(client, workspace, talk, make):
    make(), make("Waiting", approval="pending")
    url = f"{API}/{talk}/template"
    assert client.post(url, json={"template": "absent"}).status_code == 404
    for body, wrong in (
        ({"template": "your_box"}, "day"),
        ({"template": "your_box", "parameters": {"day": "x", "colour": "red"}}, "colour"),
        ({"template": "waiting", "parameters": {"day": "x"}}, "pending"),
        ({"template": "your_box", "parameters": {"day": "x"}, "token": "!"}, "token"),
    ):
        answer = client.post(url, json=body)
        assert answer.status_code == 400, body
        assert wrong in answer.text
    assert sent(workspace) == []


def test_an_sms_talk_takes_no_template(client, provider, workspace, make):
    workspace.person()
    provider.inbound("Hello", number=70)
    make()
    answer = client.post(f"{API}/{age(workspace, 30)}/template", json={"template": "your_box"})
    assert answer.status_code == 422
    assert "for WhatsApp only" in answer.text


def test_who_may_not_send_and_another_workspace_cannot(client_for, make_member, member, other_member, talk, make):
    box = make()
    analyst = client_for(make_member("analyst", member.tenant_id))
    assert 'id="template-form"' not in analyst.get(f"{PAGE}/{talk}").text
    stranger = client_for(other_member)
    for caller, status in ((analyst, 403), (stranger, 404)):
        data = {"csrf_token": csrf(caller), "token": "token-0001", "template": box, "do": "send"}
        assert caller.post(f"{PAGE}/{talk}/template", data=data).status_code == status
        assert caller.post(f"{API}/{talk}/template", json={"template": "your_box"}).status_code == status
