"""What features tell the outside: through their own doors to a customer's system."""

from __future__ import annotations

from app.core.events import Event
from tests.insights.panels import make_panel


def told(receiver, event_type: str) -> list[dict]:
    return [one.json["data"] for one in receiver.received if one.json["event"] == event_type]


def test_an_audience_that_is_ready_is_told(client, make_hook, run_jobs, receiver):
    make_hook("audience.ready", "audience.failed")
    audience_id = client.post("/audience", json={"name": "Orchard & Oat"}).json["audience_id"]
    run_jobs()
    (ready,) = told(receiver, "audience.ready")
    assert (ready["audience_id"], ready["audience_name"]) == (audience_id, "Orchard & Oat")
    assert ready["segments_count"] > 0
    assert len(receiver.received) == 1


def test_a_simulation_that_is_done_is_told_once_and_renaming_it_is_no_news(
    client, in_tenant, member, make_hook, run_jobs, receiver
):
    panel = make_panel(client, in_tenant, member.tenant_id)
    make_hook("simulation.finished", "simulation.failed")
    simulation_id = client.post("/simulations", json=panel.body()).json["simulation"]["id"]
    run_jobs()
    client.put(f"/simulations/{simulation_id}", json={"name": "Another name"})
    run_jobs()
    (done,) = told(receiver, "simulation.finished")
    assert (done["simulation_id"], done["audience_id"]) == (simulation_id, panel.audience_id)
    assert done["headline"]
    assert len(receiver.received) == 1


def test_a_segment_tells_who_came_and_how_many_there_are(client, in_tenant, member, make_hook, run_jobs, receiver):
    from app.core.db import unit_of_work
    from app.core.jobs import enqueue

    def settle() -> None:
        run_jobs()
        with in_tenant(member.tenant_id), unit_of_work():
            enqueue("cdp.refresh", unique_key="cdp.refresh")
        run_jobs()

    make_hook("segment.entered", "segment.refreshed")
    conditions = {"type": "event", "event": "purchase", "operator": "occurred"}
    made = client.post("/api/v1/cdp/segments", json={"name": "Buyers", "conditions": conditions})
    assert made.status_code == 201, made.text
    settle()
    event = {"event_name": "purchase", "user_id": "ada"}
    profile_id = client.post("/api/v1/cdp/events", json=event).json["profile_id"]
    settle()
    (entered,) = told(receiver, "segment.entered")
    assert (entered["segment_name"], entered["profile_ids"]) == ("Buyers", [profile_id])
    refreshed = told(receiver, "segment.refreshed")[-1]
    assert (refreshed["segment_id"], refreshed["member_count"]) == (made.json["id"], 1)


def test_each_type_is_told_by_one_kind_of_event_and_has_words(app):
    types = [(name, words) for event in Event.registry.values() for name, words in event.outside_types.items()]
    names = [name for name, _ in types]
    assert len(names) == len(set(names))
    for name, words in types:
        subject, _, verb = name.partition(".")
        assert subject
        assert verb
        assert words[0].isupper()
