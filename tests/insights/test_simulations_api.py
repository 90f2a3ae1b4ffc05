"""The insight contract's simulations, over HTTP."""

import json

import pytest

from tests.insights.panels import make_panel


@pytest.fixture
def panel(client, in_tenant, member):
    return make_panel(client, in_tenant, member.tenant_id)


def create(client, panel, **more):
    answer = client.post("/simulations", json=panel.body(**more))
    assert answer.status_code == 201, answer.text
    return answer.get_json()["simulation"]


def finished(client, panel, run_jobs, **more):
    made = create(client, panel, **more)
    run_jobs()
    return client.get(f"/simulations/{made['id']}").get_json()


def test_creating_answers_as_the_contract_shows(client, panel):
    body = {
        "audience_id": panel.audience_id,
        "name": "Test Simulation",
        "segment_ids": [panel.segments["Label readers"]],
        "persona_ids": [panel.personas["Maren Holt"]],
        "type": "default",
    }
    answer = client.post("/simulations", json=body)
    assert answer.status_code == 201
    assert answer.get_json()["message"] == "Simulation created"
    simulation = answer.get_json()["simulation"]
    assert {key: simulation[key] for key in body} == body
    assert simulation["state"] == "queued"
    assert simulation["description"] == ""


def test_without_a_question_the_panel_is_asked_about_the_offer_and_the_need(client, panel):
    question = create(client, panel)["question"]
    assert "Organic groceries in a weekly box" in question
    assert "Healthy dinners without planning" in question


def test_a_run_keeps_one_reply_for_each_persona_and_adds_them_up(client, panel, run_jobs):
    done = finished(client, panel, run_jobs, question="Would you try a first box for free?")
    assert done["state"] == "done", done["error"]
    assert {reply["persona_id"] for reply in done["replies"]} == set(panel.personas.values())
    stances = [reply["stance"] for reply in done["replies"]]
    results = done["results"]
    assert results["mean_stance"] == round(sum(stances) / 6, 2)
    assert sum(results["distribution"].values()) == results["answered"] == results["asked"] == 6
    assert [part["name"] for part in results["segments"]] == list(panel.segments)
    assert results["weighted"]["by"] == "size_percentage"
    assert results["headline"].endswith(".")
    assert done["usage"]["models"][0]["provider"] == "builtin"
    assert done["usage"]["cost_micros"] == 0


def test_the_same_seed_gives_the_same_results_byte_for_byte(client, panel, run_jobs):
    question = {"question": "Would you pay $25 a week for this?", "seed": 11}
    first = finished(client, panel, run_jobs, **question)
    second = finished(client, panel, run_jobs, **question, name="Again")
    assert json.dumps(first["results"]) == json.dumps(second["results"])


@pytest.mark.parametrize(
    ("segments", "people", "asked"),
    [
        (["Label readers"], [], {"Maren Holt", "Callum Reid"}),
        ([], ["Dani Okafor", "Priya Nair"], {"Dani Okafor", "Priya Nair"}),
        (["Label readers", "Weeknight rescuers"], ["Priya Nair"], {"Maren Holt", "Callum Reid", "Priya Nair"}),
    ],
)
def test_only_those_chosen_are_asked(client, panel, run_jobs, segments, people, asked):
    done = finished(
        client, panel, run_jobs,
        segment_ids=[panel.segments[name] for name in segments], persona_ids=[panel.personas[name] for name in people],
    )  # fmt: skip
    assert {reply["persona_name"] for reply in done["replies"]} == asked


def test_an_optimization_says_what_to_change(client, panel, run_jobs):
    done = finished(client, panel, run_jobs, type="optimization", message="Half price for a month, then $60 a week.")
    assert done["results"]["changes"]


def test_the_list_is_newest_first_and_filters_by_audience(client, panel, in_tenant, member):
    other = make_panel(client, in_tenant, member.tenant_id)
    first, second, third = create(client, panel), create(client, other), create(client, panel)
    assert [row["id"] for row in client.get("/simulations").get_json()] == [third["id"], second["id"], first["id"]]
    mine = client.get(f"/simulations?audience_id={panel.audience_id}").get_json()
    assert [row["id"] for row in mine] == [third["id"], first["id"]]
    assert "replies" not in mine[0]


def test_renaming_changes_only_what_is_sent(client, panel):
    made = create(client, panel, description="Why")
    body = client.put(f"/simulations/{made['id']}", json={"name": "New name"}).get_json()
    assert (body["simulation"]["name"], body["simulation"]["description"]) == ("New name", "Why")


def test_deleting_answers_as_the_contract_shows(client, panel):
    made = create(client, panel)
    assert client.delete(f"/simulations/{made['id']}").get_json() == {"message": "Simulation deleted"}
    assert client.get(f"/simulations/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"type": "other"}, "type"),
        ({"audience_id": "1"}, "audience_id"),
        ({"audience_id": True}, "audience_id"),
        ({"audience_id": 10**12}, "audience_id"),
        ({"segment_ids": "1"}, "segment_ids"),
        ({"segment_ids": ["a"]}, "segment_ids.0"),
        ({"segment_ids": [999_999]}, "segment_ids"),
        ({"persona_ids": [999_999]}, "persona_ids"),
        ({"persona_ids": {"a": 1}}, "persona_ids"),
        ({"persona_ids": list(range(1, 502))}, "persona_ids"),
        ({"question": ["Why?"]}, "question"),
        ({"question": "x" * 2001}, "question"),
        ({"message": "x" * 6001}, "message"),
        ({"seed": "7"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seed": 1.5}, "seed"),
    ],
)
def test_a_bad_field_is_refused_by_name(client, panel, change, field):
    answer = client.post("/simulations", json=panel.body(**change))
    assert answer.status_code == 422
    assert answer.get_json()["details"]["field"] == field


def test_an_audience_without_personas_is_refused_plainly(client):
    audience_id = client.post("/audience", json={"name": "Empty"}).get_json()["audience_id"]
    answer = client.post("/simulations", json={"audience_id": audience_id, "name": "Nobody"})
    assert answer.status_code == 422
    assert "no personas yet" in answer.get_json()["error"]


def test_people_of_another_audience_are_refused(client, panel, in_tenant, member):
    other = make_panel(client, in_tenant, member.tenant_id)
    answer = client.post("/simulations", json=panel.body(persona_ids=[other.personas["Priya Nair"]]))
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, "persona_ids")


def test_another_tenants_simulations_are_not_found(client, client_for, other_member, panel):
    made = create(client, panel)
    stranger = client_for(other_member)
    path = f"/simulations/{made['id']}"
    answers = [
        stranger.get(path), stranger.put(path, json={"name": "Mine"}), stranger.delete(path),
        stranger.post(f"{path}/cancel"), stranger.post(f"{path}/retry"),
        stranger.post("/simulations", json=panel.body()), stranger.get(f"/simulations?audience_id={panel.audience_id}"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert all(answer.get_json()["code"] == "not_found" for answer in answers)
    assert stranger.get("/simulations").get_json() == []
    assert client.get(path).get_json()["name"] == panel.body()["name"]


def test_a_viewer_reads_but_does_not_run(client, client_for, make_member, member, panel):
    made = create(client, panel)
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert viewer.get(f"/simulations/{made['id']}").status_code == 200
    assert viewer.post("/simulations", json=panel.body()).status_code == 403
    assert viewer.delete(f"/simulations/{made['id']}").status_code == 403


def test_too_many_runs_in_an_hour_are_slowed_down(client, panel):
    answers = [client.post("/simulations", json=panel.body()).status_code for _ in range(61)]
    assert answers == [201] * 60 + [429]
