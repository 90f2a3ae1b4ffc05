"""Talks by the API: listed, read, answered, taken, closed, and seen by their own workspace only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Message, MessageState, MessageThread, Skip
from tests.messaging.provider import PERSON, SENDER, installation, other_workspace, provider, sid, workspace

__all__ = ["installation", "other_workspace", "provider", "workspace"]
URL = "/messaging/api/v1/threads"
TOKEN = "token-0001"


@pytest.fixture
def person(workspace) -> int:
    return workspace.person()


@pytest.fixture
def thread(provider, workspace, person, client) -> int:
    """A talk that begins with a text."""
    workspace.sent(workspace.campaign(), person)
    provider.inbound("Where is my order?", number=50)
    return client.get(URL).get_json()["threads"][0]["id"]


def replies(workspace) -> list[Message]:
    with workspace.scope(workspace.tenant_id):
        return list(db.session.scalars(select(Message).where(Message.thread_id.is_not(None))))


def test_a_talk_is_listed_with_whose_it_is_and_what_is_unread(client, thread, person):
    answer = client.get(URL).get_json()
    one = answer["threads"][0]
    assert (one["title"], one["phone"], one["sender"], one["profile_id"]) == ("Ann Lee", PERSON, SENDER, person)
    assert (one["channel"], one["state"], one["unread"], one["preview"]) == ("sms", "open", 1, "Where is my order?")
    assert (answer["unread"], answer["next"]) == (1, None)


def test_a_talk_shows_what_was_said_with_the_campaign_before_it(client, thread):
    said = client.get(f"{URL}/{thread}").get_json()["entries"]
    assert [(one["direction"], one["kind"], one["body"]) for one in said] == [
        ("out", "campaign", ""),
        ("in", "text", "Where is my order?"),
    ]
    assert said[0]["campaign_name"] == "Spring"


def test_looking_by_the_api_leaves_it_unread_until_it_is_marked(client, thread):
    client.get(f"{URL}/{thread}")
    assert client.get(URL).get_json()["unread"] == 1
    assert client.post(f"{URL}/{thread}/read").get_json()["unread"] == 0
    assert client.get(URL).get_json()["unread"] == 0


def test_an_answer_is_a_message_on_its_way_and_takes_the_talk(client, workspace, thread, member, person):
    answer = client.post(f"{URL}/{thread}/messages", json={"body": " It is on its way. ", "token": TOKEN})
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["status"] == "pending"
    row = replies(workspace)[0]
    assert (row.body, row.address, row.sender, row.profile_id) == ("It is on its way.", PERSON, SENDER, person)
    assert (row.campaign_id, row.state, row.segments) == (None, MessageState.PENDING, 1)
    shown = client.get(f"{URL}/{thread}").get_json()
    assert (shown["assigned_to"], shown["unread"], shown["preview"]) == (member.id, 0, "You: It is on its way.")


def test_an_answer_sent_twice_is_one(client, workspace, thread):
    bodies = [client.post(f"{URL}/{thread}/messages", json={"body": "Hi", "token": TOKEN}).get_json() for _ in range(3)]
    assert len({one["id"] for one in bodies}) == 1
    assert len(replies(workspace)) == 1


def test_nobody_answers_who_said_stop(client, provider, workspace, thread):
    provider.inbound("STOP", number=51)
    answer = client.post(f"{URL}/{thread}/messages", json={"body": "Sorry!"})
    assert answer.status_code == 422
    assert "said STOP" in answer.get_json()["message"]
    assert replies(workspace) == []
    assert "said STOP" in client.get(f"{URL}/{thread}").get_json()["refusal"]


def test_a_stop_stands_when_the_person_turns_out_to_be_another(client, provider, workspace, thread, person):
    provider.inbound("STOP", number=51)
    other = client.post("/api/v1/cdp/events", json={"event_name": "page", "user_id": "ann"}).get_json()["profile_id"]
    merged = client.post(f"/api/v1/cdp/profiles/{other}/merge", json={"profile_id": person})
    assert merged.status_code == 201, merged.text
    assert client.post(f"{URL}/{thread}/messages", json={"body": "Sorry!"}).status_code == 422


def test_a_stop_takes_back_an_answer_that_has_not_left(client, provider, workspace, thread):
    client.post(f"{URL}/{thread}/messages", json={"body": "Hi"})
    provider.inbound("STOP", number=51)
    assert (replies(workspace)[0].state, replies(workspace)[0].reason) == (MessageState.SKIPPED, Skip.STOP)


def test_who_never_agreed_to_campaigns_may_be_answered_when_they_write(client, provider, workspace):
    stranger = workspace.person(agreed=())
    workspace.sent(workspace.campaign(), stranger)
    provider.inbound("A question", number=60)
    thread = client.get(URL).get_json()["threads"][0]["id"]
    assert client.post(f"{URL}/{thread}/messages", json={"body": "An answer"}).status_code == 201


def test_whatsapp_takes_a_free_text_for_a_day_after_they_wrote_only(client, provider, workspace, person, in_tenant):
    workspace.sent(workspace.campaign(channel="whatsapp"), person, channel="whatsapp")
    provider.whatsapp("Hello", number=70)
    shown = client.get(f"{URL}/{client.get(URL).get_json()['threads'][0]['id']}").get_json()
    assert shown["window_ends_at"] > shown["last_inbound_at"]
    assert client.post(f"{URL}/{shown['id']}/messages", json={"body": "Hi"}).status_code == 201
    with in_tenant(workspace.tenant_id), unit_of_work():
        row = db.session.get_one(MessageThread, shown["id"])
        row.last_inbound_at = utc_now() - timedelta(hours=24, seconds=1)
    late = client.post(f"{URL}/{shown['id']}/messages", json={"body": "Hi"})
    assert late.status_code == 422
    assert "24 hours" in late.get_json()["message"]


@pytest.mark.parametrize(
    "body", [{"body": "  "}, {"body": "x" * 1601}, {}, {"body": "Hi", "token": "short"}, {"body": 5}]
)
def test_an_answer_that_cannot_be_sent_names_the_field(client, thread, body):
    answer = client.post(f"{URL}/{thread}/messages", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["field"] in ("body", "token")


def test_a_talk_is_taken_given_away_closed_and_opened_again(client, thread, member, make_member, other_member):
    colleague = make_member("manager", member.tenant_id)
    assert (
        client.post(f"{URL}/{thread}/assign", json={"user_id": colleague.id}).get_json()["assigned_to"] == colleague.id
    )
    assert client.post(f"{URL}/{thread}/assign", json={"user_id": other_member.id}).status_code == 400
    assert client.post(f"{URL}/{thread}/assign", json={"user_id": None}).get_json()["assigned_to"] is None
    assert client.post(f"{URL}/{thread}/close").get_json()["state"] == "closed"
    assert client.get(URL).get_json()["threads"] == []
    assert client.post(f"{URL}/{thread}/reopen").get_json()["state"] == "open"


def test_the_views_show_what_they_say(client, thread, member):
    def count(view):
        return len(client.get(f"{URL}?state={view}").get_json()["threads"])

    assert [count(view) for view in ("open", "mine", "unassigned", "closed", "all")] == [1, 0, 1, 0, 1]
    client.post(f"{URL}/{thread}/assign", json={"user_id": member.id})
    assert [count(view) for view in ("open", "mine", "unassigned", "closed", "all")] == [1, 1, 0, 0, 1]
    client.post(f"{URL}/{thread}/close")
    assert [count(view) for view in ("open", "mine", "unassigned", "closed", "all")] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("q", "count"), [("ann", 1), ("Lee", 1), ("5551234", 1), ("order", 1), ("ORDER?", 1), ("zoe", 0), ("%", 0)]
)
def test_a_talk_is_found_by_name_number_or_a_word(client, thread, q, count):
    assert len(client.get(URL, query_string={"q": q}).get_json()["threads"]) == count


def test_the_list_is_turned_over_without_gap_or_repeat(client, workspace, in_tenant):
    now = utc_now()
    with in_tenant(workspace.tenant_id), unit_of_work():
        for number in range(7):
            db.session.add(
                MessageThread(channel="sms", address=f"+1415555000{number}", sender=SENDER, last_at=now)  # all at once
            )
    seen, before = [], ""
    while True:
        page = client.get(URL, query_string={"limit": 3, "before": before}).get_json()
        seen += [one["id"] for one in page["threads"]]
        before = page["next"]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7
    assert client.get(f"{URL}?before=nonsense").status_code == 400


@pytest.mark.parametrize("before", ["yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01"])
def test_a_time_nobody_could_count_by_is_refused(client, thread, before):
    assert client.get(f"{URL}/{thread}", query_string={"before": before}).status_code == 400
    assert client.get(f"/app/inbox/{thread}/earlier", query_string={"before": before}).status_code == 422
    assert client.get(URL, query_string={"before": f"{before}~1"}).status_code == 400


def test_a_talk_belongs_to_its_workspace(client_for, other_member, thread):
    stranger = client_for(other_member)
    assert stranger.get(URL).get_json()["threads"] == []
    assert stranger.get(f"{URL}/{thread}").status_code == 404
    for act, body in (
        ("read", {}),
        ("messages", {"body": "Hi"}),
        ("assign", {"user_id": None}),
        ("close", {}),
        ("reopen", {}),
    ):
        assert stranger.post(f"{URL}/{thread}/{act}", json=body).status_code == 404, act


def test_who_may_only_read_neither_answers_nor_closes(client_for, make_member, member, thread):
    viewer, analyst = (client_for(make_member(role, member.tenant_id)) for role in ("viewer", "analyst"))
    assert viewer.get(f"{URL}/{thread}").status_code == 200
    assert viewer.post(f"{URL}/{thread}/close").status_code == 403
    assert analyst.post(f"{URL}/{thread}/messages", json={"body": "Hi"}).status_code == 403
    assert analyst.post(f"{URL}/{thread}/close").status_code == 200


def test_an_answer_leaves_once_and_its_report_is_shown(client, provider, workspace, thread, run_jobs):
    client.post(f"{URL}/{thread}/messages", json={"body": "Hi"})
    sent = replies(workspace)[0].id
    provider.status(sid(90), "delivered", message=sent)
    with workspace.scope(workspace.tenant_id), unit_of_work():
        from app.messaging.services import receipts

        receipts.apply_batch()
    said = client.get(f"{URL}/{thread}").get_json()["entries"]
    assert (said[-1]["kind"], said[-1]["status"]) == ("reply", "delivered")


def test_a_talk_that_a_program_answers_is_nobodys(client, anonymous, thread):
    made = client.post("/api/v1/api-keys", json={"name": "Desk", "scopes": ["messaging"]}).get_json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    body = {"body": "It is on its way.", "token": TOKEN}
    assert anonymous.post(f"{URL}/{thread}/messages", json=body, headers=headers).status_code == 201
    assert client.get(f"{URL}/{thread}").get_json()["assigned_to"] is None
