"""Events in by the API: one, many, bad ones, again, by keys and by strangers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

URL = "/api/v1/cdp/events"


def at(**delta):
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


def test_an_event_makes_a_profile_and_the_next_one_finds_it(people):
    first = people.client.post(URL, json={"event_name": "page", "user_id": "u1", "properties": {"a": 1}})
    assert first.status_code == 201, first.text
    again = people.client.post(URL, json={"event_name": "page", "user_id": " u1 "})
    assert again.get_json()["profile_id"] == first.get_json()["profile_id"]
    assert again.get_json()["event_id"] != first.get_json()["event_id"]


def test_the_same_message_is_taken_once_alone_and_within_a_batch(people):
    event = {"event_name": "purchase", "user_id": "u1", "message_id": "m1"}
    first, second = (people.client.post(URL, json=event).get_json() for _ in range(2))
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["event_id"] == second["event_id"]
    found = people.batch(event, event | {"message_id": "m2"}, event | {"message_id": "m2", "user_id": "u9"})
    assert (found["accepted"], found["duplicates"]) == (1, 2)
    assert people.find("u9") == []


def test_a_batch_keeps_the_good_rows_and_names_the_bad_ones(people):
    found = people.batch(
        {"event_name": "good", "user_id": "u1"},
        {"event_name": "page"},
        {"event_name": "good", "user_id": "u2"},
        {"user_id": "u3"},
        "nonsense",
    )
    assert (found["accepted"], found["rejected"]) == (2, 3)
    assert [(one["index"], one["field"]) for one in found["errors"]] == [(1, "identity"), (3, "event_name"), (4, "")]
    assert len(people.everyone()) == 2


BAD = [
    ({"user_id": None}, "identity"),
    ({"user_id": "null"}, "identity"),
    ({"user_id": "x" * 201}, "user_id"),
    ({"user_id": "a\u0000b"}, "user_id"),
    ({"user_id": ["u"]}, "user_id"),
    ({"email": "nobody"}, "email"),
    ({"phone": "12"}, "phone"),
    ({"external_ids": {"C R M": "1"}}, "external_ids"),
    ({"external_ids": []}, "external_ids"),
    ({"event_name": " "}, "event_name"),
    ({"event_name": "$set"}, "event_name"),
    ({"event_name": "x" * 201}, "event_name"),
    ({"event_name": "a\nb"}, "event_name"),
    ({"timestamp": "yesterday"}, "timestamp"),
    ({"timestamp": "1999-12-31T23:59:59Z"}, "timestamp"),
    ({"timestamp": at(hours=3)}, "timestamp"),
    ({"timestamp": "9999-12-31T23:59:59-12:00"}, "timestamp"),
    ({"timestamp": 5}, "timestamp"),
    ({"properties": {"a": "x" * 33_000}}, "properties"),
    ({"properties": {f"k{n}": 1 for n in range(201)}}, "properties"),
    ({"properties": deep(6)}, "properties"),
    ({"properties": {"k" * 101: 1}}, "properties"),
    ({"properties": {"$ip": 1}}, "properties"),
    ({"properties": {"": 1}}, "properties"),
    ({"properties": {"a\u0007": 1}}, "properties"),
    ({"properties": {"a": "\u0000"}}, "properties"),
    ({"properties": {"a": "\ud800"}}, "properties"),
    ({"properties": {"a": [10**30]}}, "properties"),
    ({"traits": {"$x": 1}}, "traits"),
    ({"context": 3}, "context"),
    ({"message_id": "m" * 101}, "message_id"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[f"{number}-{field}" for number, (_, field) in enumerate(BAD)])
def test_an_event_that_cannot_be_kept_is_refused_with_its_field(people, change, field):
    found = people.batch({"event_name": "page", "user_id": "u1"} | change, {"event_name": "ok", "user_id": "u2"})
    assert (found["accepted"], found["rejected"]) == (1, 1)
    assert found["errors"][0]["field"] == field
    assert people.client.post(URL, json={"event_name": "page", "user_id": "u1"} | change).status_code == 422


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": "x"}, {"events": [1] * 1001}])
def test_a_batch_that_is_no_batch_is_refused(people, body):
    assert people.client.post(f"{URL}/batch", json=body).status_code == 422


def test_broken_json_and_other_forms_are_refused(people):
    assert people.client.post(f"{URL}/batch", data="{", content_type="application/json").status_code == 400
    assert (
        people.client.post(f"{URL}/batch", data='{"events": [NaN]}', content_type="application/json").status_code == 400
    )
    assert people.client.post(URL, data="a=1").status_code == 415
    assert people.client.post(URL, data=b"x" * 3_000_000, content_type="application/json").status_code == 413


def test_a_senders_wrong_clock_is_set_right(people):
    profile_id = people.send("late", user_id="u1", timestamp=at(hours=-5), sent_at=at(hours=-5, minutes=1))
    seen = people.get(f"/profiles/{profile_id}/events")["items"][0]["timestamp"]
    assert abs(datetime.fromisoformat(seen) - datetime.now(UTC)) < timedelta(minutes=2)
    ahead = people.send("ahead", user_id="u2", timestamp=at(days=3), sent_at=at(days=3))
    seen = people.get(f"/profiles/{ahead}/events")["items"][0]["timestamp"]
    assert abs(datetime.fromisoformat(seen) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_batch_takes_the_same_number_of_statements_whatever_its_size(app, people):
    from sqlalchemy import event as listen
    from sqlalchemy.engine import Engine

    counts = []

    def count(*_):
        counts[-1] += 1

    def batch(size, offset):
        counts.append(0)
        rows = [
            {
                "event_name": "page",
                "user_id": f"u{n + offset}",
                "email": f"{n + offset}@mail.org",
                "message_id": f"{n + offset}",
            }
            for n in range(size)
        ]
        people.batch(*rows)

    batch(5, 0)
    listen.listen(Engine, "before_cursor_execute", count)
    try:
        batch(10, 100)
        batch(400, 1000)
        batch(400, 1200)
    finally:
        listen.remove(Engine, "before_cursor_execute", count)
    assert max(counts[1:]) - min(counts[1:]) <= 4


def key(client, *scopes):
    """An API key's headers."""
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with unit_of_work():
        _row, text = api_keys.create("sender", list(scopes), created_by=None, expires_at=None)
    return {"Authorization": f"Bearer {text}"}


def test_a_key_for_events_may_send_and_nothing_else(anonymous, member, in_tenant):
    with in_tenant(member.tenant_id):
        sender, reader = key(None, "events"), key(None, "read")
    event = {"event_name": "page", "user_id": "u1"}
    assert anonymous.post(URL, json=event, headers=sender).status_code == 201
    assert anonymous.post(f"{URL}/batch", json={"events": [event]}, headers=sender).status_code == 200
    assert anonymous.get("/api/v1/cdp/profiles", headers=sender).status_code == 403
    assert anonymous.post(URL, json=event, headers=reader).status_code == 403
    assert anonymous.get("/api/v1/cdp/profiles", headers=reader).status_code == 200
    assert anonymous.post(URL, json=event).status_code == 401


def test_the_same_identity_is_another_person_in_another_workspace(people, client_for, other_member):
    mine = people.send(user_id="u1", message_id="m1")
    stranger = type(people)(client_for(other_member))
    theirs = stranger.send(user_id="u1", message_id="m1")
    assert mine != theirs
    assert stranger.find("u1") == [theirs]
    assert stranger.client.get(f"/api/v1/cdp/profiles/{mine}").status_code == 404
