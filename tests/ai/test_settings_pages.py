"""The AI settings pages: what they show, what they change, what they never give away."""

from __future__ import annotations

import re

import pytest

PAGES = ["ai", "prompts", "prompts/create_persona_prompt", "spend"]
HTMX = {"HX-Request": "true"}
SECRET = "sk-secret-0123456789"


def token_of(client) -> str:
    return re.search(r'name="csrf-token" content="([^"]+)"', client.get("/app/settings/ai").text)[1]


@pytest.fixture
def post(client):
    token = token_of(client)

    def send(path: str, headers: dict[str, str] | None = None, **fields: str):
        return client.post(f"/app/settings/{path}", data={"csrf_token": token, **fields}, headers=headers or {})

    return send


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_every_member_can_read_them(make_member, client_for, role, page):
    assert client_for(make_member(role)).get(f"/app/settings/{page}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "ai/providers/openai", "ai/providers/openai/check", "ai/providers/openai/remove-key", "ai/order/chat/openai/up",
        "ai/order/chat/reset", "ai/budget", "prompts/create_persona_prompt", "prompts/deep-research",
        "prompts/create_persona_prompt/restore/0",
    ],
)  # fmt: skip
def test_only_admins_can_change_them(make_member, client_for, path):
    client = client_for(make_member("manager"))
    fields = {"text": "x", "budget": "1", "csrf_token": token_of(client)}
    answer = client.post(f"/app/settings/{path}", data=fields)
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.text


def test_a_form_without_its_token_is_refused(client):
    answer = client.post("/app/settings/ai/budget", data={"budget": "1"})
    assert answer.status_code == 403


def test_a_key_goes_in_and_never_comes_out(client, post, make_member, client_for, member):
    answer = post("ai/providers/openai", api_key=SECRET, is_enabled="on")
    assert (answer.status_code, answer.location) == (303, "/app/settings/ai#provider-openai")
    page = client.get("/app/settings/ai").text
    assert SECRET not in page
    assert "…6789" in page
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert "6789" not in viewer.get("/app/settings/ai").text


def test_an_empty_key_keeps_the_stored_one(client, post):
    post("ai/providers/openai", api_key=SECRET, is_enabled="on")
    post("ai/providers/openai", model="gpt-5.5", is_enabled="on")
    page = client.get("/app/settings/ai").text
    assert "…6789" in page
    assert "model gpt-5.5" in page


def test_a_refused_form_names_the_field_and_does_not_repeat_the_key(post):
    answer = post("ai/providers/openai", HTMX, api_key="two words here", model="m")
    assert answer.status_code == 422
    assert 'id="provider-openai"' in answer.text
    assert "no spaces" in answer.text
    assert "two words here" not in answer.text
    whole = post("ai/providers/openai", api_key="two words here")
    assert whole.status_code == 422
    assert "<!doctype html>" in whole.text
    assert whole.text.count("no spaces") == 1


def test_a_removed_key_is_gone(client, post):
    post("ai/providers/openai", api_key=SECRET, is_enabled="on")
    post("ai/providers/openai/remove-key")
    assert "6789" not in client.get("/app/settings/ai").text
    assert post("ai/providers/openai/remove-key", HTMX).status_code == 404


def test_a_connection_test_says_what_came_of_it(post, sandbox, settings_override):
    settings_override(allow_private_urls=True)
    post("ai/providers/openai", api_key=SECRET, base_url=sandbox.base_url("openai"), is_enabled="on")
    answer = post("ai/providers/openai/check", HTMX)
    assert "Answers" in answer.text
    assert "OpenAI answers" in answer.headers["HX-Trigger"]
    sandbox.control.fault("openai", "status_401")
    answer = post("ai/providers/openai/check", HTMX)
    assert "Does not answer" in answer.text


def test_there_is_nothing_to_test_without_a_key(post):
    assert post("ai/providers/openai/check").status_code == 404


def test_unknown_names_are_not_found(client, post):
    assert post("ai/providers/nobody").status_code == 404
    assert post("ai/order/chat/openai/sideways").status_code == 404
    assert client.get("/app/settings/prompts/nobody").status_code == 404
    assert post("prompts/nobody", text="x").status_code == 404
    assert client.get("/app/settings/prompts/insight_prompt").status_code == 404
    assert client.get("/app/settings/prompts/create_persona_prompt?compare=9").status_code == 404


def test_the_order_can_be_changed_and_reset(post):
    post("ai/providers/openai", api_key=SECRET, is_enabled="on")
    post("ai/providers/groq", api_key=SECRET, is_enabled="on")

    def order(answer) -> list[str]:
        return sorted(("OpenAI", "Groq", "Built-in analyst"), key=answer.text.index)

    assert order(post("ai/order/chat/groq/up", HTMX)) == ["Groq", "OpenAI", "Built-in analyst"]
    assert order(post("ai/order/chat/builtin/up", HTMX)) == ["Groq", "Built-in analyst", "OpenAI"]
    assert order(post("ai/order/chat/reset", HTMX)) == ["OpenAI", "Groq", "Built-in analyst"]


@pytest.mark.parametrize("typed", ["lots", "-1", "nan", "inf", "1000001"])
def test_a_budget_is_a_number_of_dollars(post, typed):
    answer = post("ai/budget", HTMX, budget=typed)
    assert answer.status_code == 422
    assert "from 0 to 1,000,000" in answer.text


def test_a_budget_is_saved_and_an_empty_one_is_the_platforms(post):
    assert "$12.50" in post("ai/budget", HTMX, budget="$12.50").text
    assert "$50.00" in post("ai/budget", HTMX, budget="").text


def test_without_keys_the_page_says_who_answers(client):
    assert "The built-in analyst answers everything" in client.get("/app/settings/ai").text


def test_a_prompt_is_reworded_compared_and_restored(client, post):
    path = "/app/settings/prompts/create_persona_prompt"
    assert post("prompts/create_persona_prompt", text="Make <b>people</b>.").status_code == 303
    page = client.get(f"{path}?compare=0").text
    assert "Make &lt;b&gt;people&lt;/b&gt;." in page
    assert "<del>" in page
    assert post("prompts/create_persona_prompt/restore/0").status_code == 303
    assert "shipped wording restored" in client.get(path).text


def test_an_empty_prompt_is_refused_beside_the_field(post):
    answer = post("prompts/create_persona_prompt", text="  ")
    assert answer.status_code == 422
    assert "from 1 to 20,000 characters" in answer.text


def test_deep_research_is_switched_on_and_off(client, post):
    assert "checked" in post("prompts/deep-research", HTMX, deep_research="on").text
    assert client.get("/admin/prompts").json["deep_research"] is True
    assert "checked" not in post("prompts/deep-research", HTMX).text


def test_spend_shows_cost_by_provider_task_and_day_and_the_failures(
    client, member, in_tenant, sandbox, platform_keys, ask
):
    from app.ai.services.completion import complete_text

    platform_keys("anthropic", "openai")
    sandbox.control.fault("anthropic", "status_401")
    with in_tenant(member.tenant_id):
        complete_text(ask())
    page = client.get("/app/settings/spend?days=7").text
    assert "Anthropic" in page
    assert "went to the next" in page
    assert "Cost by day" in page
    assert "sk-live" not in page
    assert client.get("/app/settings/spend?failed=1").text.count('<td class="ply-st">') == 1
    assert client.get("/app/settings/spend?days=0").status_code == 422


def test_older_calls_follow_page_by_page(client, member, in_tenant):
    from app.ai.models import AICall
    from app.core.db import db, unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        db.session.add_all([AICall(task="chat", provider="builtin", outcome="ok", cost_micros=0) for _ in range(30)])
        db.session.flush()
    first = client.get("/app/settings/spend").text
    assert first.count('class="ply-st"') == 25
    before = first.split("spend/calls?before=")[1].split('"')[0]
    assert client.get(f"/app/settings/spend/calls?before={before}").text.count('class="ply-st"') == 5


def test_spend_of_another_tenant_is_not_shown(client, other_member, in_tenant):
    from app.ai.models import AICall
    from app.core.db import db, unit_of_work

    with in_tenant(other_member.tenant_id), unit_of_work():
        db.session.add(AICall(task="chat", provider="groq", outcome="ok", cost_micros=77_000_000))
    page = client.get("/app/settings/spend").text
    assert "Nothing has been asked yet" in page
