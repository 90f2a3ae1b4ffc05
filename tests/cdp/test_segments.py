"""Segments through the API, refreshed by their jobs."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.cdp.models import SegmentSize
from app.cdp.services import segments
from app.core import events as core_events
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from tests.cdp.factory import People, fold
from tests.cdp.test_engine import CONTRACT_EXAMPLE

BASE = "/api/v1/cdp/segments"
GOLD = {"type": "trait", "trait": "plan", "operator": "equals", "value": "gold"}


@pytest.fixture
def people(in_tenant, member):
    class Scoped:
        """The factory, each call in a context of its own."""

        def __getattr__(self, name):
            def call(*args, **kwargs):
                with in_tenant(member.tenant_id):
                    return getattr(People(), name)(*args, **kwargs)

            return call

    return Scoped()


@pytest.fixture
def settle(in_tenant, member, run_jobs):
    """Fold, and run what follows."""
    from app.core.jobs import enqueue

    def act() -> None:
        with in_tenant(member.tenant_id):
            fold()
            with unit_of_work():
                enqueue("cdp.refresh", unique_key="cdp.refresh")
        run_jobs()

    return act


@pytest.fixture
def make(client, settle):
    def create(conditions, name="Some", **more):
        answer = client.post(BASE, json={"name": name, "conditions": conditions, **more})
        assert answer.status_code == 201, answer.text
        settle()
        return answer.json["id"]

    return create


@pytest.fixture
def told(monkeypatch):
    """Entered and left, as other features hear of them."""
    from app.cdp.events import SegmentEntered, SegmentLeft

    heard = []
    for kind in (SegmentEntered, SegmentLeft):
        monkeypatch.setitem(
            core_events._subscribers,
            kind.__name__,
            [lambda one, kind=kind: heard.append((kind.__name__, one.profile_ids))],
        )
    return heard


def member_ids(client, segment_id):
    return [row["id"] for row in client.get(f"{BASE}/{segment_id}/members").json["items"]]


def moment_day() -> int:
    return (utc_now().date().toordinal()) - 719163


def test_the_contracts_segment_is_made_counted_and_previewed(client, people, make, settle):
    rich, _poor = people.add(2, name="Ada")
    people.event(rich, "purchase", moment_day(), amount=600)
    settle()
    segment_id = make(CONTRACT_EXAMPLE, "High-Value Customers", description="Customers with LTV > $500")
    shown = client.get(f"{BASE}/{segment_id}").json
    assert (shown["member_count"], shown["conditions"]) == (1, CONTRACT_EXAMPLE)
    assert shown["sentence"] == "total purchases is more than 500 and who did purchase in the last 90 days"
    for answer in (
        client.post(f"{BASE}/{segment_id}/preview"),
        client.post(f"{BASE}/preview", json={"conditions": CONTRACT_EXAMPLE}),
    ):
        assert answer.status_code == 200
        assert (answer.json["count"], answer.json["share"]) == (1, 0.5)
        assert [one["id"] for one in answer.json["sample"]] == [rich]
    listed = client.get(BASE).json
    assert [row["id"] for row in listed["items"]] == [segment_id]
    assert listed["total"] == 1


def test_who_comes_and_goes_is_kept_and_told(client, people, make, settle, told):
    one, other = people.add(2, traits={"plan": "gold"})
    segment_id = make(GOLD)
    assert member_ids(client, segment_id) == [one, other]
    assert told == []  # filling a new segment is no entering
    people.change(one, traits={"plan": "free"})
    late = people.add(1, traits={"plan": "gold"})[0]
    settle()
    assert member_ids(client, segment_id) == [other, late]
    assert sorted(told) == [("SegmentEntered", [late]), ("SegmentLeft", [one])]
    changes = client.get(f"{BASE}/{segment_id}/changes").json["items"]
    assert sorted((row["profile_id"], row["has_entered"]) for row in changes) == [(one, False), (late, True)]
    sizes = client.get(f"{BASE}/{segment_id}/sizes").json
    assert [row["member_count"] for row in sizes] == [2]


def test_refreshing_again_changes_nothing(client, people, make, settle, told):
    people.add(2, traits={"plan": "gold"})
    segment_id = make(GOLD)
    before = member_ids(client, segment_id)
    settle()
    settle()
    assert (member_ids(client, segment_id), told) == (before, [])


def test_a_windows_day_that_passes_moves_people_out(client, people, make, settle, in_tenant, member, monkeypatch):
    one = people.add()[0]
    people.event(one, "view", moment_day())
    segment_id = make({"type": "event", "event": "view", "time_window": "last_1_days"})
    assert member_ids(client, segment_id) == [one]
    from datetime import timedelta

    from app.cdp.services.engine import context

    monkeypatch.setattr(context, "utc_now", lambda: utc_now() + timedelta(days=1))
    settle()
    assert member_ids(client, segment_id) == []
    with in_tenant(member.tenant_id):
        days = db.session.scalars(select(SegmentSize.day).order_by(SegmentSize.day)).all()
    assert len(days) == 2


def test_another_condition_counts_everyone_anew(client, people, make, settle):
    one, other = people.add(1, traits={"plan": "gold"})[0], people.add(1, traits={"plan": "free"})[0]
    segment_id = make(GOLD)
    answer = client.patch(f"{BASE}/{segment_id}", json={"conditions": GOLD | {"operator": "not_equals"}})
    assert answer.status_code == 200
    settle()
    assert member_ids(client, segment_id) == [other]
    assert one not in member_ids(client, segment_id)


def test_a_segment_of_segments_follows_them_in_one_refresh(client, people, make, settle):
    one = people.add(1, traits={"plan": "gold"})[0]
    gold = make(GOLD, "Gold")
    not_gold = make({"type": "segment", "segment_id": gold, "operator": "not_in"}, "Not gold")
    assert member_ids(client, not_gold) == []
    people.change(one, traits={})
    settle()
    assert (member_ids(client, gold), member_ids(client, not_gold)) == ([], [one])


def test_segments_that_need_each_other_are_refused_by_name(client, make):
    gold = make(GOLD, "Gold")
    upon = make({"type": "segment", "segment_id": gold}, "Upon gold")
    answer = client.patch(f"{BASE}/{gold}", json={"conditions": {"type": "segment", "segment_id": upon}})
    assert answer.status_code == 422
    assert "“Gold” needs “Upon gold” needs “Gold”" in answer.json["error"]
    assert (
        client.post(BASE, json={"name": "x", "conditions": {"type": "segment", "segment_id": 10**6}}).status_code == 422
    )


def test_a_segment_in_use_is_not_deleted_and_says_by_what(client, make, monkeypatch):
    gold = make(GOLD, "Gold")
    make({"type": "segment", "segment_id": gold}, "Upon gold")
    monkeypatch.setattr(segments, "_users", [lambda segment_id: ["campaign Spring"] if segment_id == gold else []])
    answer = client.delete(f"{BASE}/{gold}")
    assert answer.status_code == 409
    assert answer.json["details"]["used_by"] == ["segment Upon gold", "campaign Spring"]
    free = make(GOLD, "Free")
    assert client.delete(f"{BASE}/{free}").status_code == 204
    assert client.get(f"{BASE}/{free}").status_code == 404


def test_a_snapshot_keeps_its_people(client, people, make, settle):
    one, other = people.add(2, traits={"plan": "gold"})
    segment_id = make(GOLD)
    kept = client.post(f"{BASE}/{segment_id}/snapshot", json={"name": "Then"}).json["id"]
    people.change(one, traits={})
    people.erase([other])
    settle()
    assert (member_ids(client, segment_id), member_ids(client, kept)) == ([], [one])
    assert client.post(f"{BASE}/{kept}/preview").status_code == 409


def test_overlap_counts_both_and_either(client, people, make):
    people.add(2, traits={"plan": "gold"})
    people.add(1, traits={"plan": "gold", "age": 40})
    people.add(1, traits={"age": 50})
    gold = make(GOLD)
    old = make({"type": "trait", "trait": "age", "operator": "greater_than", "value": 30})
    assert client.get(f"{BASE}/overlap?first={gold}&second={old}").json == {
        "first": 3,
        "second": 2,
        "both": 1,
        "either": 4,
    }


def test_explaining_says_for_each_part_whether_it_holds_and_why(client, people, make, settle):
    one = people.add(1, traits={"plan": "gold"})[0]
    people.event(one, "purchase", moment_day(), amount=20)
    settle()
    segment_id = make({"operator": "and", "conditions": [GOLD, CONTRACT_EXAMPLE]})
    why = client.get(f"{BASE}/{segment_id}/explain/{one}").json
    assert why["holds"] is False
    plan, contract = why["parts"]
    assert (plan["holds"], plan["because"]) == (True, "plan is “gold”")
    assert [part["holds"] for part in contract["parts"]] == [False, True]
    assert contract["parts"][0]["because"] == "total purchases is 20"
    assert client.get(f"{BASE}/{segment_id}/explain/99999999").status_code == 404


def test_reach_counts_who_agreed_to_each_channel(client, people, make):
    one, other = people.add(2, traits={"plan": "gold"})
    people.consent(one, "sms", "granted")
    people.consent(other, "sms", "denied")
    segment_id = make(GOLD)
    reach = client.post(f"{BASE}/{segment_id}/preview").json["reach"]
    assert (reach["sms"], reach["email"]) == (1, 0)


def test_a_wrong_condition_is_refused_with_its_path(client):
    body = {
        "name": "x",
        "conditions": {"operator": "and", "conditions": [GOLD, {"type": "event", "event": "a", "time_window": "soon"}]},
    }
    answer = client.post(BASE, json=body)
    assert answer.status_code == 422
    assert answer.json["code"] == "VALIDATION_ERROR"
    assert answer.json["details"]["field"] == "conditions.conditions[1].time_window"
    unknown = client.post(
        f"{BASE}/preview", json={"conditions": {"type": "computed_trait", "trait": "nope", "operator": "is_set"}}
    )
    assert unknown.status_code == 422


def test_another_tenants_segment_is_not_found(client_for, other_member, make):
    segment_id = make(GOLD)
    stranger = client_for(other_member)
    for method, path in (
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        ("get", "/members"),
        ("get", "/explain/1"),
        ("post", "/preview"),
    ):
        answer = getattr(stranger, method)(f"{BASE}/{segment_id}{path}", json={} if method != "get" else None)
        assert answer.status_code == 404, (method, path)
    assert stranger.get(BASE).json["items"] == []


def test_a_viewer_may_look_but_not_change(client_for, make_member, member, make):
    segment_id = make(GOLD)
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert viewer.get(f"{BASE}/{segment_id}").status_code == 200
    assert viewer.post(BASE, json={"name": "x", "conditions": GOLD}).status_code == 403
    assert viewer.delete(f"{BASE}/{segment_id}").status_code == 403


@pytest.mark.parametrize(
    ("leaf", "path", "said"),
    [
        ({"type": "segment", "segment_id": 999_999}, "segment_id", "there is no segment 999999"),
        ({"type": "computed_trait", "trait": "nope", "operator": "equals", "value": 1}, "trait", "no computed trait"),
        ({"type": "rank", "computed_trait": "nope", "count": 3}, "computed_trait", "no computed trait"),
        ({"type": "rank", "trait": "total_purchases", "count": 3}, "trait", "name it in computed_trait"),
    ],
)  # fmt: skip
def test_what_the_workspace_does_not_have_is_named_by_its_path(client, leaf, path, said):
    bought = {"type": "event", "event": "purchase"}
    tree = {"operator": "or", "conditions": [bought, {"operator": "not", "conditions": [bought, leaf]}]}
    answer = client.post("/api/v1/cdp/segments/preview", json={"conditions": tree})
    assert answer.status_code == 422
    assert answer.get_json()["details"]["field"] == f"conditions.conditions[1].conditions[1].{path}"
    assert said in answer.get_json()["error"]


def test_a_circle_is_named_by_the_path_of_what_closes_it(client):
    bought = {"type": "event", "event": "purchase"}
    url = "/api/v1/cdp/segments"
    first = client.post(url, json={"name": "First", "conditions": bought}).get_json()["id"]
    needs_first = {"type": "segment", "segment_id": first}
    second = client.post(url, json={"name": "Second", "conditions": needs_first}).get_json()["id"]
    tree = {"operator": "or", "conditions": [bought, {"type": "segment", "segment_id": second}]}
    answer = client.patch(f"{url}/{first}", json={"conditions": tree})
    assert answer.status_code == 422
    assert answer.get_json()["details"]["field"] == "conditions.conditions[1].segment_id"


def test_a_sentence_says_again_who_or_whose_where_it_changes(client):
    parts = [
        {"type": "trait", "trait": "city", "operator": "equals", "value": "Leeds"},
        {"type": "event", "event": "purchase"},
        {"type": "consent", "channel": "whatsapp", "state": "granted"},
    ]
    body = {"conditions": {"operator": "and", "conditions": parts}}
    told = client.post("/api/v1/cdp/segments/preview", json=body).get_json()["sentence"]
    assert told == (
        "Everyone whose city is “Leeds” and who did purchase ever and whose consent to WhatsApp is granted."
    )
