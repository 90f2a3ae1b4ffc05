"""Reports by the API: the contract's shapes, figures that add up, pages that do not overlap, nobody else's rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Message, MessageState, Skip
from app.messaging.queries import message_log
from app.messaging.services import campaigns, delivery_reference
from tests.messaging.answers import Answers
from tests.messaging.campaign import House

BASE = "/messaging/api/v1/reporting"
STATUS = f"{BASE}/messages/status"
CONTRACT = {
    "performance_metrics": {"messages_sent", "messages_delivered", "messages_failed", "delivery_rate",
                            "average_delivery_time_minutes"},
    "execution_timeline": {"started_at", "completed_at", "duration_minutes"},
}  # fmt: skip
ROW = {"id", "recipient_phone", "campaign_name", "status", "sent_at", "delivered_at", "delivery_time_seconds",
       "error_code"}  # fmt: skip


@pytest.fixture
def spring(run_jobs, acting):
    """A campaign that ended yesterday: 5 delivered, 2 read, 1 undelivered, 1 refused, 1 on the way, 3 skipped."""
    with acting():
        return _spring(House(run_jobs))


def _spring(house):
    answers = Answers(house, house.campaign(house.segment()))
    answers.began(1)
    people, variant = house.people(13), answers.variants()[0]
    answers.messages(people[:5], variant, took=60)
    answers.messages(people[5:7], variant, state=MessageState.READ, took=410)
    answers.messages(people[7:8], variant, state=MessageState.UNDELIVERED, reason="bad_number", code=30005)
    answers.messages(people[8:9], variant, state=MessageState.FAILED, reason="transient")
    answers.messages(people[9:10], variant, state=MessageState.SENT)
    answers.messages(people[10:], state=MessageState.SKIPPED, reason=Skip.NO_CONSENT)
    return answers


@pytest.fixture
def uuid(spring, acting) -> str:
    with acting():
        return campaigns.get(spring.campaign_id).uuid


def get(client, url=STATUS, expected=200, **asked):
    answer = client.get(url, query_string=asked)
    assert answer.status_code == expected, answer.text
    return answer.get_json()


def test_a_campaigns_summary_is_what_the_contract_shows(client, spring, uuid):
    found = get(client, f"{BASE}/campaigns/{uuid}/summary")
    for part, names in CONTRACT.items():
        assert set(found[part]) == names
    assert (found["campaign_id"], found["campaign_name"]) == (uuid, "Spring")
    assert found["performance_metrics"] == {
        "messages_sent": 10, "messages_delivered": 7, "messages_failed": 2, "delivery_rate": 70.0,
        "average_delivery_time_minutes": round((5 * 60 + 2 * 410) / 7 / 60, 2),
    }  # fmt: skip
    assert found["status_breakdown"] == {
        "DELIVERED": 5, "READ": 2, "UNDELIVERED": 1, "FAILED": 1, "SENT": 1, "SKIPPED": 3,
    }  # fmt: skip
    assert found["error_analysis"] == {"invalid_phone_number": 1, "network_error": 1}
    assert found["execution_timeline"]["duration_minutes"] == 60.0


def test_a_campaign_that_never_ran_has_a_summary_of_nothing(client, run_jobs, acting):
    with acting():
        house = House(run_jobs)
        uuid = campaigns.get(house.campaign(house.segment())).uuid
    found = get(client, f"{BASE}/campaigns/{uuid}/summary")
    assert found["performance_metrics"]["messages_sent"] == 0
    assert found["performance_metrics"]["average_delivery_time_minutes"] is None
    assert found["execution_timeline"] == {"started_at": None, "completed_at": None, "duration_minutes": None}


def test_a_summary_of_an_unknown_campaign_is_not_found(client):
    assert get(client, f"{BASE}/campaigns/550e8400-e29b-41d4-a716-446655440000/summary", 404)["error"] == "not_found"


def test_messages_of_a_campaign_are_what_the_contract_shows(client, spring, uuid):
    found = get(client, campaign_id=uuid)
    assert len(found["messages"]) == 13
    assert set(found["messages"][0]) >= ROW
    assert found["summary"] == {
        "total_messages": 13, "delivered": 7, "failed": 2, "pending": 1, "delivery_rate": 70.0,
    }  # fmt: skip
    undelivered = next(one for one in found["messages"] if one["status"] == "UNDELIVERED")
    assert (undelivered["error_code"], undelivered["reason"]) == (30005, "bad_number")
    read = next(one for one in found["messages"] if one["status"] == "READ")
    assert read["delivery_time_seconds"] == 410.0


@pytest.mark.parametrize("most_read_whole", [message_log.MOST_READ_WHOLE, 0])
@pytest.mark.parametrize("dates", [{}, {"start_date": "2020-01-01"}])
def test_pages_neither_overlap_nor_leave_anybody_out(client, spring, uuid, dates, most_read_whole, monkeypatch):
    monkeypatch.setattr(message_log, "MOST_READ_WHOLE", most_read_whole)
    seen, page, has_next = [], 1, True
    while has_next:
        found = get(client, campaign_id=uuid, page=page, per_page=4, **dates)
        seen += [one["id"] for one in found["messages"]]
        page, has_next = page + 1, found["has_next"]
    assert len(seen) == len(set(seen)) == (9 if dates else 13)


@pytest.mark.parametrize(
    ("status", "count"), [("DELIVERED", 5), ("READ", 2), ("FAILED", 1), ("SKIPPED", 3), ("pending", 0), ("UNKNOWN", 0)]
)
def test_a_status_narrows_the_list_and_not_the_summary(client, spring, uuid, status, count):
    found = get(client, campaign_id=uuid, status=status)
    assert {one["status"] for one in found["messages"]} <= {status.upper()}
    assert (len(found["messages"]), found["summary"]["total_messages"]) == (count, 13)


@pytest.fixture
def reads(acting):
    """Statements from here on."""
    found = []

    def note(_connection, _cursor, statement, *_rest):
        found.append(statement)

    with acting():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("status", ["", "READ", "DELIVERED"])
def test_of_a_large_campaign_that_is_over_only_its_own_days_are_read(client, spring, uuid, reads, monkeypatch, status):
    monkeypatch.setattr(message_log, "MOST_READ_WHOLE", 0)
    found = get(client, campaign_id=uuid, start_date="2020-01-01", status=status)
    assert len(found["messages"]) == {"": 9, "READ": 2, "DELIVERED": 5}[status]
    (statement,) = [one for one in reads if "ORDER BY messages.sent_at" in one]
    assert "messages.sent_at <" in statement, "to when it was over and nothing of it was tried again any more"
    assert (str(message_log.IS_RARE) in statement) == (status == "READ"), "a rare state has an index of its own"


def test_a_message_with_a_worker_is_pending_to_the_outside(client, spring, uuid, acting):
    with acting(), unit_of_work():
        ids = spring.messages(spring.house.people(3), spring.variants()[0], state=MessageState.PENDING)
        db.session.execute(update(Message).where(Message.id == ids[0]).values(state=MessageState.CLAIMED))
    found = get(client, campaign_id=uuid, status="PENDING", per_page=2)
    assert [one["status"] for one in found["messages"]] == ["PENDING", "PENDING"]
    assert len(get(client, campaign_id=uuid, status="PENDING", per_page=2, page=2)["messages"]) == 1


def test_dates_are_of_the_sending_and_a_day_is_all_of_it(client, spring):
    day = (utc_now() - timedelta(days=1)).date()
    assert len(get(client, start_date=str(day), end_date=str(day))["messages"]) == 9
    earlier = day - timedelta(days=1)
    assert get(client, end_date=str(earlier))["messages"] == []


def test_failures_are_listed_by_when_they_failed_the_refused_among_them(client, spring):
    day = str((utc_now() - timedelta(days=1)).date())
    for status, code in (("UNDELIVERED", 30005), ("FAILED", None)):
        found = get(client, start_date=day, status=status)
        assert [(one["status"], one["error_code"]) for one in found["messages"]] == [(status, code)]
    assert get(client, start_date=day, status="SKIPPED")["messages"] == []


@pytest.mark.parametrize(("status", "count"), [("READ", 2), ("DELIVERED", 5), ("SENT", 1), ("CANCELLED", 0)])
def test_a_status_is_found_among_everything_that_was_sent(client, spring, status, count):
    found = get(client, status=status, start_date="2020-01-01")["messages"]
    assert [one["status"] for one in found] == [status] * count


def test_ids_tell_nothing_of_how_many_messages_there_are(client, spring, uuid, acting):
    ids = {one["id"] for one in get(client, campaign_id=uuid)["messages"]}
    with acting():
        numbers = [row.id for row in spring.house.messages(spring.campaign_id)]
    assert ids == {delivery_reference.public_id(one) for one in numbers}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start_date": "yesterday"}, "start_date"), ({"end_date": "2026-13-01"}, "end_date"),
        ({"status": "LOST"}, "status"), ({"page": 0}, "page"), ({"per_page": 101}, "per_page"),
        ({"start_date": "2026-01-02", "end_date": "2026-01-01"}, "end_date"),
        ({"page": 50000, "per_page": 100}, "page"), ({"start_date": "0001-01-01T00:00:00+14:00"}, "start_date"),
        ({"end_date": "9999-12-31T23:59:59-14:00"}, "end_date"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_its_field(client, asked, field):
    answer = client.get(STATUS, query_string=asked)
    assert (answer.status_code, answer.json["error"], answer.json["field"]) == (400, "validation_error", field)


def test_another_workspace_sees_none_of_it(client_for, other_member, spring, uuid):
    stranger = client_for(other_member)
    get(stranger, f"{BASE}/campaigns/{uuid}/summary", 404)
    assert stranger.get(STATUS, query_string={"campaign_id": uuid}).status_code == 404
    found = get(stranger)
    assert (found["messages"], found["summary"]["total_messages"]) == ([], 0)


def test_who_may_only_look_sees_reports(client_for, make_member, member, spring, uuid):
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert get(viewer, campaign_id=uuid)["summary"]["total_messages"] == 13
