"""The insight contract's chat, over HTTP."""

import re

import pytest

from tests.insights.chats import Worker
from tests.insights.panels import make_panel


@pytest.fixture
def panel(client, in_tenant, member):
    return make_panel(client, in_tenant, member.tenant_id)


@pytest.fixture
def simulation(client, panel, run_jobs):
    made = client.post("/simulations", json=panel.body()).get_json()["simulation"]
    run_jobs()
    return made["id"]


@pytest.fixture
def url(panel, simulation):
    return f"/chat/simulation/{simulation}/persona/{panel.personas['Priya Nair']}"


@pytest.fixture
def worker(app, run_jobs):
    with Worker(app, run_jobs) as running:
        yield running


def test_chatting_answers_with_the_finished_reply_and_the_history(client, url, worker):
    answer = client.post(url, json={"message": "What do you have for breakfast?"})
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert set(body) == {"response", "chat_history", "chat_history_id"}
    assert [message["role"] for message in body["chat_history"]] == ["user", "persona"]
    assert body["chat_history"][0]["content"] == "What do you have for breakfast?"
    assert body["chat_history"][1]["content"] == body["response"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", body["chat_history"][0]["timestamp"])


def test_marks_that_point_at_facts_are_not_part_of_the_contracts_text(client, url, worker, in_tenant, member):
    body = client.post(url, json={"message": "What is hardest about planning dinner?"}).get_json()
    from sqlalchemy import select

    from app.core.db import db
    from app.insights.models import ChatTurn

    with in_tenant(member.tenant_id):
        kept = db.session.scalars(select(ChatTurn.content).where(ChatTurn.role == "persona")).one()
    assert re.search(r"\[\d+\]", kept)
    assert not re.search(r"\[\d+\]", body["response"])


def test_the_next_message_goes_on_in_the_same_conversation(client, url, worker):
    first = client.post(url, json={"message": "What troubles you most?"}).get_json()
    second = client.post(url, json={"message": "And what have you tried?"}).get_json()
    assert second["chat_history_id"] == first["chat_history_id"]
    assert len(second["chat_history"]) == 4


def test_a_new_conversation_begins_when_asked_for_and_the_old_one_can_be_named(client, url, worker):
    first = client.post(url, json={"message": "Hello."}).get_json()
    second = client.post(url, json={"message": "Hello again.", "new": True}).get_json()
    assert second["chat_history_id"] != first["chat_history_id"]
    third = client.post(url, json={"message": "Back here.", "chat_history_id": first["chat_history_id"]}).get_json()
    assert len(third["chat_history"]) == 4


def test_a_history_and_the_simulations_chats_can_be_read(client, url, worker, simulation, panel):
    made = client.post(url, json={"message": "What do you cook on Mondays?"}).get_json()
    history = client.get(f"/chat/{made['chat_history_id']}").get_json()
    assert history["id"] == made["chat_history_id"]
    assert history["messages"] == made["chat_history"]
    rows = client.get(f"/simulations/{simulation}/chats").get_json()
    assert [(row["id"], row["persona_id"], row["message_count"]) for row in rows] == [
        (made["chat_history_id"], panel.personas["Priya Nair"], 2)
    ]


def test_a_reply_that_takes_too_long_is_said_to_come_into_the_history(client, url, run_jobs, monkeypatch):
    from app.insights.services import chat_wait

    monkeypatch.setattr(chat_wait, "LONGEST_SECONDS", 0.2)
    answer = client.post(url, json={"message": "Are you there?"})
    assert answer.status_code == 504
    assert "history" in answer.get_json()["error"]
    run_jobs()
    history = client.get(f"/chat/{answer.get_json()['details']['chat_history_id']}").get_json()
    assert [message["role"] for message in history["messages"]] == ["user", "persona"]


def test_a_second_message_while_an_answer_is_on_its_way_is_refused(client, url, monkeypatch):
    from app.insights.services import chat_wait

    monkeypatch.setattr(chat_wait, "LONGEST_SECONDS", 0.05)
    assert client.post(url, json={"message": "One."}).status_code == 504
    answer = client.post(url, json={"message": "Two."})
    assert answer.status_code == 409
    assert "on its way" in answer.get_json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "   "},
        {"message": 7},
        {"message": None},
        {"message": ["Hello"]},
        {"message": "x" * 8001},
        {"message": "nul\x00"},
        {"message": "Hello", "chat_history_id": "1"},
        {"message": "Hello", "new": "yes"},
    ],
)
def test_a_message_that_is_none_is_refused(client, url, body):
    answer = client.post(url, json=body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]


def test_malformed_bodies_are_refused_in_the_contracts_json(client, url):
    assert client.post(url, data="{", content_type="application/json").status_code == 400
    assert client.post(url, data="message=Hi", content_type="text/csv").status_code == 415


def test_only_personas_of_the_simulations_audience_can_be_spoken_to(client, in_tenant, member, simulation):
    elsewhere = make_panel(client, in_tenant, member.tenant_id)
    answer = client.post(
        f"/chat/simulation/{simulation}/persona/{elsewhere.personas['Tom Ashworth']}", json={"message": "Hi"}
    )
    assert answer.status_code == 404


def test_unknown_ids_are_not_found(client, panel, simulation):
    priya = panel.personas["Priya Nair"]
    assert client.post(f"/chat/simulation/999999/persona/{priya}", json={"message": "Hi"}).status_code == 404
    assert client.post(f"/chat/simulation/{simulation}/persona/999999", json={"message": "Hi"}).status_code == 404
    assert client.get("/chat/999999").status_code == 404
    assert client.get("/simulations/999999/chats").status_code == 404


def test_a_conversation_is_its_users_alone(
    client, url, worker, client_for, make_member, member, other_member, simulation
):
    made = client.post(url, json={"message": "A private thought."}).get_json()["chat_history_id"]
    colleague = client_for(make_member(tenant_id=member.tenant_id))
    assert colleague.get(f"/chat/{made}").status_code == 404
    assert colleague.post(url, json={"message": "Hi", "chat_history_id": made}).status_code == 404
    assert colleague.get(f"/simulations/{simulation}/chats").get_json() == []
    stranger = client_for(other_member)
    assert stranger.get(f"/chat/{made}").status_code == 404
    assert stranger.post(url, json={"message": "Hi"}).status_code == 404
    assert stranger.get(f"/simulations/{simulation}/chats").status_code == 404


def test_nobody_chats_without_signing_in(anonymous, url):
    assert anonymous.post(url, json={"message": "Hi"}).status_code == 401
    assert anonymous.get("/chat/1").status_code == 401


def test_a_viewer_may_read_but_not_ask(client_for, make_member, member, url):
    viewer = client_for(make_member("viewer", tenant_id=member.tenant_id))
    assert viewer.post(url, json={"message": "Hi"}).status_code == 403
