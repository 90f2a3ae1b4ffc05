"""What a workspace has set counts from the next event on, read at a cost that one event can bear."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import event as listen
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

EVENTS = "/api/v1/cdp/events"
MOST_STATEMENTS = 14  # BEGIN among them


@pytest.fixture
def statements():
    """What the database is asked, from here on."""
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    listen.listen(Engine, "before_cursor_execute", note)
    yield asked
    listen.remove(Engine, "before_cursor_execute", note)


def test_one_event_of_a_known_person_asks_the_database_few_things(people, statements):
    people.send(user_id="u1", message_id="m1", properties={"a": 1})
    statements.clear()
    people.send(user_id="u1", message_id="m2", properties={"a": 1})
    assert 0 < len(statements) <= MOST_STATEMENTS, "\n".join(statements)


def test_rules_are_refused_without_a_workspace(app):
    from app.cdp.services import identity_rules, ingestion_rules
    from app.core.tenancy import TenantNotBound, platform_scope

    for load in (identity_rules.load_rules, ingestion_rules.load):
        with app.app_context(), pytest.raises(TenantNotBound):
            load()
        with app.app_context(), platform_scope(), pytest.raises(TenantNotBound):
            load()


def test_a_value_that_was_blocked_is_nobody_from_the_next_event_on(people):
    people.send(user_id="walk-in")
    put = people.client.put("/api/v1/cdp/identity-rules", json={"blocked": {"user_id": ["walk-in"]}})
    assert put.status_code == 200, put.text
    refused = people.client.post(EVENTS, json={"event_name": "page", "user_id": "walk-in"})
    assert refused.status_code == 422
    assert people.client.post(EVENTS, json={"event_name": "page", "user_id": "u2"}).status_code == 201


def test_rules_of_one_workspace_leave_another_alone(people, client_for, other_member):
    stranger = type(people)(client_for(other_member))
    people.client.put("/api/v1/cdp/identity-rules", json={"blocked": {"user_id": ["walk-in"]}})
    stranger.send(user_id="walk-in")
    assert stranger.find("walk-in") != []


def test_events_of_one_batch_are_counted_on_the_days_of_the_workspaces_zone(people, member, in_tenant):
    from app.accounts.models import Tenant
    from app.cdp.models import ProfileEvent
    from app.core.db import db, unit_of_work

    def day_of(message_id):
        with in_tenant(member.tenant_id):
            return db.session.scalar(select(ProfileEvent.day).where(ProfileEvent.message_id == message_id))

    late = {"event_name": "page", "user_id": "u1", "timestamp": "2026-03-01T23:30:00Z"}
    people.batch(late | {"message_id": "in-utc"})
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.execute(update(Tenant).where(Tenant.id == member.tenant_id).values(timezone="Asia/Tokyo"))
    people.batch(late | {"message_id": "in-tokyo"})
    assert day_of("in-tokyo") == day_of("in-utc") + 1


def test_properties_come_back_as_they_were_sent(people):
    sent = {
        "Größe": "süß ✓",
        "empty": {},
        "list": [1, 2.5, None, True, {"a": []}],
        "with space": "'; --",
        "n": -7,
    }
    profile_id = people.send(user_id="u1", properties=sent, context={"page": {"path": '/a?b="c"'}})
    people.batch({"event_name": "again", "user_id": "u1", "properties": sent})
    for one in people.get(f"/profiles/{profile_id}/events")["items"]:
        assert json.loads(json.dumps(one["properties"])) == sent


@pytest.mark.parametrize("number", [2**63, -(2**63), 1e300])
def test_a_number_no_database_counts_with_is_refused(people, number):
    found = people.batch({"event_name": "page", "user_id": "u1", "properties": {"n": number}})
    assert found["errors"] == [{"index": 0, "field": "properties", "message": "has a number too large to be kept"}]
    kept = people.batch({"event_name": "page", "user_id": "u1", "properties": {"n": 2**63 - 1}})
    assert kept["accepted"] == 1


def test_people_who_come_with_many_identities_at_once_stay_within_the_limits(people):
    """Counted across what is there and what is new, in one batch as in many."""
    mails = [{"event_name": "page", "user_id": "u1", "email": f"m{n}@mail.org"} for n in range(8)]
    people.batch(*mails[:3])
    people.batch(*mails[3:])
    [one] = people.find("u1")
    kinds = [identity["kind"] for identity in people.profile(one)["identities"]]
    assert (kinds.count("user_id"), kinds.count("email")) == (1, 5)
