"""API keys over the API: made, used, rotated, revoked, and never seen again."""

from __future__ import annotations

from datetime import timedelta

import pytest

URL = "/api/v1/api-keys"


@pytest.fixture
def make_key(client):
    """Make a key as the contract shows; returns the whole answer."""

    def make(*scopes: str, name: str = "Nightly report", **more) -> dict:
        answer = client.post(URL, json={"name": name, "scopes": list(scopes or ("read",)), **more})
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def travel(monkeypatch):
    """Let time pass for whatever asks the clock."""
    from app.accounts.services import api_keys

    real = api_keys.utc_now
    passed = timedelta(0)

    def pass_time(**span: float) -> None:
        nonlocal passed
        passed += timedelta(**span)

    monkeypatch.setattr(api_keys, "utc_now", lambda: real() + passed)
    return pass_time


def bearer(key: str | dict) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key['key']}"}


def test_making_a_key_answers_with_it_this_once(client, member, make_key):
    made = make_key("write", "read")
    assert made["key"].startswith("key_")
    assert made["prefix"] == made["key"][:12]
    assert (made["name"], made["scopes"], made["state"]) == ("Nightly report", ["read", "write"], "live")
    assert (made["expires_at"], made["created_by"], made["replaces"]) == (None, member.id, None)
    for answer in (client.get(URL), client.get(f"{URL}/{made['id']}")):
        assert answer.status_code == 200
        assert made["key"] not in answer.text
    shown = client.get(f"{URL}/{made['id']}").get_json()
    assert shown == {name: value for name, value in made.items() if name not in ("key", "replaces")}
    assert client.get(URL).get_json()["items"] == [shown]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["read"]}, "name"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "   ", "scopes": ["read"]}, "name"),
        ({"name": "x" * 81, "scopes": ["read"]}, "name"),
        ({"name": "x"}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["everything"]}, "scopes.0"),
        ({"name": "x", "scopes": "read"}, "scopes"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_in_days": 0}, "expires_in_days"),
        ({"name": "x", "scopes": ["read"], "expires_in_days": 3651}, "expires_in_days"),
        ({"name": "x", "scopes": ["read"], "expires_in_days": 1, "expires_at": "2090-01-01T00:00:00Z"}, ""),
        ({"name": "x", "scopes": ["read"], "tenant_id": 1}, "tenant_id"),
    ],
)
def test_what_cannot_be_a_key_is_refused_by_field(client, body, field):
    answer = client.post(URL, json=body)
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)


def test_a_scope_named_twice_counts_once_and_the_name_is_tidied(make_key):
    made = make_key("read", "read", name="  Nightly \n report ")
    assert (made["scopes"], made["name"]) == (["read"], "Nightly report")


def test_a_key_to_read_reads_and_writes_nothing(make_key, anonymous):
    key = bearer(make_key("read"))
    assert anonymous.get("/audience", headers=key).status_code == 200
    refused = anonymous.post("/audience", json={"name": "Mine"}, headers=key)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "permission_denied")
    for path in ("/api/v1/audit", URL):
        assert anonymous.get(path, headers=key).status_code == 403


def test_what_a_key_makes_is_its_tenants(make_key, anonymous, client):
    made = anonymous.post("/audience", json={"name": "By a program"}, headers=bearer(make_key("write")))
    assert made.status_code == 201
    assert client.get(f"/audience/{made.get_json()['audience_id']}/insight").status_code == 200


def test_an_admins_key_may_make_keys_and_read_the_log(make_key, anonymous, member):
    key = make_key("admin")
    made = anonymous.post(URL, json={"name": "Another", "scopes": ["read"]}, headers=bearer(key)).get_json()
    assert made["created_by"] == member.id
    entry = anonymous.get("/api/v1/audit?action=api_key", headers=bearer(key)).get_json()["items"][0]
    assert entry["credential"] == f"api_key:{key['id']}"
    assert entry["actor"]["label"] == "API key Nightly report"


def test_a_revoked_key_is_refused_at_once_and_revoking_again_changes_nothing(client, make_key, anonymous):
    made = make_key()
    assert anonymous.get("/audience", headers=bearer(made)).status_code == 200
    revoked = client.delete(f"{URL}/{made['id']}")
    assert (revoked.status_code, revoked.get_json()["state"]) == (200, "revoked")
    refused = anonymous.get("/audience", headers=bearer(made))
    assert (refused.status_code, refused.get_json()["code"]) == (401, "api_key_invalid")
    assert client.delete(f"{URL}/{made['id']}").get_json() == revoked.get_json()


def test_an_expired_key_is_refused(make_key, anonymous, travel, client):
    made = make_key(expires_in_days=1)
    travel(hours=23)
    assert anonymous.get("/audience", headers=bearer(made)).status_code == 200
    travel(hours=2)
    assert anonymous.get("/audience", headers=bearer(made)).status_code == 401
    assert client.get(f"{URL}/{made['id']}").get_json()["state"] == "expired"


def test_a_rotated_key_works_until_its_overlap_ends_and_the_new_one_from_the_start(client, make_key, anonymous, travel):
    old = make_key("write", "read", expires_in_days=30)
    answer = client.post(f"{URL}/{old['id']}/rotate", json={"overlap_hours": 2})
    new = answer.get_json()
    assert answer.status_code == 201
    assert (new["replaces"], new["name"], new["scopes"]) == (old["id"], old["name"], old["scopes"])
    assert new["key"] != old["key"]
    assert new["expires_at"][:10] == old["expires_at"][:10]
    shown = client.get(f"{URL}/{old['id']}").get_json()
    assert (shown["state"], shown["replaced_by"]) == ("ending", new["id"])
    travel(hours=1)
    assert [anonymous.get("/audience", headers=bearer(key)).status_code for key in (old, new)] == [200, 200]
    travel(hours=2)
    assert [anonymous.get("/audience", headers=bearer(key)).status_code for key in (old, new)] == [401, 200]


def test_without_an_overlap_the_old_key_ends_at_once(client, make_key, anonymous):
    old = make_key()
    new = client.post(f"{URL}/{old['id']}/rotate", json={"overlap_hours": 0}).get_json()
    assert [anonymous.get("/audience", headers=bearer(key)).status_code for key in (old, new)] == [401, 200]


def test_a_key_is_rotated_once_and_not_after_its_end(client, make_key):
    made, gone = make_key(), make_key()
    client.post(f"{URL}/{made['id']}/rotate", json={})
    client.delete(f"{URL}/{gone['id']}")
    for key in (made, gone):
        again = client.post(f"{URL}/{key['id']}/rotate", json={})
        assert (again.status_code, again.get_json()["code"]) == (409, "CONFLICT")
    far = client.post(f"{URL}/{made['id']}/rotate", json={"overlap_hours": 169})
    assert (far.status_code, far.get_json()["details"]["field"]) == (422, "overlap_hours")


def test_a_key_opens_its_own_tenant_only(client, client_for, other_member, make_key, anonymous):
    audience = client.post("/audience", json={"name": "Ours"}).get_json()["audience_id"]
    ours = make_key()
    stranger = client_for(other_member)
    theirs = stranger.post(URL, json={"name": "Theirs", "scopes": ["admin"]}).get_json()
    assert anonymous.get(f"/audience/{audience}/insight", headers=bearer(theirs)).status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        answer = anonymous.open(f"{URL}/{ours['id']}{path}", method=method, json={}, headers=bearer(theirs))
        assert answer.status_code == 404
    assert anonymous.get(URL, headers=bearer(theirs)).get_json()["total"] == 1
    assert anonymous.get("/audience", headers=bearer(ours)).status_code == 200


def test_a_key_that_speaks_messaging_begins_with_msg(make_key):
    assert make_key("messaging", "read")["key"].startswith("msg_")
    assert make_key("events")["key"].startswith("key_")


def test_a_key_of_a_closed_tenant_is_refused(make_key, anonymous, member, app):
    from app.accounts.models import Tenant
    from app.core.db import db, unit_of_work

    key = make_key()
    with app.app_context(), unit_of_work():
        db.session.get(Tenant, member.tenant_id).is_active = False
    assert anonymous.get("/audience", headers=bearer(key)).status_code == 401


def test_the_last_use_is_noted_at_most_once_a_minute(client, make_key, anonymous, travel):
    key = make_key()

    def last_use():
        return client.get(f"{URL}/{key['id']}").get_json()["last_used_at"]

    assert last_use() is None
    anonymous.get("/audience", headers=bearer(key))
    first = last_use()
    assert first is not None
    assert client.get(f"{URL}/{key['id']}").get_json()["last_used_address"] == "127.0.0.1"
    travel(seconds=30)
    anonymous.get("/audience", headers=bearer(key))
    assert last_use() == first
    travel(seconds=40)
    anonymous.get("/audience", headers=bearer(key))
    assert last_use() > first


@pytest.mark.parametrize("text", ["key_nothing", "msg_nothing", "key_", "nonsense"])
def test_a_bad_key_is_refused_even_beside_a_good_cookie(client, text):
    assert client.get("/audience", headers=bearer(text)).status_code == 401
    assert client.get("/audience").status_code == 200


def test_a_persons_own_account_is_not_for_keys(make_key, anonymous, app):
    own = [
        rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "is_for_everyone", False) and rule.rule.startswith("/api/")
    ]
    key = bearer(make_key("admin", "read", "write"))
    assert own
    for rule in own:
        address = rule.rule.replace("<int:", "<").replace("<", "1<").split("<")[0]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = anonymous.open(address, method=method, json={}, headers=key)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "PERSON_NEEDED"), f"{method} {address}"


def test_a_key_is_nowhere_in_clear(client, make_key, anonymous, app):
    """Not in the database and not in the audit log, even when it is refused."""
    from sqlalchemy import text

    from app.core.db import db

    made = make_key("admin")
    rotated = client.post(f"{URL}/{made['id']}/rotate", json={}).get_json()
    client.delete(f"{URL}/{rotated['id']}")
    assert [anonymous.get("/audience", headers=bearer(key)).status_code for key in (made, rotated)] == [200, 401]
    with app.app_context(), db.engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in db.metadata.sorted_tables
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))
        ]
    log = client.get("/api/v1/audit?limit=100").text
    assert "api_key.revoked" in log
    for key in (made["key"], rotated["key"]):
        assert any(key[:12] in row for row in rows)  # lists show so much of it
        assert key[12:] not in " ".join(rows) + log


def test_no_log_line_holds_a_key(client, make_key, anonymous, monkeypatch):
    import io
    import logging

    written, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(written)
    handler.setFormatter(root.handlers[0].formatter)
    monkeypatch.setattr(root, "handlers", [handler])
    root.setLevel(logging.DEBUG)
    try:
        made = make_key("read")
        anonymous.get("/audience", headers=bearer(made))
        anonymous.post("/audience", json={"name": "x"}, headers=bearer(made))
        client.delete(f"{URL}/{made['id']}")
        anonymous.get("/audience", headers=bearer(made))
    finally:
        root.setLevel(logging.ERROR)
    assert f"api_key:{made['id']}" in written.getvalue()  # requests are logged, with which credential they came
    assert made["key"][12:] not in written.getvalue()


def test_a_key_hears_its_tenants_events_and_nobodys_own(make_key, anonymous, member):
    key = bearer(make_key("read"))
    heard = anonymous.get("/stream?channel=audience", headers=key, buffered=False)
    assert (heard.status_code, heard.mimetype) == (200, "text/event-stream")
    heard.close()
    assert anonymous.get(f"/stream?channel=user.{member.id}", headers=key).status_code == 403
    assert anonymous.get("/stream?channel=audience", headers=bearer(make_key("events"))).status_code == 403


def test_an_open_stream_of_a_key_ends_when_the_key_does(client, make_key, anonymous, settings_override):
    settings_override(sse_recheck_seconds=0.05, sse_heartbeat_seconds=0.02)
    made = make_key("read")
    heard = anonymous.get("/stream?channel=audience", headers=bearer(made), buffered=False)
    parts = iter(heard.response)
    next(parts)
    client.delete(f"{URL}/{made['id']}")
    assert len([part for _, part in zip(range(50), parts, strict=False)]) < 50


def test_keys_are_made_so_often_an_hour_and_no_more(client, make_key, settings_override):
    settings_override(rate_limit_factor=0.05)
    for _ in range(3):
        make_key()
    answer = client.post(URL, json={"name": "One more", "scopes": ["read"]})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_workspace_has_a_hundred_keys_at_most(client, make_key, monkeypatch):
    from app.accounts.services import api_keys

    monkeypatch.setattr(api_keys, "MAX_KEYS", 2)
    first = make_key()
    make_key()
    assert client.post(URL, json={"name": "x", "scopes": ["read"]}).status_code == 409
    client.delete(f"{URL}/{first['id']}")
    assert client.post(URL, json={"name": "x", "scopes": ["read"]}).status_code == 201
