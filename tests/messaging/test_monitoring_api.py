"""Monitoring by the API: the last 24 hours in the contract's shape, and what people wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import DeliveryCount, InboundMessage, Message, MessageState
from tests.messaging.answers import Answers
from tests.messaging.campaign import House

BASE = "/messaging/api/v1/monitoring"


@pytest.fixture
def day(run_jobs, acting):
    """20 people, 3 of whom said no. A running campaign: 6 delivered, 1 undelivered, 1 refused; 2 wrote, 1 said STOP."""
    with acting():
        house = House(run_jobs)
        answers = Answers(house, house.campaign(house.segment()))
        answers.began(0.1, completed=False)
        people, variant = house.people(17), answers.variants()[0]
        house.people(3, state="denied")
        now = utc_now()
        sent = answers.messages(people[:6], variant, took=90, at=now)
        answers.messages(people[6:7], variant, state=MessageState.UNDELIVERED, reason="bad_number", code=30005, at=now)
        answers.messages(people[7:8], variant, state=MessageState.FAILED, reason="bad_number", code=21211, at=now)
        answers.answer(sent[:2])
        answers.answer(sent[:1], kind="stop")
        return answers


def get(client, path, **asked):
    answer = client.get(f"{BASE}{path}", query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_dashboard_is_what_the_contract_shows(client, day):
    found = get(client, "/dashboard")
    uptime = found["performance_metrics"].pop("system_uptime_hours")
    errors = found.pop("recent_errors")
    assert found == {
        "system_health": {"active_campaigns": 1, "total_users": 20, "opted_in_users": 17, "opted_out_users": 3},
        "activity_24h": {
            "messages_sent": 8, "messages_delivered": 6, "inbound_messages": 3, "delivery_rate": 75.0,
        },
        "performance_metrics": {"average_delivery_time_minutes": 1.5, "error_rate_percent": 25.0},
    }  # fmt: skip
    assert 0 <= uptime < 24
    assert {(one["error_code"], one["message"], one["count"]) for one in errors} == {
        (21211, "This is not a valid phone number.", 1),
        (30005, "This number is unknown or no longer in use.", 1),
    }


def test_what_happened_before_the_last_24_hours_is_not_in_it(client, day, acting):
    with acting(), unit_of_work():
        earlier = utc_now() - timedelta(hours=25)
        db.session.execute(update(DeliveryCount).values(at=earlier))
        db.session.execute(update(InboundMessage).values(received_at=earlier))
        db.session.execute(update(Message).values(ended_at=earlier))
    found = get(client, "/dashboard")
    assert set(found["activity_24h"].values()) == {0}
    assert found["recent_errors"] == []


def test_an_empty_workspace_has_a_dashboard_of_nothing(client):
    found = get(client, "/dashboard")
    assert set(found["system_health"].values()) == {0}
    assert found["performance_metrics"]["average_delivery_time_minutes"] is None


def test_what_people_wrote_is_what_the_contract_shows_the_newest_first(client, day):
    found = get(client, "/inbound")
    assert found["summary"] == {
        "total_inbound_24h": 3, "unique_senders": 2, "average_per_hour": 0.12, "stop_commands": 1,
    }  # fmt: skip
    times = [one["received_at"] for one in found["inbound_events"]]
    assert times == sorted(times, reverse=True)
    newest = found["inbound_events"][0]
    assert {"id", "from_phone", "to_phone", "body", "received_at", "message_sid"} <= set(newest)
    assert (newest["kind"], newest["to_phone"]) == ("stop", "+15005550006")


def test_hours_and_limit_narrow_what_people_wrote(client, day, acting):
    with acting(), unit_of_work():
        old = update(InboundMessage).where(InboundMessage.kind == "stop")
        db.session.execute(old.values(received_at=utc_now() - timedelta(hours=5)))
    found = get(client, "/inbound", hours=4, limit=1)
    assert len(found["inbound_events"]) == 1
    assert found["summary"] == {
        "total_inbound_24h": 3, "unique_senders": 2, "average_per_hour": 0.5, "stop_commands": 0,
    }  # fmt: skip


@pytest.mark.parametrize("asked", [{"hours": 0}, {"hours": "many"}, {"limit": 501}, {"limit": -1}])
def test_what_cannot_be_asked_is_refused_by_its_field(client, asked):
    answer = client.get(f"{BASE}/inbound", query_string=asked)
    assert (answer.status_code, answer.json["error"]) == (400, "validation_error")
    assert answer.json["field"] in asked


def test_another_workspace_sees_none_of_it(client_for, other_member, day):
    stranger = client_for(other_member)
    found = get(stranger, "/dashboard")
    assert {*found["system_health"].values(), *found["activity_24h"].values()} == {0}
    assert get(stranger, "/inbound")["inbound_events"] == []


def test_the_number_of_statements_does_not_grow_with_what_there_is(client, day, acting):
    def statements(engine) -> int:
        seen: list[str] = []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        get(client, "/dashboard")
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    with acting():
        engine = db.engine
    get(client, "/dashboard")
    few = statements(engine)
    with acting():
        day.messages(day.house.people(40), day.variants()[0], state=MessageState.FAILED, reason="invalid", code=21617)
    assert statements(engine) == few
