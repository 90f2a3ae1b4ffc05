"""The simulation pages: dashboard, create flow, report and its files."""

import re
from contextlib import contextmanager

import pytest

from tests.insights.panels import make_panel


@pytest.fixture
def panel(client, in_tenant, member):
    return make_panel(client, in_tenant, member.tenant_id)


@pytest.fixture
def post(client):
    """Send a form as the browser does, token included."""

    def send(path, data=None, **headers):
        token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/app/simulations").text)[1]
        return client.post(path, data=(data or {}) | {"csrf_token": token}, headers=headers)

    return send


@pytest.fixture
def count_queries(app):
    """How many statements the database was sent inside the block."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    class Count:
        count = 0

    @contextmanager
    def counting():
        seen = Count()

        def add(*_args):
            seen.count += 1

        event.listen(Engine, "before_cursor_execute", add)
        try:
            yield seen
        finally:
            event.remove(Engine, "before_cursor_execute", add)

    return counting


def form(panel, **more):
    everyone = {"persona_ids": list(panel.personas.values())}
    return (
        {"audience_id": panel.audience_id, "name": "First box free", "type": "default", "seed": "1"} | everyone | more
    )


def made(client, panel, run_jobs, **more):
    simulation_id = client.post("/simulations", json=panel.body(**more)).get_json()["simulation"]["id"]
    run_jobs()
    return simulation_id


def test_the_dashboard_teaches_when_it_is_empty(client, panel):
    page = client.get("/app/simulations").text
    assert "No simulations yet" in page
    assert 'href="/app/simulations/new"' in page


def test_the_dashboard_searches_and_filters_by_audience(client, panel, in_tenant, member, run_jobs):
    other = make_panel(client, in_tenant, member.tenant_id)
    client.post("/simulations", json=panel.body(name="Alpha 100%"))
    client.post("/simulations", json=other.body(name="Beta"))
    assert "Beta" not in client.get("/app/simulations?q=100%25").text
    assert "Alpha" not in client.get("/app/simulations?q=0_%25").text
    filtered = client.get(f"/app/simulations?audience={other.audience_id}").text
    assert "Beta" in filtered
    assert "Alpha" not in filtered


def test_the_dashboard_takes_as_many_queries_for_many_cards_as_for_one(client, panel, count_queries):
    client.post("/simulations", json=panel.body())
    with count_queries() as one:
        client.get("/app/simulations")
    for _ in range(5):
        client.post("/simulations", json=panel.body())
    with count_queries() as many:
        client.get("/app/simulations")
    assert many.count == one.count


def test_a_report_takes_as_many_queries_for_many_replies_as_for_one(client, panel, run_jobs, count_queries):
    one_id = made(client, panel, run_jobs, persona_ids=[panel.personas["Dani Okafor"]])
    all_id = made(client, panel, run_jobs)
    with count_queries() as one:
        client.get(f"/app/simulations/{one_id}")
    with count_queries() as many:
        client.get(f"/app/simulations/{all_id}")
    assert many.count == one.count


def test_the_create_page_shows_people_and_what_it_takes(client, panel):
    page = client.get(f"/app/simulations/new?audience={panel.audience_id}").text
    assert page.count('name="persona_ids"') == 6
    assert "6 of 6 chosen" in page
    assert "free" in page
    some = client.get(f"/app/simulations/new?segment={panel.segments['Label readers']}").text
    assert "2 of 6 chosen" in some


def test_the_estimate_follows_the_choice(post, panel):
    chosen = [panel.personas["Priya Nair"], panel.personas["Dani Okafor"]]
    part = post("/app/simulations/new/estimate", form(panel, persona_ids=chosen), **{"HX-Request": "true"}).text
    assert re.search(r"2\s+personas", part)
    assert re.search(r"in 2\s+segments", part)
    none = post("/app/simulations/new/estimate", form(panel, persona_ids=[]), **{"HX-Request": "true"}).text
    assert "Choose an audience and at least one person" in none


def test_an_unknown_price_is_said_to_be_unknown(client, panel, settings_override):
    settings_override(openai_api_key="sk-test", openai_model="house-model-9", ai_order="openai,builtin")
    page = client.get(f"/app/simulations/new?audience={panel.audience_id}").text
    assert "price unknown for house-model-9" in page


def test_a_known_price_comes_from_the_list_until_there_are_past_calls(
    client, panel, settings_override, in_tenant, member
):
    from app.ai.models import AICall
    from app.core.db import db, unit_of_work

    settings_override(openai_api_key="sk-test", openai_model="gpt-5.4-mini", ai_order="openai,builtin")
    assert "from list prices" in client.get(f"/app/simulations/new?audience={panel.audience_id}").text
    with in_tenant(member.tenant_id), unit_of_work():
        for _ in range(3):
            call = AICall(
                task="panel", provider="openai", model="gpt-5.4-mini", outcome="ok", cost_micros=50_000, latency_ms=2000
            )
            db.session.add(call)
    page = client.get(f"/app/simulations/new?audience={panel.audience_id}").text
    assert "$0.300" in page
    assert re.search(r"from your last 3\s+panel answers", page)


def test_going_leads_to_the_report_which_runs(post, client, panel, run_jobs):
    answer = post("/app/simulations/new", form(panel, question="Would you try it?"))
    assert answer.status_code == 303
    waiting = client.get(answer.location).text
    assert 'hx-trigger="sse:simulation-' in waiting
    assert "Waiting for a free worker" in waiting
    run_jobs()
    done = client.get(answer.location).text
    assert done.count("sim-reply") == 6
    assert "Mean stance" in done
    assert "Built-in analyst" in done


def test_a_refused_form_keeps_what_was_written_and_names_the_field(post, panel):
    answer = post("/app/simulations/new", form(panel, persona_ids=[], question="Kept question?"))
    assert answer.status_code == 422
    assert "Choose at least one person to ask." in answer.text
    assert "Kept question?" in answer.text
    seed = post("/app/simulations/new", form(panel, seed="many"))
    assert (seed.status_code, 'href="#field-seed"' in seed.text) == (422, True)


def test_choosing_everyone_is_kept_as_everyone(post, client, panel):
    post("/app/simulations/new", form(panel))
    whole = [panel.personas["Maren Holt"], panel.personas["Callum Reid"]]
    post("/app/simulations/new", form(panel, persona_ids=whole))
    post("/app/simulations/new", form(panel, persona_ids=[panel.personas["Priya Nair"]]))
    rows = client.get("/simulations").get_json()[::-1]
    assert [(row["segment_ids"], row["persona_ids"]) for row in rows] == [
        ([], []),
        ([panel.segments["Label readers"]], []),
        ([], [panel.personas["Priya Nair"]]),
    ]


def test_words_of_people_and_models_are_never_markup(client, panel, run_jobs):
    attack = "<img src=x onerror=alert(1)>"
    client.put(f"/personas/{panel.personas['Priya Nair']}", json={"name": attack})
    simulation_id = made(client, panel, run_jobs, name=attack, message=attack, description=attack)
    for path in ("", "/live", "/edit"):
        assert "<img" not in client.get(f"/app/simulations/{simulation_id}{path}").text
    assert "<img" not in client.get("/app/simulations").text
    markdown = client.get(f"/app/simulations/{simulation_id}/export.md").text
    assert markdown.count("<") == markdown.count("\\<") > 0


def test_the_report_is_exported_as_markdown_and_csv(client, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs, name="=Box, half price")
    markdown = client.get(f"/app/simulations/{simulation_id}/export.md")
    assert markdown.mimetype == "text/markdown"
    assert f'filename="box-half-price-{simulation_id}.md"' in markdown.headers["Content-Disposition"]
    assert all(name in markdown.text for name in panel.personas)
    table = client.get(f"/app/simulations/{simulation_id}/export.csv")
    assert table.mimetype == "text/csv"
    assert len(table.text.strip().splitlines()) == 7


def test_running_again_asks_the_same_panel_with_the_next_seed(post, client, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs, question="Would you?", seed=4)
    again = post(f"/app/simulations/{simulation_id}/again")
    new = client.get("/simulations").get_json()[0]
    assert again.location.endswith(f"/app/simulations/{new['id']}")
    assert (new["question"], new["seed"], new["name"]) == ("Would you?", 5, "First box free, seed 5")


def test_a_duplicate_begins_with_everything_of_the_old_one(client, panel, run_jobs):
    chosen = [panel.personas["Dani Okafor"]]
    simulation_id = made(client, panel, run_jobs, message="Half price", type="optimization", persona_ids=chosen)
    page = client.get(f"/app/simulations/new?copy={simulation_id}").text
    assert "Half price</textarea>" in page
    assert "1 of 6 chosen" in page
    assert 'value="optimization" checked' in page


def test_two_runs_stand_side_by_side(client, panel, run_jobs):
    before = made(client, panel, run_jobs, name="Full price", message="A box a week for $95.")
    after = made(client, panel, run_jobs, name="Half price", message="A box a week for $25, first one free.")
    page = client.get(f"/app/simulations/compare?a={before}&b={after}").text
    means = [client.get(f"/simulations/{i}").get_json()["mean_stance"] for i in (before, after)]
    assert ("rose" in page, "fell" in page) == (means[1] > means[0], means[1] < means[0])
    assert all(name in page for name in panel.personas)


def test_editing_from_the_dashboard_leads_back_there(post, client, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs)
    path = f"/app/simulations/{simulation_id}/edit"
    dialog = client.get(path, headers={"HX-Request": "true"}).text
    assert dialog.lstrip().startswith('<form id="simulation-edit"')
    refused = post(path, {"name": " ", "description": "Kept"}, **{"HX-Request": "true"})
    assert (refused.status_code, "Kept" in refused.text) == (422, True)
    saved = post(path, {"name": "Renamed", "description": "", "next": "list"}, **{"HX-Request": "true"})
    assert saved.headers["HX-Redirect"] == "/app/simulations"
    assert client.get(f"/simulations/{simulation_id}").get_json()["name"] == "Renamed"


def test_a_failed_run_offers_to_try_again(post, client, panel, run_jobs, monkeypatch):
    from app.ai.providers.base import Failure, ProviderError
    from app.ai.providers.builtin.analyst import BuiltinProvider

    def fail(self, request):
        raise ProviderError(Failure.INVALID, "away", provider=self.name)

    with monkeypatch.context() as patch:
        patch.setattr(BuiltinProvider, "complete", fail)
        simulation_id = made(client, panel, run_jobs)
    page = client.get(f"/app/simulations/{simulation_id}").text
    assert "Nobody could answer." in page
    assert f'action="/app/simulations/{simulation_id}/retry"' in page
    post(f"/app/simulations/{simulation_id}/retry")
    run_jobs()
    assert client.get(f"/simulations/{simulation_id}").get_json()["state"] == "done"


def test_deleting_leads_back_to_the_dashboard(post, client, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs)
    assert post(f"/app/simulations/{simulation_id}/delete").location == "/app/simulations"
    assert client.get(f"/app/simulations/{simulation_id}").status_code == 404


PATHS = ("", "/live", "/edit", "/export.md", "/export.csv")


def test_another_tenants_pages_are_not_found(client, client_for, other_member, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs)
    stranger = client_for(other_member)
    pages = [f"/app/simulations/{simulation_id}{path}" for path in PATHS]
    pages += [f"/app/simulations/new?{kind}" for kind in (f"copy={simulation_id}", f"audience={panel.audience_id}")]
    pages += [f"/app/simulations/new?persona={panel.personas['Priya Nair']}"]
    pages += [f"/app/simulations/compare?a={simulation_id}&b={simulation_id + 1}"]
    assert {page: stranger.get(page).status_code for page in pages} == dict.fromkeys(pages, 404)


def test_a_viewer_sees_no_buttons_that_would_be_refused(client, client_for, make_member, member, panel, run_jobs):
    simulation_id = made(client, panel, run_jobs)
    viewer = client_for(make_member("viewer", member.tenant_id))
    page = viewer.get(f"/app/simulations/{simulation_id}").text
    assert f"/app/simulations/{simulation_id}/export.csv" in page
    for absent in ("/delete", "/again", "/edit", '/chat"'):
        assert absent not in page
    assert viewer.get("/app/simulations/new").status_code == 403
