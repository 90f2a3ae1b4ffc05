"""What messages hold of a person: handed out whole, and gone when they are erased, but for counts and a no."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

NUMBER = "+14155551234"
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def campaign(member, in_tenant):
    """A campaign; its id."""
    from app.cdp.models import Segment
    from app.core.db import db, unit_of_work
    from app.messaging.models import Campaign

    with in_tenant(member.tenant_id), unit_of_work():
        segment = Segment(name="All", conditions={})
        db.session.add(segment)
        db.session.flush()
        row = Campaign(name="Spring", segment_id=segment.id, state="running")
        db.session.add(row)
        db.session.flush()
        return row.id


@pytest.fixture
def ada(client, campaign, member, in_tenant):
    """Somebody with a message delivered, one waiting, a talk, an answer and a click; her id."""
    from app.core.db import db, unit_of_work
    from app.messaging.models import InboundMessage, LinkClick, Message, MessageThread, TrackedLink
    from app.messaging.services import tallies
    from app.messaging.services.tallies import Shift

    body = {"phone_e164": NUMBER, "consent_state": "OPT_IN", "attributes": {"name": "Ada"}}
    assert client.post("/messaging/api/v1/users", json=body).status_code == 201
    profile_id = client.get("/api/v1/cdp/profiles?q=ada").get_json()["items"][0]["id"]
    of_her = {"profile_id": profile_id, "channel": "sms", "address": NUMBER}
    with in_tenant(member.tenant_id), unit_of_work():
        thread = MessageThread(**of_her, sender="+1500", preview="Hello yourself", unread=1)
        link = TrackedLink(campaign_id=campaign, position=0, url="https://example.com")
        db.session.add_all([thread, link])
        db.session.flush()
        waiting = Message(**of_her, campaign_id=campaign, state="pending")
        reply = Message(**of_her, thread_id=thread.id, state="delivered", body="Hello Ada", sid="SM1", sent_at=WHEN)
        db.session.add_all([waiting, reply])
        db.session.add(InboundMessage(**of_her, thread_id=thread.id, sender="+1500", body="Hello yourself", sid="SM2"))
        db.session.flush()
        db.session.add(LinkClick(link_id=link.id, message_id=waiting.id, campaign_id=campaign))
        tallies.shift([Shift(campaign, 0, None, "", "pending")])
    return profile_id


def everything(in_tenant, member):
    """All rows of messages, as one text."""
    from sqlalchemy import select

    from app.core.db import db
    from app.messaging import models

    def in_order(table):
        return select(table).order_by(*table.primary_key.columns)

    kept = (models.Message, models.InboundMessage, models.MessageThread, models.LinkClick, models.Suppression)
    with in_tenant(member.tenant_id):
        return {
            model.__tablename__: [dict(row) for row in db.session.execute(in_order(model.__table__)).mappings()]
            for model in kept
        }


def test_everything_kept_of_a_person_is_handed_out(ada, in_tenant, member):
    from app.messaging import personal_data

    with in_tenant(member.tenant_id):
        found = personal_data.export(ada)
    assert [(row["state"], row["body"]) for row in found["messages"]] == [("pending", None), ("delivered", "Hello Ada")]
    assert [row["body"] for row in found["messages_received"]] == ["Hello yourself"]
    assert [row["address"] for row in found["message_threads"]] == [NUMBER]
    assert len(found["link_clicks"]) == 1


def test_the_profiles_own_export_holds_the_messages(client, ada):
    answer = client.get(f"/app/profiles/{ada}/export.json")
    assert [one["body"] for one in answer.get_json()["messages_received"]] == ["Hello yourself"]
    assert "Hello Ada" in [one["body"] for one in answer.get_json()["messages"]]


def test_an_erased_persons_numbers_and_texts_are_gone_and_figures_stay(client, ada, campaign, in_tenant, member):
    from app.messaging.services import tallies

    assert client.delete(f"/api/v1/cdp/profiles/{ada}").status_code == 204
    left = everything(in_tenant, member)
    assert NUMBER not in str(left)
    assert "Hello" not in str(left)
    assert [(row["state"], row["reason"], row["profile_id"]) for row in left["messages"]] == [
        ("skipped", "gone", None), ("delivered", "", None),
    ]  # fmt: skip
    assert len(left["inbound_messages"]) == 1
    with in_tenant(member.tenant_id):
        assert tallies.by_state(campaign) == {"skipped": 1}
        assert tallies.recount(campaign) == {(0, "skipped", "gone"): 1}


def test_a_no_outlives_the_person_by_the_number_alone(client, ada, in_tenant, member):
    client.put("/messaging/api/v1/users/14155551234", json={"consent_state": "OPT_OUT"})
    assert client.delete("/messaging/api/v1/users/14155551234").status_code == 200
    left = everything(in_tenant, member)
    assert [(row["channel"], row["address"], row["reason"]) for row in left["message_suppressions"]] == [
        ("sms", NUMBER, "stop")
    ]
    assert NUMBER not in str({name: rows for name, rows in left.items() if name != "message_suppressions"})


def test_erasing_twice_changes_nothing_more(client, ada, in_tenant, member):
    from app.core.db import unit_of_work
    from app.messaging import personal_data

    with in_tenant(member.tenant_id):
        for _ in range(2):
            with unit_of_work():
                personal_data.erase(ada)
        assert personal_data.export(ada)["messages"] == []
    assert NUMBER not in str(everything(in_tenant, member))


def test_two_talks_of_erased_people_with_one_sender_do_not_clash(client, ada, in_tenant, member):
    from app.core.db import db, unit_of_work
    from app.messaging.models import MessageThread

    body = {"phone_e164": "+14155559999", "attributes": {"name": "Bob"}}
    client.post("/messaging/api/v1/users", json=body)
    bob = client.get("/api/v1/cdp/profiles?q=bob").get_json()["items"][0]["id"]
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.add(MessageThread(profile_id=bob, channel="sms", address="+14155559999", sender="+1500"))
    for number in ("14155551234", "14155559999"):
        assert client.delete(f"/messaging/api/v1/users/{number}").status_code == 200
    threads = everything(in_tenant, member)["message_threads"]
    assert [row["profile_id"] for row in threads] == [None, None]
    assert "+1415" not in str(threads)


def test_a_merged_persons_messages_go_with_them(client, ada, in_tenant, member):
    from app.core.db import db, unit_of_work
    from app.messaging.models import Message

    body = {"phone_e164": "+14155559999", "attributes": {"name": "Bob"}}
    client.post("/messaging/api/v1/users", json=body)
    bob = client.get("/api/v1/cdp/profiles?q=bob").get_json()["items"][0]["id"]
    with in_tenant(member.tenant_id), unit_of_work():
        row = {"profile_id": bob, "channel": "sms", "address": "+14155559999", "state": "sent", "body": "Hi Bob"}
        db.session.add(Message(**row, sid="SM9", sent_at=WHEN))
    assert client.post(f"/api/v1/cdp/profiles/{ada}/merge", json={"profile_id": bob}).status_code == 201
    assert client.delete(f"/api/v1/cdp/profiles/{ada}").status_code == 204
    left = everything(in_tenant, member)
    assert "Hi Bob" not in str(left)
    assert "+14155559999" not in str(left["messages"])


def test_another_workspaces_person_is_not_there(ada, other_member, in_tenant):
    from app.core.errors import NotFound
    from app.messaging import personal_data

    with in_tenant(other_member.tenant_id), pytest.raises(NotFound):
        personal_data.export(ada)
