"""Webhooks over the API: registered, changed, paused, their secrets rotated, deleted."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.webhooks.conftest import URL

GOOD = {"url": "https://93.184.216.34/hook", "events": ["segment.entered"]}


def test_registering_answers_with_the_secret_this_once(client, member, make_hook):
    made = make_hook("segment.left", "segment.entered", description="  Shop \n sync ")
    assert made["secret"].startswith("whsec_")
    assert (made["events"], made["description"]) == (["segment.entered", "segment.left"], "Shop sync")
    assert (made["state"], made["created_by"], made["last_success_at"]) == ("active", member.id, None)
    shown = client.get(f"{URL}/{made['id']}")
    assert shown.json == {name: value for name, value in made.items() if name != "secret"}
    assert client.get(URL).json["items"] == [shown.json]


def test_what_can_be_asked_for_is_listed_in_words(client):
    types = {one["name"]: one["description"] for one in client.get(f"{URL}/event-types").json["items"]}
    assert types["segment.entered"] == "People came into a segment"
    assert {"segment.left", "segment.refreshed", "audience.ready", "simulation.finished"} <= set(types)
    assert all(types.values())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": ["segment.entered"]}, "url"),
        (GOOD | {"url": ""}, "url"),
        (GOOD | {"url": "ftp://93.184.216.34/"}, "url"),
        (GOOD | {"url": "https://user:secret@93.184.216.34/"}, "url"),
        (GOOD | {"url": "https://93.184.216.34/#part"}, "url"),
        (GOOD | {"url": "https://93.184.216.34/a b"}, "url"),
        (GOOD | {"url": "https://93.184.216.34/" + "x" * 2000}, "url"),
        (GOOD | {"events": []}, "events"),
        (GOOD | {"events": ["segment.exploded"]}, "events"),
        (GOOD | {"events": ["webhook.ping"]}, "events"),
        (GOOD | {"description": "x" * 121}, "description"),
        (GOOD | {"tenant_id": 1}, "tenant_id"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_by_field(client, body, field):
    answer = client.post(URL, json=body)
    assert (answer.status_code, answer.json["details"]["field"]) == (422, field)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost:8080/", "https://10.0.0.1/", "http://[::1]/"])
def test_a_private_address_is_refused_when_made_and_when_changed(client, make_hook, settings_override, url):
    hook = make_hook()
    settings_override(allow_private_urls=False)
    for answer in (client.post(URL, json=GOOD | {"url": url}), client.patch(f"{URL}/{hook['id']}", json={"url": url})):
        assert (answer.status_code, answer.json["details"]["field"]) == (422, "url")
    assert client.post(URL, json=GOOD).status_code == 201


def test_production_asks_for_https(client, settings_override):
    settings_override(environment="production")
    refused = client.post(URL, json=GOOD | {"url": "http://93.184.216.34/hook"})
    assert (refused.status_code, refused.json["details"]["field"]) == (422, "url")
    assert client.post(URL, json=GOOD).status_code == 201


def test_one_address_is_one_webhook(client, make_hook, receiver):
    make_hook()
    second = make_hook(url=f"{receiver.url}/other")
    again = client.post(URL, json={"url": f"{receiver.url}/hook", "events": ["segment.left"]})
    moved = client.patch(f"{URL}/{second['id']}", json={"url": f"{receiver.url}/hook"})
    assert (again.status_code, moved.status_code) == (409, 409)
    assert client.patch(f"{URL}/{second['id']}", json={"url": f"{receiver.url}/other"}).status_code == 200


def test_a_workspace_has_so_many_webhooks_at_most(client, make_hook, receiver, monkeypatch):
    from app.webhooks.services import endpoints

    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
    hook = make_hook()
    body = {"url": f"{receiver.url}/other", "events": ["segment.left"]}
    assert client.post(URL, json=body).status_code == 409
    client.delete(f"{URL}/{hook['id']}")
    assert client.post(URL, json=body).status_code == 201


def test_a_change_changes_what_is_named_and_nothing_else(client, make_hook):
    hook = make_hook(description="Shop")
    changed = client.patch(f"{URL}/{hook['id']}", json={"events": ["segment.left"]})
    before = {name: value for name, value in hook.items() if name != "secret"}
    assert changed.json == before | {"events": ["segment.left"]}
    assert client.patch(f"{URL}/{hook['id']}", json={"state": "paused"}).json["state"] == "paused"
    assert client.patch(f"{URL}/{hook['id']}", json={"state": "disabled"}).status_code == 422
    assert client.patch(f"{URL}/{hook['id']}", json={"state": "active"}).json["state"] == "active"


def test_a_deleted_webhook_is_gone_with_its_deliveries(client, make_hook, happen, run_jobs, receiver, sent):
    hook = make_hook()
    happen()
    delivery = sent(hook)[0]["id"]
    assert client.delete(f"{URL}/{hook['id']}").status_code == 200
    run_jobs()
    assert receiver.received == []
    for path in (f"{URL}/{hook['id']}", f"{URL}/{hook['id']}/deliveries", f"{URL}/deliveries/{delivery}"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_only_an_admin_may(make_member, member, client_for, make_hook, role):
    hook = make_hook()
    other = client_for(make_member(role, member.tenant_id))
    assert other.get(URL).status_code == 403
    assert other.post(URL, json=GOOD).status_code == 403
    assert other.delete(f"{URL}/{hook['id']}").status_code == 403
    assert other.get("/app/settings/webhooks").status_code == 403


def test_a_key_needs_the_scope_admin(client, anonymous):
    def status(scope: str) -> int:
        key = client.post("/api/v1/api-keys", json={"name": scope, "scopes": [scope]}).json["key"]
        return anonymous.post(URL, json=GOOD, headers={"Authorization": f"Bearer {key}"}).status_code

    assert [status(scope) for scope in ("read", "write", "events", "admin")] == [403, 403, 403, 201]


def test_another_tenant_finds_nothing(make_hook, happen, sent, client_for, other_member):
    hook, stranger = make_hook(), client_for(other_member)
    happen()
    delivery = sent(hook)[0]["id"]
    calls = [
        ("GET", f"/{hook['id']}"), ("PATCH", f"/{hook['id']}"), ("DELETE", f"/{hook['id']}"),
        ("POST", f"/{hook['id']}/rotate-secret"), ("POST", f"/{hook['id']}/ping"), ("GET", f"/{hook['id']}/deliveries"),
        ("GET", f"/deliveries/{delivery}"), ("POST", f"/deliveries/{delivery}/replay"),
    ]  # fmt: skip
    for method, path in calls:
        assert stranger.open(URL + path, method=method, json={}).status_code == 404, f"{method} {path}"
    assert stranger.get(URL).json["total"] == 0


def test_the_audit_log_tells_each_change_and_no_secret(client, make_hook):
    hook = make_hook(description="Shop")
    url = f"{URL}/{hook['id']}"
    client.patch(url, json={"description": "Store"})
    client.patch(url, json={"state": "paused"})
    client.patch(url, json={"state": "active"})
    rotated = client.post(f"{url}/rotate-secret", json={}).json["secret"]
    client.delete(url)
    log = client.get("/api/v1/audit?action=webhook&limit=100")
    actions = [entry["action"] for entry in log.json["items"]]
    assert actions == [f"webhook.{verb}" for verb in ("deleted", "rotated", "resumed", "paused", "changed", "created")]
    assert rotated not in log.text
    assert hook["secret"] not in log.text


def test_a_secret_is_nowhere_in_clear(client, app, make_hook):
    from app.core.db import db

    hook = make_hook()
    rotated = client.post(f"{URL}/{hook['id']}/rotate-secret", json={}).json
    with app.app_context(), db.engine.connect() as connection:
        rows = " ".join(
            str(tuple(row))
            for table in db.metadata.sorted_tables
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))
        )
    assert "/hook" in rows
    assert hook["secret"].removeprefix("whsec_") not in rows
    assert rotated["secret"].removeprefix("whsec_") not in rows


def test_a_second_rotation_never_ends_a_secret_that_still_signs(client, make_hook, travel):
    url = f"{URL}/{make_hook()['id']}/rotate-secret"
    first = client.post(url, json={"overlap_hours": 2})
    assert first.json["previous_secret_ends_at"] is not None
    assert client.post(url, json={"overlap_hours": 2}).status_code == 409
    assert client.post(url, json={"overlap_hours": 169}).status_code == 422
    travel(hours=3)
    assert client.post(url, json={"overlap_hours": 2}).status_code == 200
    at_once = client.post(url, json={"overlap_hours": 0})
    assert (at_once.status_code, at_once.json["previous_secret_ends_at"]) == (200, None)
