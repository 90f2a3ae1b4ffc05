"""Profiles: searched, counted, changed, erased; stages of life; consent; computed traits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

DAY = timedelta(days=1)


def ago(days):
    return (datetime.now(UTC) - days * DAY).isoformat()


@pytest.mark.parametrize(
    "q", ["ada b", "Byr", "ada byron", "byron a", "ADA@ma", "+1 415", "1415", "u-7", "crm-9", "anon"]
)
def test_a_person_is_found_by_the_beginning_of_what_they_are_known_by(people, q):
    one = people.send(
        user_id="u-7", email="Ada@mail.org", phone="+14155550123", anonymous_id="anonymous-1",
        external_ids={"crm": "CRM-9"}, traits={"first_name": "Ada", "last_name": "Byron"},
    )  # fmt: skip
    people.send(user_id="zz", traits={"name": "Bob Adams"})
    assert people.find(q.replace("+", "%2B")) == [one]


def test_an_id_finds_its_profile_and_nonsense_finds_nobody(people):
    one = people.send(user_id="someone")
    assert people.find(str(one)) == [one]
    for q in ("%25", "_", "' OR 1=1 --", "nobody", "9" * 30, "\u00e9"):
        assert people.find(q) == []


def test_lists_turn_pages_and_filter_by_stage(people):
    ids = [people.send("signup" if n % 2 else "page", user_id=f"u{n}") for n in range(5)]
    page = people.get("/profiles?limit=2&page=2")
    assert [one["id"] for one in page["items"]] == [ids[2], ids[1]]
    assert (page["total"], page["pages"], page["has_next"], page["has_prev"]) == (5, 3, True, True)
    assert [one["id"] for one in people.get("/profiles?lifecycle_stage=lead")["items"]] == [ids[3], ids[1]]
    for query in ("page=0", "limit=101", "limit=x", "lifecycle_stage=x", "segment_id=0"):
        people.get(f"/profiles?{query}", status=422)


def test_members_of_a_segment_are_listed(people, member, in_tenant):
    from app.cdp.models import Segment, SegmentMember
    from app.core.db import db, unit_of_work

    ids = [people.send(user_id=f"u{n}") for n in range(3)]
    with in_tenant(member.tenant_id), unit_of_work():
        segment = Segment(name="Some")
        db.session.add(segment)
        db.session.flush()
        db.session.add_all(SegmentMember(segment_id=segment.id, profile_id=one) for one in ids[:2])
        segment_id = segment.id
    assert [one["id"] for one in people.get(f"/profiles?segment_id={segment_id}")["items"]] == [ids[1], ids[0]]
    assert [one["id"] for one in people.get(f"/profiles?segment_id={segment_id}&q=u1")["items"]] == [ids[1]]
    assert people.profile(ids[0])["segment_ids"] == [segment_id]


def test_statistics_count_each_stage_and_no_merged_profile_twice(people):
    people.send(anonymous_id="a1")
    people.send(anonymous_id="a2")
    people.send(user_id="u1", anonymous_id="a2")
    people.send("purchase", user_id="u2")
    assert people.get("/profiles/statistics") == {
        "total_profiles": 3, "identified_profiles": 2, "anonymous_profiles": 1,
        "lifecycle_distribution":
            {"anonymous": 1, "known": 1, "lead": 0, "customer": 1, "active": 0, "churned": 0},
    }  # fmt: skip
    assert people.get("/health")["status"] == "ok"


def test_the_stages_of_life_follow_from_events_in_any_order(people, run_jobs):
    def stage(profile_id):
        return people.profile(profile_id)["lifecycle_stage"]

    assert stage(people.send(anonymous_id="a1")) == "anonymous"
    one = people.send(anonymous_id="a1", email="ada@mail.org")
    assert stage(one) == "known"
    assert stage(people.send("signup", anonymous_id="a1")) == "lead"
    assert stage(people.send("purchase", anonymous_id="a1")) == "customer"
    assert stage(people.send("purchase", anonymous_id="a1")) == "active"
    assert stage(people.send("signup", anonymous_id="a1")) == "active"
    old = people.send("purchase", user_id="u2", timestamp=ago(100))
    assert stage(old) == "churned"
    people.send("page", user_id="u2")
    assert stage(old) == "customer"
    both = [{"event_name": "purchase", "user_id": "u3"}, {"event_name": "purchase", "user_id": "u3"}]
    people.batch(*both)
    assert stage(people.find("u3")[0]) == "active"


def test_days_that_pass_move_people_by_the_daily_job(people, member, in_tenant, run_jobs, monkeypatch):
    from app.cdp.jobs.lifecycle import age_everywhere
    from app.core.tenancy import platform_scope

    active = people.send("purchase", user_id="u1", timestamp=ago(25))
    people.send("purchase", user_id="u1", timestamp=ago(20))
    people.send("page", user_id="u1")
    lost = people.send("purchase", user_id="u2", timestamp=ago(80))
    later = datetime.now(UTC) + 12 * DAY
    monkeypatch.setattr("app.cdp.services.lifecycle.utc_now", lambda: later)
    monkeypatch.setattr("app.cdp.services.days.utc_now", lambda: later)
    with people.client.application.app_context(), platform_scope():
        age_everywhere()
    run_jobs()
    assert people.profile(active)["lifecycle_stage"] == "customer"
    assert people.profile(lost)["lifecycle_stage"] == "churned"


def test_rules_of_life_that_change_are_applied_to_everyone(people, run_jobs):
    one = people.send("demo_booked", user_id="u1")
    assert people.profile(one)["lifecycle_stage"] == "known"
    body = {"lead": {"events": ["demo_booked"]}}
    assert people.client.put("/api/v1/cdp/lifecycle-rules", json=body).get_json()["lead"] == body["lead"]
    run_jobs()
    assert people.profile(one)["lifecycle_stage"] == "lead"
    for bad in ({"lead": {"events": []}}, {"churned": {"days": 0}}, {"rich": {}}, {"active": {"days": 3}}):
        assert people.client.put("/api/v1/cdp/lifecycle-rules", json=bad).status_code == 422


def test_traits_are_set_and_removed_by_hand_and_by_events(people):
    one = people.send("identify", user_id="u1", traits={"city": "Rome", "age": 30})
    people.send("identify", user_id="u1", traits={"city": "Oslo", "age": None})
    assert people.profile(one)["traits"] == {"city": "Oslo"}
    answer = people.client.patch(f"/api/v1/cdp/profiles/{one}", json={"traits": {"name": "Ada Byron", "city": None}})
    assert (answer.get_json()["name"], answer.get_json()["traits"]) == ("Ada Byron", {"name": "Ada Byron"})
    assert people.find("byr") == [one]
    for traits in ({"$x": 1}, {"": 1}, {"a": {"b": {"c": {"d": {"e": {}}}}}}, {}, "x"):
        assert people.client.patch(f"/api/v1/cdp/profiles/{one}", json={"traits": traits}).status_code == 422


def test_later_events_win_over_earlier_ones_within_a_batch(people):
    people.batch(
        {"event_name": "identify", "user_id": "u1", "traits": {"city": "Oslo"}, "timestamp": ago(1)},
        {"event_name": "identify", "user_id": "u1", "traits": {"city": "Rome"}, "timestamp": ago(2)},
    )
    assert people.everyone()[0]["traits"] == {"city": "Oslo"}


def test_erasing_a_person_leaves_nothing_of_them(app, people, member, in_tenant):
    from sqlalchemy import select

    from app.core.db import db

    visitor = people.send("page", anonymous_id="a1")
    one = people.send("purchase", user_id="u1", properties={"amount": 1})
    people.send("login", user_id="u1", anonymous_id="a1")
    people.send("page", user_id="u1", anonymous_id="other")
    kept = people.send("page", user_id="u2", anonymous_id="a1")
    people.post(f"/profiles/{one}/consent", {"channel": "sms", "state": "granted"})
    assert people.client.delete(f"/api/v1/cdp/profiles/{visitor}").status_code == 204
    for profile_id in (one, visitor):
        people.get(f"/profiles/{profile_id}", status=404)
    with in_tenant(member.tenant_id):
        for table in db.metadata.sorted_tables:
            if "profile_id" in table.c:
                owners = set(db.session.scalars(select(table.c.profile_id)))
                assert owners <= {kept}, table.name
    assert [row["id"] for row in people.everyone()] == [kept]
    assert people.send(user_id="u1") not in (one, visitor)


def test_all_that_is_known_of_a_person_can_be_handed_out(people, member, in_tenant):
    from app.cdp import personal_data

    one = people.send("purchase", user_id="u1", properties={"amount": 7}, traits={"city": "Rome"})
    people.post(f"/profiles/{one}/consent", {"channel": "email", "state": "granted", "evidence": {"form": "f1"}})
    with in_tenant(member.tenant_id):
        found = personal_data.export(one)
    assert found["profile"]["traits"] == {"city": "Rome"}
    assert found["identities"][0]["value"] == "u1"
    assert (found["events"][0]["event_name"], found["events"][0]["properties"]) == ("purchase", {"amount": 7})
    assert (found["consent"]["email"], found["consent_records"][0]["evidence"]) == ("granted", {"form": "f1"})


def test_the_newest_statement_of_consent_is_in_force_and_none_is_lost(people):
    one = people.send(user_id="u1")
    for state in ("granted", "denied"):
        people.post(f"/profiles/{one}/consent", {"channel": "sms", "state": state, "source": "form"})
    found = people.get(f"/profiles/{one}/consent")
    assert found["states"] == {"sms": "denied", "whatsapp": "unknown", "email": "unknown", "ads": "unknown",
                               "analytics": "unknown"}  # fmt: skip
    assert [row["state"] for row in found["records"]] == ["denied", "granted"]
    for body in ({"channel": "fax", "state": "granted"}, {"channel": "sms", "state": "yes"}, {}):
        people.post(f"/profiles/{one}/consent", body, status=422)


FUNCTIONS = {
    "count": 4, "sum": 16.0, "avg": 4.0, "min": 1, "max": 8, "first": 2, "last": 8, "most_frequent": 8,
    "unique_count": 4, "days_since": 1,
}  # fmt: skip


def test_computed_traits_are_counted_from_events(people):
    for function in FUNCTIONS:
        prop = "" if function in ("count", "days_since") else "amount"
        body = {"name": f"spent_{function}", "function": function, "event": "purchase", "property": prop}
        people.post("/computed-traits", body)
    for number, amount in enumerate((2, 1, 5, 8)):
        one = people.send("purchase", user_id="u1", properties={"amount": amount}, timestamp=ago(5 - number - 0.5))
    found = people.profile(one)["computed_traits"]
    assert found == {f"spent_{name}": value for name, value in FUNCTIONS.items()} | {"total_purchases": 16}
    assert people.profile(people.send("page", user_id="u2"))["computed_traits"] == {}


def test_computed_traits_are_listed_deleted_and_refused_when_wrong(people):
    body = {"name": "orders", "function": "count", "event": "purchase"}
    one = people.post("/computed-traits", body)
    people.post("/computed-traits", body, status=409)
    assert [row["name"] for row in people.get("/computed-traits")] == ["total_purchases", "orders"]
    assert people.client.delete(f"/api/v1/cdp/computed-traits/{one['id']}").status_code == 204
    people.post("/computed-traits", body | {"name": "total_purchases"}, status=409)
    for bad in ({"name": "A b"}, {"function": "median"}, {"function": "sum"}, {"property": "x"}, {"event": ""},
                {"event": "a\nb"}):  # fmt: skip
        people.post("/computed-traits", body | bad, status=422)


def test_events_of_a_profile_turn_pages_and_filter_by_name(people):
    for number in range(3):
        one = people.send("page" if number else "signup", user_id="u1", properties={"n": number})
    page = people.get(f"/profiles/{one}/events?limit=2")
    assert ([row["properties"]["n"] for row in page["items"]], page["total"]) == ([2, 1], 3)
    assert people.get(f"/profiles/{one}/events?event_name=signup")["total"] == 1
    assert people.get(f"/profiles/{one}/events?event_name=nothing")["total"] == 0


def test_another_workspaces_person_is_nobody(people, client_for, other_member):
    one = people.send(user_id="u1")
    other = people.send(user_id="u2")
    merge = people.post(f"/profiles/{one}/merge", {"profile_id": other})
    trait = people.post("/computed-traits", {"name": "orders", "function": "count", "event": "purchase"})
    stranger = type(people)(client_for(other_member))
    theirs = stranger.send(user_id="u1")
    for path in (f"/profiles/{one}", f"/profiles/{one}/events", f"/profiles/{one}/consent", f"/profiles/{one}/merges"):
        stranger.get(path, status=404)
    stranger.post(f"/profiles/{one}/merge", {"profile_id": theirs}, status=404)
    stranger.post(f"/profiles/{theirs}/merge", {"profile_id": one}, status=404)
    stranger.post(f"/merges/{merge['id']}/undo", {}, status=404)
    stranger.post(f"/profiles/{one}/split", {"identity_ids": [1]}, status=404)
    stranger.post(f"/profiles/{one}/consent", {"channel": "sms", "state": "granted"}, status=404)
    base = "/api/v1/cdp"
    assert stranger.client.patch(f"{base}/profiles/{one}", json={"traits": {"a": 1}}).status_code == 404
    assert stranger.client.delete(f"{base}/profiles/{one}").status_code == 404
    assert stranger.client.delete(f"{base}/computed-traits/{trait['id']}").status_code == 404
    assert [row["id"] for row in stranger.everyone()] == [theirs]
    assert people.profile(one)["traits"] == {}
