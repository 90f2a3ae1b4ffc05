"""What the other features enter in the audit log, and who is named for what a job does."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def post(client):
    """Send a form of the product's pages."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/app/settings/you").text)[1]

    def send(path: str, **fields):
        answer = client.post(path, data={"csrf_token": token, **fields})
        assert answer.status_code in (200, 204, 303), answer.text
        return answer

    return send


@pytest.fixture
def newest(client):
    def read(action: str = "") -> dict:
        found = client.get(f"/api/v1/audit?limit=1&action={action}").get_json()["items"]
        assert found, f"nothing about {action} in the log"
        return found[0]

    return read


@pytest.fixture
def made(client, run_jobs, member, in_tenant) -> dict[str, int]:
    """An audience with everything in it, and a conversation."""
    from sqlalchemy import select

    from app.core.db import db, unit_of_work
    from app.insights import models
    from app.insights.services import conversations

    audience_id = client.post("/audience", json={"name": "Orchard & Oat"}).get_json()["audience_id"]
    run_jobs()
    client.post("/simulations", json={"audience_id": audience_id, "name": "Trial", "type": "default"})
    run_jobs()
    with in_tenant(member.tenant_id):
        persona, segment, simulation = (
            db.session.scalars(select(model).order_by(model.id)).first()
            for model in (models.Persona, models.AudienceSegment, models.Simulation)
        )
        with unit_of_work():
            conversation = conversations.begin(persona.id, member.id)
        return {
            "audience": audience_id, "segment": segment.id, "persona": persona.id, "simulation": simulation.id,
            "conversation": conversation.id,
        }  # fmt: skip


def test_a_providers_key_is_entered_changed_and_removed_and_never_in_the_log(post, newest, client):
    key = "sk-ant-secret-0123456789"
    post("/app/settings/ai/providers/anthropic", api_key=key, model="claude-x", is_enabled="on")
    saved = newest("ai_key")
    assert (saved["action"], saved["subject"]["label"]) == ("ai_key.saved", "Anthropic")
    assert (saved["before"], saved["after"]) == (
        {"has_key": False, "model": ""},
        {"has_key": True, "model": "claude-x"},
    )
    post("/app/settings/ai/providers/anthropic", model="claude-y")
    changed = newest("ai_access")
    assert changed["before"] == {"model": "claude-x", "is_enabled": True}
    assert changed["after"] == {"model": "claude-y", "is_enabled": False}
    post("/app/settings/ai/providers/anthropic/remove-key")
    assert (newest()["action"], newest()["after"]) == ("ai_key.removed", {"has_key": False})
    for path in ("/api/v1/audit?limit=100", "/api/v1/audit/export", "/app/settings/audit"):
        assert "0123456789" not in client.get(path).text


def test_the_order_and_the_budget_are_in_the_log_with_before_and_after(post, newest):
    post("/app/settings/ai/budget", budget="12.5")
    assert (newest()["action"], newest()["after"]) == ("ai_budget.changed", {"dollars": 12.5})
    post("/app/settings/ai/order/chat/builtin/up")
    changed = newest("ai_order")
    assert changed["action"] == "ai_order.changed"
    assert changed["before"]["order"] != changed["after"]["order"]
    post("/app/settings/ai/order/chat/reset")
    reset = newest("ai_order")
    assert (reset["action"], reset["after"]) == ("ai_order.reset", changed["before"])


def test_a_reworded_prompt_is_in_the_log_with_both_wordings(post, newest, client):
    before = client.get("/admin/prompts").get_json()
    client.put("/admin/prompts", json={"perplexity_prompt": "Look for prices.", "deep_research": True})
    assert newest("ai_deep_research")["after"] == {"is_on": True}
    changed = newest("prompt")
    assert (changed["action"], changed["subject"]["label"]) == ("prompt.changed", "perplexity")
    assert changed["before"]["text"] == before["perplexity_prompt"]
    assert changed["after"] == {"text": "Look for prices.", "version": 1}
    post("/app/settings/prompts/perplexity_prompt/restore/0")
    assert newest("prompt")["action"] == "prompt.restored"


def test_what_is_deleted_is_in_the_log_by_name(client, made, post, newest, member):
    post(f"/app/conversations/{made['conversation']}/delete")
    assert newest("conversation")["subject"]["label"] == f"no. {made['conversation']}"  # its title is its owner's
    for kind, path in (("simulation", "simulations"), ("persona", "personas"), ("segment", "segments")):
        assert client.delete(f"/{path}/{made[kind]}").status_code == 200
        entry = newest(kind)
        assert (entry["action"], entry["subject"]["id"]) == (f"{kind}.deleted", str(made[kind]))
        assert entry["subject"]["label"] == entry["before"]["name"]
        assert entry["actor"]["id"] == member.id
    client.delete(f"/audience/{made['audience']}")
    assert newest("audience")["subject"]["label"] == "Orchard & Oat"


@pytest.mark.parametrize(
    ("path", "action", "kind"),
    [
        ("/app/audiences/{audience}/export.json", "audience.exported", "json"),
        ("/app/audiences/{audience}/export.md", "audience.exported", "md"),
        ("/app/simulations/{simulation}/export.csv", "simulation.exported", "csv"),
        ("/app/conversations/{conversation}/export", "conversation.exported", "md"),
    ],
)
def test_what_is_downloaded_is_in_the_log(client, made, newest, path, action, kind):
    assert client.get(path.format(**made)).status_code == 200
    assert (newest()["action"], newest()["after"]) == (action, {"format": kind})


def test_what_a_job_does_is_said_of_whoever_asked_for_it(client, member, run_jobs, monkeypatch, newest):
    from dataclasses import replace

    from app.accounts.services import audit
    from app.core.db import unit_of_work
    from app.core.jobs import registry

    def work(**_ids) -> None:
        with unit_of_work():
            audit.record("thing.made")

    for name, definition in list(registry.items()):
        monkeypatch.setitem(registry, name, replace(definition, function=work))
    asked = client.post("/audience", json={"name": "Orchard & Oat"})
    audit.set_actor(audit.Actor(label="a stranger", credential="browser:99", address="192.0.2.9"))
    assert run_jobs()
    entry = newest("thing")
    assert entry["actor"] == {"id": member.id, "label": member.email}
    assert (entry["credential"], entry["address"]) == ("job", "")
    assert entry["request_id"] == asked.headers["X-Request-ID"]


def test_periodic_work_is_said_of_the_product_itself(member, in_tenant, newest):
    from app.accounts.services import audit
    from app.core.db import unit_of_work

    audit.set_actor(audit.SYSTEM)
    with in_tenant(member.tenant_id), unit_of_work():
        audit.record("thing.made")
    assert newest("thing")["actor"] == {"id": None, "label": "system"}
