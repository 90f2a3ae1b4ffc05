"""The audit log over the API: found, shown, taken out as a file."""

from __future__ import annotations

import csv
import io
import json

import pytest


@pytest.fixture
def write(member, in_tenant):
    """Enter something in the log of `member`'s tenant."""

    def enter(action: str = "thing.made", label: str = "", *, tenant_id: int = 0, **values):
        from app.accounts.services import audit
        from app.core.db import unit_of_work

        audit.set_actor(audit.SYSTEM)
        with in_tenant(tenant_id or member.tenant_id), unit_of_work():
            audit.record(action, label=label, **values)

    return enter


def actions(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in answer.get_json()["items"]]


def test_what_admins_do_is_in_the_log_with_who_where_and_what_with(client, member):
    made = client.post("/api/v1/api-keys", json={"name": "Nightly", "scopes": ["read"]}, headers={"X-Request-ID": "r1"})
    entry = client.get("/api/v1/audit?action=api_key").get_json()["items"][0]
    assert entry["action"] == "api_key.created"
    assert entry["actor"] == {"id": member.id, "label": member.email}
    assert entry["subject"] == {"type": "ApiKey", "id": str(made.get_json()["id"]), "label": "Nightly"}
    assert entry["after"] == {"name": "Nightly", "scopes": ["read"], "expires_at": None}
    assert entry["before"] is None
    assert entry["credential"].startswith("browser:")
    assert entry["address"] == "127.0.0.1"
    assert entry["browser"].startswith("Werkzeug")
    assert entry["request_id"] == made.headers["X-Request-ID"]
    assert client.get(f"/api/v1/audit/{entry['id']}").get_json() == entry


def test_signing_in_out_and_failing_to_are_in_the_log(client, anonymous, client_for, member):
    anonymous.post("/login", json={"email": member.email, "password": "not this one"})
    client_for(member).get("/logout")
    found = client.get("/api/v1/audit?action=session").get_json()["items"]
    assert [entry["action"] for entry in found] == [
        "session.ended", "session.started", "session.refused", "session.started",
    ]  # fmt: skip
    assert {entry["actor"]["label"] for entry in found} == {member.email}
    assert found[0]["after"] == {"reason": "signed out"}
    assert found[2]["credential"] == "none"


def test_the_log_is_read_newest_first_page_by_page(client, write):
    for number in range(5):
        write("thing.made", str(number))
    page = client.get("/api/v1/audit?action=thing&limit=2&page=2").get_json()
    assert [entry["subject"]["label"] for entry in page["items"]] == ["2", "1"]
    assert {name: page[name] for name in page if name != "items"} == {
        "total": 5, "page": 2, "limit": 2, "pages": 3, "has_next": True, "has_prev": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=api_key.made", ["api_key.made"]),
        ("action=api_key", ["api_key.revoked", "api_key.made"]),
        ("action=thing,api_key.revoked", ["api_key.revoked", "thing.made"]),
        ("action=%25", []),
        ("q=nightly", ["api_key.made"]),
        ("q=a_c", []),
        ("credential=job", ["api_key.revoked", "api_key.made", "thing.made"]),
        ("credential=jo", []),
        ("actor=SYST", ["api_key.revoked", "api_key.made", "thing.made"]),
        ("actor=nobody", []),
        ("subject_type=Tenant", ["thing.made", "tenant.created"]),
        ("subject_type=Tenant&subject_id=0", []),
    ],
)
def test_each_filter_narrows_the_log(client, member, write, query, found):
    from app.accounts.models import Tenant

    write("thing.made", "abc", subject=Tenant(id=member.tenant_id, name="x"))
    write("api_key.made", "Nightly report")
    write("api_key.revoked")
    got = actions(client.get(f"/api/v1/audit?{query}"))
    assert [action for action in got if not action.startswith("session")] == found


def test_the_log_is_searched_by_what_the_actor_is_called_and_by_their_id(client, member):
    token = client.get("/app/settings/you").text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/app/settings/you/name", data={"csrf_token": token, "name": "Ines Moreau"})
    assert "session.started" in actions(client.get("/api/v1/audit?actor=ines"))
    assert "session.started" in actions(client.get(f"/api/v1/audit?actor_id={member.id}"))
    assert actions(client.get(f"/api/v1/audit?actor_id={member.id + 1}")) == []


def test_the_log_is_searched_by_time_a_date_as_end_counts_whole(client, write):
    from app.core.clock import utc_now

    write()
    today = f"{utc_now():%Y-%m-%d}"
    assert "thing.made" in actions(client.get(f"/api/v1/audit?from={today}&to={today}"))
    assert actions(client.get("/api/v1/audit?to=2020-01-01")) == []
    assert actions(client.get("/api/v1/audit?from=2099-01-01T00:00:00Z")) == []
    assert "thing.made" in actions(client.get("/api/v1/audit?from=2020-01-01T00:00:00%2B02:00"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"), ("to=2026-13-01", "to"), ("to=9999-12-31", "to"), ("from=12345", "from"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"), ("actor_id=0", "actor_id"), ("limit=101", "limit"),
        ("page=0", "page"), ("actor=" + "x" * 121, "actor"),
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_meant_is_named(client, query, field):
    answer = client.get(f"/api/v1/audit?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "VALIDATION_ERROR")
    assert answer.get_json()["details"]["field"] == field


def test_another_tenants_entries_are_not_seen(client, client_for, other_member, write):
    write("thing.made", tenant_id=other_member.tenant_id)
    assert actions(client.get("/api/v1/audit?action=thing")) == []
    theirs = client_for(other_member).get("/api/v1/audit?action=thing").get_json()["items"][0]["id"]
    assert client.get(f"/api/v1/audit/{theirs}").status_code == 404
    assert "thing.made" not in client.get("/api/v1/audit/export").text


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
@pytest.mark.parametrize("path", ["/api/v1/audit", "/api/v1/audit/export", "/app/settings/audit"])
def test_the_log_is_for_admins(client_for, make_member, member, role, path):
    client = client_for(make_member(role, member.tenant_id))
    assert client.get(path, headers={"Accept": "text/html"}).status_code == 403


def test_the_log_is_taken_out_as_json_newest_first(client, write, monkeypatch):
    from app.accounts.services import audit_export

    monkeypatch.setattr(audit_export, "BATCH", 2)
    for number in range(5):
        write("thing.made", str(number))
    answer = client.get("/api/v1/audit/export?format=json&action=thing")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].endswith('.json"')
    assert [entry["subject"]["label"] for entry in json.loads(answer.text)] == ["4", "3", "2", "1", "0"]
    assert json.loads(client.get("/api/v1/audit/export?format=json&action=nothing").text) == []


def test_what_a_spreadsheet_would_run_is_made_plain(client, write):
    for label in ("=1+1", "+1", "-1", "@x", " =HYPERLINK(1)", "\t=1", "plain", 'two\r\nlines, "quoted"'):
        write("thing.made", label, after={"note": label})
    answer = client.get("/api/v1/audit/export?action=thing")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    assert [row["subject"] for row in reversed(rows)] == [
        "'=1+1", "'+1", "'-1", "'@x", "' =HYPERLINK(1)", "'\t=1", "plain", 'two\r\nlines, "quoted"',
    ]  # fmt: skip
    assert json.loads(rows[0]["after"]) == {"note": 'two\r\nlines, "quoted"'}


def test_taking_the_log_out_is_in_the_log(client, member):
    client.get("/api/v1/audit/export?format=json&action=api_key&from=2026-01-01").close()
    entry = client.get("/api/v1/audit?action=audit_log").get_json()["items"][0]
    assert (entry["action"], entry["actor"]["id"]) == ("audit_log.exported", member.id)
    assert entry["after"] == {"format": "json", "actions": ["api_key"], "since": "2026-01-01T00:00:00+00:00"}


def test_a_long_log_is_never_held_whole(client, member, in_tenant, app):
    """The first lines of the file are there before the last entries have been read."""
    from app.accounts.models import AuditEntry
    from app.core.db import db, unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        db.session.add_all(AuditEntry(action="thing.made", tenant_id=member.tenant_id) for _ in range(1200))
    answer = client.get("/api/v1/audit/export?action=thing", buffered=False)
    parts = [part for part in answer.response if part]
    assert len(parts) == 4  # the head, then 500, 500 and 200
    assert b"".join(parts).count(b"thing.made") == 1200
