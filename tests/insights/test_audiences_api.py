"""The insight contract's audiences, segments and personas, over HTTP."""

import json

import pytest

BRIEF = {
    "name": "Orchard & Oat",
    "website": "orchardandoat.example",
    "business_description": "Organic groceries in a weekly box, delivered to the door",
    "industry": "Retail",
    "customers": "Health-conscious families",
    "location": "United States",
    "age_range": "25-45",
    "income_level": "Middle to high",
    "core_need": "Healthy dinners without planning",
    "additional_info": "Focus on eco-friendly packaging",
}


@pytest.fixture
def audience_id(client):
    return client.post("/audience", json=BRIEF).get_json()["audience_id"]


@pytest.fixture
def ready_id(audience_id, run_jobs):
    run_jobs()
    return audience_id


def test_creating_an_audience_answers_as_the_contract_shows(client):
    answer = client.post("/audience", json=BRIEF)
    assert answer.status_code == 201
    body = answer.get_json()
    assert body == {"message": "Audience created successfully", "audience_id": body["audience_id"]}


def test_an_audience_reads_back_exactly_as_it_was_described(client, audience_id):
    body = client.get(f"/audience/{audience_id}").get_json()
    assert {key: body[key] for key in BRIEF} == BRIEF
    responses = ["claude_response", "openai_response", "deepseek_response", "perplexity_response", "groq_response"]
    assert list(body) == ["id", *BRIEF, *responses, "created_at", "updated_at"]
    listed = client.get("/audience").get_json()
    assert [list(row) for row in listed] == [["id", *BRIEF, "updated_at", "created_at"]]


def test_the_pipeline_makes_segments_and_personas_that_fit_the_contracts_schema(client, ready_id):
    segments = client.get(f"/audience/{ready_id}/segments").get_json()
    assert len(segments) >= 3
    assert list(segments[0]) == ["id", "name", "description", "created_at", "updated_at"]
    insight = client.get(f"/audience/{ready_id}/insight").get_json()
    assert insight["state"] == "ready"
    assert sum(segment["size_percentage"] for segment in insight["insight"]["segments"]) == 100
    for segment in segments:
        people = client.get(f"/segments/{segment['id']}/personas").get_json()
        assert people
        for person in people:
            assert 25 <= person["data"]["age"] <= 45
            assert person["data"]["pain_points"]


def test_running_the_pipeline_again_changes_nothing(client, ready_id, in_tenant, member):
    from app.insights.services import pipeline

    before = client.get(f"/audience/{ready_id}/insight").get_json()
    with in_tenant(member.tenant_id):
        pipeline.run(ready_id, lambda done, total, note: None)
    assert client.get(f"/audience/{ready_id}/insight").get_json() == before


def test_update_changes_what_is_sent_and_nothing_else(client, audience_id):
    assert client.put(f"/audience/{audience_id}", json={"industry": "Grocery"}).get_json() == {
        "message": "Audience updated successfully"
    }
    body = client.get(f"/audience/{audience_id}").get_json()
    assert (body["industry"], body["name"]) == ("Grocery", BRIEF["name"])


def test_deleting_an_audience_while_its_job_waits_is_safe(client, audience_id, run_jobs):
    assert client.delete(f"/audience/{audience_id}").get_json() == {"message": "Audience deleted successfully"}
    assert run_jobs() == ["insights.generate_audience"]
    assert client.get(f"/audience/{audience_id}").status_code == 404


def test_segments_and_personas_can_be_made_changed_and_deleted_by_hand(client, audience_id):
    made = client.post(f"/audience/{audience_id}/segments", json={"name": "Segment 1", "description": "First"})
    assert made.status_code == 201
    segment_id = made.get_json()["segment_id"]
    assert made.get_json() == {"message": "Segment created successfully", "segment_id": segment_id}
    assert client.put(f"/segments/{segment_id}", json={"name": "New"}).get_json() == {
        "message": "Segment updated successfully"
    }
    shown = client.get(f"/segments/{segment_id}").get_json()
    assert list(shown) == ["id", "name", "description", "audience_id", "created_at", "updated_at"]
    assert (shown["name"], shown["description"], shown["audience_id"]) == ("New", "First", audience_id)
    person = client.post(f"/segments/{segment_id}/personas", json={"name": "Ana", "data": {"age": 35}})
    assert (person.status_code, person.get_json()["message"]) == (201, "Persona created successfully")
    assert client.delete(f"/segments/{segment_id}").get_json() == {"message": "Segment deleted successfully"}
    assert client.get(f"/personas/{person.get_json()['persona_id']}").status_code == 404


def test_persona_update_merges_data(client, audience_id):
    segment_id = client.post(f"/audience/{audience_id}/segments", json={"name": "S"}).get_json()["segment_id"]
    data = {"age": 35, "interests": ["technology"]}
    made = client.post(f"/segments/{segment_id}/personas", json={"name": "Persona 1", "data": data}).get_json()
    change = {"name": "Updated Persona 1", "data": {"age": 36, "new_field": "added"}}
    answer = client.put(f"/personas/{made['persona_id']}", json=change)
    assert answer.get_json() == {"message": "Persona updated successfully"}
    shown = client.get(f"/personas/{made['persona_id']}").get_json()
    assert list(shown) == ["id", "name", "segment_id", "data", "created_at", "updated_at"]
    assert shown["data"] == {"age": 36, "interests": ["technology"], "new_field": "added"}
    assert client.delete(f"/personas/{made['persona_id']}").get_json() == {"message": "Persona deleted successfully"}


BAD = {
    "empty": ("{}", "application/json", 422, "name"),
    "empty name": ('{"name": "  "}', "application/json", 422, "name"),
    "wrong type": ('{"name": 7}', "application/json", 422, "name"),
    "wrong type of a text": ('{"name": "a", "industry": ["x"]}', "application/json", 422, "industry"),
    "too long": (json.dumps({"name": "a", "core_need": "x" * 5000}), "application/json", 422, "core_need"),
    "NUL": ('{"name": "a\\u0000b"}', "application/json", 422, "name"),
    "an array": ("[]", "application/json", 422, ""),
    "malformed": ('{"name": ', "application/json", 400, None),
    "NaN": ('{"name": NaN}', "application/json", 400, None),
    "deeply nested": ("[" * 100_000, "application/json", 400, None),
    "wrong content type": ('{"name": "a"}', "text/plain", 415, None),
    "oversized": (json.dumps({"name": "a", "additional_info": "x" * 3_000_000}), "application/json", 413, None),
}


@pytest.mark.parametrize(("body", "kind", "status", "field"), BAD.values(), ids=BAD.keys())
def test_a_bad_body_gets_a_clear_refusal_in_the_contracts_json(client, body, kind, status, field):
    answer = client.post("/audience", data=body, content_type=kind)
    assert answer.status_code == status, answer.text
    refusal = answer.get_json()
    assert set(refusal) <= {"error", "code", "details"}
    assert refusal["error"]
    if field is not None:
        assert refusal["details"]["field"] == field
    assert "items" not in refusal["error"], "a text is told its length in characters"
    assert client.get("/audience").get_json() == []


def test_persona_data_has_limits(client, audience_id):
    segment_id = client.post(f"/audience/{audience_id}/segments", json={"name": "S"}).get_json()["segment_id"]
    nested = {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}
    for data in (nested, {"x": "y" * 70_000}, {"k" * 101: 1}, {"": 1}, "text", {"a": "\x00"}):
        answer = client.post(f"/segments/{segment_id}/personas", json={"name": "P", "data": data})
        assert answer.status_code == 422, data
        assert answer.get_json()["details"]["field"].startswith("data")


ROUTES = [
    ("GET", "/audience/{a}"), ("PUT", "/audience/{a}"), ("DELETE", "/audience/{a}"), ("POST", "/audience/{a}/generate"),
    ("GET", "/audience/{a}/segments"), ("POST", "/audience/{a}/segments"), ("GET", "/audience/{a}/insight"),
    ("GET", "/segments/{s}"), ("PUT", "/segments/{s}"), ("DELETE", "/segments/{s}"),
    ("GET", "/segments/{s}/personas"), ("POST", "/segments/{s}/personas"),
    ("GET", "/personas/{p}"), ("PUT", "/personas/{p}"), ("DELETE", "/personas/{p}"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_tenants_rows_and_unknown_ids_are_not_found(client_for, client, other_member, ready_id, method, path):
    segment = client.get(f"/audience/{ready_id}/segments").get_json()[0]["id"]
    person = client.get(f"/segments/{segment}/personas").get_json()[0]["id"]
    stranger = client_for(other_member)
    for ids in ({"a": ready_id, "s": segment, "p": person}, {"a": 10**9, "s": 10**9, "p": 10**9}):
        body = {"name": "x", "prompt_type": "simulation"} if method in ("POST", "PUT") else None
        answer = stranger.open(path.format(**ids), method=method, json=body)
        assert answer.status_code == 404
        assert answer.get_json()["code"] == "not_found"
    assert client.get(f"/personas/{person}").status_code == 200


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_enters_without_signing_in(anonymous, method, path):
    answer = anonymous.open(path.format(a=1, s=1, p=1), method=method)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("prompt_type", ["perplexity", "expert_reflection", "simulation", "optimization"])
def test_generate_writes_each_kind_of_text(client, ready_id, prompt_type, monkeypatch, run_jobs):
    import app.insights.api.audiences as edge

    monkeypatch.setattr(edge, "GENERATE_SECONDS", 0.0)
    started = client.post(f"/audience/{ready_id}/generate", json={"prompt_type": prompt_type, "deep_research": True})
    assert started.status_code == 202
    assert started.get_json()["message"] == "Generation started"
    run_jobs()
    with_text = _latest_report(client.application)
    assert (with_text["state"], with_text["is_deep"]) == ("done", True)
    assert len(with_text["text"]) > 200


def _latest_report(app):
    from sqlalchemy import select

    from app.core.db import db
    from app.core.tenancy import platform_scope
    from app.insights.models import AudienceReport

    with app.app_context(), platform_scope():
        row = db.session.scalars(select(AudienceReport).order_by(AudienceReport.id.desc()).limit(1)).one()
    return {"state": row.state, "text": row.text, "is_deep": row.is_deep}


def test_generate_refuses_an_unknown_kind(client, audience_id):
    answer = client.post(f"/audience/{audience_id}/generate", json={"prompt_type": "magic"})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, "prompt_type")


def test_a_viewer_reads_but_does_not_write(client, audience_id, make_member, client_for, member):
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert viewer.get(f"/audience/{audience_id}").status_code == 200
    for method, path in (
        ("POST", "/audience"),
        ("PUT", f"/audience/{audience_id}"),
        ("DELETE", f"/audience/{audience_id}"),
    ):
        answer = viewer.open(path, method=method, json=BRIEF)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "permission_denied")
