"""Segments of the messaging contract: the smaller grammar over the one engine, evaluated by people with a number."""

from __future__ import annotations

import pytest

URL = "/messaging/api/v1/segments"
PREMIUM = {
    "operator": "AND",
    "conditions": [
        {"attribute": "city", "operator": "equals", "value": "San Francisco"},
        {"attribute": "tier", "operator": "equals", "value": "premium"},
    ],
}


@pytest.fixture
def create(client):
    def make(criteria, status=201, name="Premium SF Users"):
        body = {"name": name, "description": "Premium tier users", "filter_criteria": criteria}
        answer = client.post(URL, json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def crowd(client, run_jobs):
    """Twelve premium people in San Francisco, one in Rome, and one nobody can call."""
    for n in range(12):
        attributes = {"city": "San Francisco", "tier": "premium", "signup_date": f"2024-01-{n + 1:02}"}
        body = {"phone_e164": f"+1415555{1000 + n}", "attributes": attributes}
        assert client.post("/messaging/api/v1/users", json=body).status_code == 201
    rome = {"phone_e164": "+14155552000", "attributes": {"city": "Rome", "tier": "premium"}}
    client.post("/messaging/api/v1/users", json=rome)
    traits = {"city": "San Francisco", "tier": "premium"}
    client.post("/api/v1/cdp/events", json={"event_name": "page", "email": "quiet@mail.org", "traits": traits})
    run_jobs()


def evaluate(client, segment_id, status=200):
    answer = client.post(f"{URL}/{segment_id}/evaluate")
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_a_segment_is_shown_as_it_was_saved_and_counted(client, create, crowd, run_jobs):
    made = create(PREMIUM)
    assert made["filter_criteria"] == PREMIUM
    assert made["estimated_audience_size"] is None
    run_jobs()
    listed = client.get(URL).get_json()["segments"]
    assert [(one["id"], one["filter_criteria"], one["estimated_audience_size"]) for one in listed] == [
        (made["id"], PREMIUM, 13)
    ]


def test_evaluating_counts_members_with_a_number_and_shows_ten_of_them(client, create, crowd):
    made = create(PREMIUM)
    found = evaluate(client, made["id"])
    assert (found["segment_id"], found["matching_users"]) == (made["id"], 12)
    assert len(found["sample_users"]) == len(set(found["sample_users"])) == 10
    assert set(found["sample_users"]) <= {f"+1415555{1000 + n}" for n in range(12)}
    assert found["evaluation_time_ms"] >= 0


@pytest.mark.parametrize(
    ("criteria", "count"),
    [({"attribute": "signup_date", "operator": "after", "value": "2024-01-10"}, 2),
     ({"operator": "or", "conditions": [{"attribute": "city", "operator": "equals", "value": "Rome"},
                                        {"attribute": "signup_date", "operator": "before", "value": "2024-01-02"}]}, 2),
     ({"type": "identifier", "kind": "phone"}, 13)],
)  # fmt: skip
def test_one_condition_a_group_and_the_whole_grammar_are_taken(client, create, crowd, criteria, count):
    assert evaluate(client, create(criteria)["id"])["matching_users"] == count


def test_a_segment_of_the_cdp_is_known_here_by_its_uuid(client, crowd):
    tree = {"type": "trait", "trait": "city", "operator": "equals", "value": "Rome"}
    made = client.post("/api/v1/cdp/segments", json={"name": "Romans", "conditions": tree}).get_json()
    listed = client.get(URL).get_json()["segments"][0]
    assert (listed["id"], listed["filter_criteria"]) == (made["uuid"], tree)
    assert evaluate(client, made["uuid"])["sample_users"] == ["+14155552000"]


def test_a_static_segment_is_evaluated_by_its_members(client, crowd, run_jobs):
    tree = {"type": "trait", "trait": "city", "operator": "equals", "value": "Rome"}
    made = client.post("/api/v1/cdp/segments", json={"name": "Romans", "conditions": tree}).get_json()
    run_jobs()
    kept = client.post(f"/api/v1/cdp/segments/{made['id']}/snapshot", json={"name": "Kept"}).get_json()
    assert evaluate(client, kept["uuid"])["matching_users"] == 1


@pytest.mark.parametrize(
    ("criteria", "field", "provided"),
    [({"attribute": "city", "operator": "resembles", "value": "x"}, "filter_criteria.operator", "resembles"),
     ({"operator": "XOR", "conditions": [{"attribute": "a", "operator": "is_set"}]}, "filter_criteria.operator", "XOR"),
     ({"operator": "AND", "conditions": [{"attribute": "age", "operator": "greater_than", "value": "old"}]},
      "filter_criteria.conditions[0].value", "old"),
     ({"operator": "AND", "conditions": []}, "filter_criteria.conditions", "[]"),
     ({"attribute": "city", "operator": "equals"}, "filter_criteria.value", None),
     ({"attribute": "email", "operator": "greater_than", "value": 3}, "filter_criteria.operator", "greater_than"),
     ({}, "filter_criteria.type", None)],
)  # fmt: skip
def test_a_condition_that_is_wrong_is_refused_by_the_path_of_its_node(client, create, criteria, field, provided):
    body = create(criteria, 400)
    assert (body["error"], body["details"]["field"], body["details"]["provided"]) == (
        "validation_error", field, provided,
    )  # fmt: skip
    assert body["details"]["expected"] not in ("", "is missing")
    assert body["message"].startswith(field)
    assert client.get(URL).get_json()["segments"] == []


def test_what_the_workspace_does_not_have_is_refused_too(create):
    body = create({"type": "computed_trait", "trait": "nothing", "operator": "greater_than", "value": 1}, 400)
    assert body["details"]["field"] == "filter_criteria.trait"
    assert "nothing" in body["message"]


def test_a_body_that_is_none_is_refused(client):
    assert client.post(URL, json={"name": "x"}).status_code == 400
    assert client.post(URL, json={"name": "", "filter_criteria": PREMIUM}).status_code == 400
    assert client.post(URL, json={"name": "x", "filter_criteria": "all"}).status_code == 400


def test_another_workspaces_segment_is_not_found(client, create, client_for, other_member):
    made = create(PREMIUM)
    stranger = client_for(other_member)
    assert stranger.get(URL).get_json()["segments"] == []
    assert stranger.post(f"{URL}/{made['id']}/evaluate").status_code == 404
    assert evaluate(client, "550e8400-e29b-41d4-a716-446655440000", 404)["error"] == "not_found"
    assert evaluate(client, "not-a-uuid", 404)["error"] == "not_found"
