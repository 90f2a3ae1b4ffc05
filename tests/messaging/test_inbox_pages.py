"""The inbox as people use it, with and without scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Message, MessageThread
from tests.messaging.provider import PERSON, SENDER, installation, other_workspace, provider, sid, workspace

__all__ = ["installation", "other_workspace", "provider", "workspace"]
URL = "/app/inbox"


@pytest.fixture
def person(workspace) -> int:
    return workspace.person()


@pytest.fixture
def thread(provider, workspace, person) -> int:
    workspace.sent(workspace.campaign(), person)
    provider.inbound("Where is <b>my</b> order?", number=50)
    with workspace.scope(workspace.tenant_id):
        return db.session.scalars(select(MessageThread.id)).one()


def fields(page: str) -> dict[str, str]:
    """What the form to answer would send besides the text."""
    form = page[page.index("data-reply") :]
    return {name: re.search(f'name="{name}" value="([^"]+)"', form).group(1) for name in ("csrf_token", "token")}


def csrf(client) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/app/settings/you").text).group(1)


def replies(workspace) -> list[str]:
    with workspace.scope(workspace.tenant_id):
        return list(db.session.scalars(select(Message.body).where(Message.thread_id.is_not(None)).order_by(Message.id)))


def test_an_empty_inbox_says_what_will_stand_there(client):
    page = client.get(URL).text
    assert "Nobody has written yet" in page


def test_what_somebody_wrote_is_shown_as_text_and_never_as_markup(client, thread):
    for url in (URL, f"{URL}/{thread}"):
        page = client.get(url).text
        assert "Where is &lt;b&gt;my&lt;/b&gt; order?" in page
        assert "<b>my</b>" not in page


def test_unread_talks_are_counted_in_the_navigation_until_somebody_looks(client, thread):
    badge = re.compile(r'href="/app/inbox"[^>]*>.*?ply-count--wait[^>]*>1<', re.DOTALL)
    assert badge.search(client.get("/app").text)
    assert seen(client, thread).status_code == 303
    assert not badge.search(client.get("/app").text)


def seen(client, thread, **headers):
    """What the page says once it is shown."""
    return client.post(f"{URL}/{thread}/read", data={"csrf_token": csrf(client)}, headers=headers)


def test_fetching_a_talk_is_not_reading_it(client, workspace, thread):
    """Nor are its parts: a prefetch, a checker of links and a tab in the background leave it unread."""
    for part in ("", "/entries", "/composer", f"/earlier?before={utc_now():%Y-%m-%dT%H:%M}"):
        page = client.get(f"{URL}/{thread}{part}")
        assert page.status_code == 200
        assert workspace_unread(workspace, thread) == 1
        assert ("data-seen" in page.text) == (part != "/composer"), "the page says it by itself once it is shown"
    list_part = seen(client, thread, **{"HX-Request": "true"})
    assert 'id="talks"' in list_part.text
    assert 'data-waiting="0"' in list_part.text
    assert "data-unread" not in list_part.text
    assert workspace_unread(workspace, thread) == 0
    assert "data-seen" not in client.get(f"{URL}/{thread}").text


def workspace_unread(workspace, thread) -> int:
    with workspace.scope(workspace.tenant_id):
        return db.session.get_one(MessageThread, thread).unread


def test_who_may_only_look_leaves_a_talk_unread_for_the_others(client_for, make_member, member, thread, workspace):
    viewer = client_for(make_member("viewer", member.tenant_id))
    page = viewer.get(f"{URL}/{thread}").text
    assert "Your role may read here" in page
    assert "data-seen" not in page
    assert seen(viewer, thread).status_code == 403
    assert workspace_unread(workspace, thread) == 1


def test_an_answer_by_a_plain_form_leads_back_to_the_talk(client, workspace, thread):
    form = fields(client.get(f"{URL}/{thread}").text)
    answer = client.post(f"{URL}/{thread}/messages", data={**form, "body": "On its way"})
    assert answer.status_code == 303
    assert answer.location.startswith(f"{URL}/{thread}")
    assert replies(workspace) == ["On its way"]
    assert "On its way" in client.get(f"{URL}/{thread}").text


def test_the_same_form_sent_twice_sends_once(client, workspace, thread):
    form = fields(client.get(f"{URL}/{thread}").text)
    for _ in range(2):
        client.post(f"{URL}/{thread}/messages", data={**form, "body": "On its way"})
    assert replies(workspace) == ["On its way"]


def test_an_answer_by_script_brings_a_new_form_and_what_was_said(client, workspace, thread):
    form = fields(client.get(f"{URL}/{thread}").text)
    part = client.post(f"{URL}/{thread}/messages", data={**form, "body": "On its way"}, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert fields(part.text)["token"] != form["token"]
    assert "On its way" in part.text[part.text.index('id="entries"') :]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_refused_answer_keeps_what_was_typed_and_says_why(client, provider, workspace, thread, headers):
    form = fields(client.get(f"{URL}/{thread}").text)
    long = client.post(f"{URL}/{thread}/messages", data={**form, "body": "word " * 400}, headers=headers)
    assert long.status_code == 422
    assert "at most 1600" in long.text
    assert "word word" in long.text
    provider.inbound("STOP", number=51)
    stopped = client.post(f"{URL}/{thread}/messages", data={**form, "body": "So sorry"}, headers=headers)
    assert stopped.status_code == 422
    assert "said STOP" in stopped.text
    assert "So sorry" in stopped.text
    assert replies(workspace) == []


def test_after_a_stop_there_is_no_form_but_the_reason(client, provider, thread):
    provider.inbound("STOP", number=51)
    page = client.get(f"{URL}/{thread}").text
    assert "data-reply" not in page
    assert "This person said STOP" in page
    assert "Asked for no more messages" in page


def test_whatsapp_says_until_when_one_may_write_and_then_why_not(client, provider, workspace, person, in_tenant):
    workspace.sent(workspace.campaign(channel="whatsapp"), person, channel="whatsapp")
    provider.whatsapp("Hello", number=70)
    with in_tenant(workspace.tenant_id):
        thread = db.session.scalars(select(MessageThread.id)).one()
    assert "WhatsApp's window closes" in client.get(f"{URL}/{thread}").text
    with in_tenant(workspace.tenant_id), unit_of_work():
        db.session.get_one(MessageThread, thread).last_inbound_at = utc_now() - timedelta(hours=25)
    page = client.get(f"{URL}/{thread}").text
    assert "More than 24 hours have passed" in page
    assert "data-reply" not in page


def test_how_an_answer_fares_is_shown_in_words(client, provider, workspace, thread):
    from app.messaging.services import receipts

    form = fields(client.get(f"{URL}/{thread}").text)
    client.post(f"{URL}/{thread}/messages", data={**form, "body": "On its way"})
    with workspace.scope(workspace.tenant_id):
        sent = db.session.scalars(select(Message.id).where(Message.thread_id == thread)).one()
    provider.status(sid(90), "undelivered", message=sent, code=30007)
    with workspace.scope(workspace.tenant_id), unit_of_work():
        receipts.apply_batch()
    part = client.get(f"{URL}/{thread}/entries").text
    assert "Not delivered" in part
    assert "The carrier filtered the message out" in part


def test_a_talk_is_taken_closed_and_opened_again(client, member, thread, workspace):
    token = csrf(client)
    client.post(f"{URL}/{thread}/assign", data={"csrf_token": token, "user_id": str(member.id)})
    assert f'id="talk-{thread}"' in client.get(f"{URL}?view=mine").text
    client.post(f"{URL}/{thread}/close", data={"csrf_token": token})
    assert f'id="talk-{thread}"' not in client.get(URL).text
    assert f'id="talk-{thread}"' in client.get(f"{URL}?view=closed").text
    assert "Open again" in client.get(f"{URL}/{thread}").text
    client.post(f"{URL}/{thread}/reopen", data={"csrf_token": token})
    assert f'id="talk-{thread}"' in client.get(URL).text
    client.post(f"{URL}/{thread}/assign", data={"csrf_token": token, "user_id": ""})
    assert f'id="talk-{thread}"' in client.get(f"{URL}?view=unassigned").text


def test_a_search_that_finds_nothing_says_so(client, thread):
    assert "No talk here matches “zebra”" in client.get(f"{URL}?q=zebra").text


def test_a_long_talk_is_read_page_by_page_without_gap(client, provider, workspace, thread, in_tenant):
    from app.messaging.models import InboundMessage

    start = utc_now() - timedelta(hours=5)
    with in_tenant(workspace.tenant_id), unit_of_work():
        db.session.add_all(
            InboundMessage(
                thread_id=thread, channel="sms", address=PERSON, sender=SENDER, body=f"text {number}.",
                sid=sid(1000 + number), received_at=start + timedelta(minutes=number),
            )
            for number in range(130)
        )  # fmt: skip
    seen: list[str] = []
    url = f"{URL}/{thread}"
    for _ in range(5):
        page = client.get(url).text
        seen += re.findall(r"text \d+\.", page[page.index('id="entries"') :])
        link = re.search(r'href="([^"]+/earlier\?before=[^"]+)"', page)
        if link is None:
            break
        url = link.group(1).replace("&amp;", "&")
    assert sorted(set(seen), key=lambda one: int(one[5:-1])) == [f"text {number}." for number in range(130)]
    assert len(seen) == 130


def test_another_workspaces_talk_is_not_there(client_for, other_member, thread):
    stranger = client_for(other_member)
    token = csrf(stranger)
    for part in ("", "/entries", "/composer"):
        assert stranger.get(f"{URL}/{thread}{part}").status_code == 404
    for act in ("messages", "assign", "close", "reopen", "read"):
        data = {"csrf_token": token, "body": "Hi", "token": "token-0001", "user_id": ""}
        assert stranger.post(f"{URL}/{thread}/{act}", data=data).status_code == 404


def test_what_was_not_sent_says_for_which_reason(client, workspace, person, thread):
    workspace.message(None, person, thread_id=thread, state="skipped", reason="bad_number", body="Hello?")
    page = client.get(f"{URL}/{thread}").text
    assert "Not sent: number cannot be reached" in page
    assert "they said STOP" not in page


def test_a_page_that_has_everything_is_not_drawn_again(client, provider, thread):
    def part(address):
        return client.get(address.replace("&amp;", "&"), headers={"HX-Request": "true"})

    def address(page):
        return re.search(r'hx-get="([^"]+/entries[^"]+)"', page).group(1)

    known = address(client.get(f"{URL}/{thread}").text)
    assert part(known).status_code == 204
    provider.inbound("Are you there?", number=51)
    drawn = part(known)
    assert drawn.status_code == 200
    assert "Are you there?" in drawn.text
    assert part(address(drawn.text)).status_code == 204
