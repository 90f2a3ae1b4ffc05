"""GET and PUT /admin/prompts, as the insight contract shows them."""

from __future__ import annotations

import pytest

KEYS = [
    "perplexity_prompt",
    "expert_reflection_prompt",
    "run_simulation_prompt",
    "run_optimization_simulation_prompt",
    "create_persona_prompt",
    "chat_with_persona_prompt",
    "image_processing_prompt",
    "deep_research",
]


def test_all_eight_are_shown_in_the_contracts_order(client):
    answer = client.get("/admin/prompts")
    assert answer.status_code == 200
    assert list(answer.json) == KEYS
    assert answer.json["deep_research"] is False
    assert all(isinstance(answer.json[key], str) and answer.json[key] for key in KEYS[:-1])


def test_some_can_be_changed_and_the_others_stay(client):
    before = client.get("/admin/prompts").json
    body = {"perplexity_prompt": "Look closely.", "deep_research": True}
    answer = client.put("/admin/prompts", json=body)
    assert (answer.status_code, answer.json) == (200, {"message": "Prompt configurations updated successfully"})
    assert client.get("/admin/prompts").json == {**before, **body}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"perplexity_prompt": 5}, "perplexity_prompt"),
        ({"perplexity_prompt": None}, "perplexity_prompt"),
        ({"perplexity_prompt": ["a"]}, "perplexity_prompt"),
        ({"create_persona_prompt": "   "}, "create_persona_prompt"),
        ({"create_persona_prompt": "x" * 20_001}, "create_persona_prompt"),
        ({"deep_research": "yes"}, "deep_research"),
        ({"deep_research": 1}, "deep_research"),
        ({"panel_prompt": "mine"}, "panel_prompt"),
        ({"tenant_id": 1}, "tenant_id"),
        ({}, ""),
    ],
)
def test_a_bad_value_is_refused_naming_the_field(client, body, field):
    before = client.get("/admin/prompts").json
    answer = client.put("/admin/prompts", json=body)
    assert answer.status_code == 422
    assert field in answer.json["error"]
    assert answer.json["details"]["field"] == field
    assert client.get("/admin/prompts").json == before


def test_bodies_that_are_no_json_object_are_refused(client):
    assert client.put("/admin/prompts", data="{", content_type="application/json").status_code == 400
    assert client.put("/admin/prompts", data="a=b").status_code == 415
    assert client.put("/admin/prompts", json=[1]).status_code == 422


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_only_admins_may_see_and_change_prompts(make_member, client_for, role):
    client = client_for(make_member(role))
    assert client.get("/admin/prompts").status_code == 403
    assert client.put("/admin/prompts", json={"deep_research": True}).status_code == 403


def test_a_stranger_is_asked_to_sign_in(anonymous):
    answer = anonymous.get("/admin/prompts")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_another_tenants_prompts_are_their_own(client, client_for, other_member):
    client.put("/admin/prompts", json={"perplexity_prompt": "Ours."})
    assert client_for(other_member).get("/admin/prompts").json["perplexity_prompt"] != "Ours."
