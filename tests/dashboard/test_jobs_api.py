"""How far a background job is, over the API."""

from __future__ import annotations

import pytest


@pytest.fixture
def job_id(client) -> str:
    """A job that somebody's request started."""
    from sqlalchemy import select

    from app.core.db import db
    from app.core.jobs import BackgroundJob

    assert client.post("/audience", json={"name": "Orchard & Oat"}).status_code == 201
    with client.application.app_context():
        return db.session.scalars(select(BackgroundJob.id)).first()


def test_a_job_is_shown_from_its_beginning_to_its_end(client, job_id, run_jobs):
    waiting = client.get(f"/api/v1/jobs/{job_id}")
    assert waiting.status_code == 200
    body = waiting.get_json()
    assert (body["id"], body["state"], body["error"]) == (job_id, "queued", None)
    assert (body["started_at"], body["finished_at"]) == (None, None)
    assert set(body) == {"id", "name", "state", "progress", "error", "created_at", "started_at", "finished_at"}
    assert set(body["progress"]) == {"done", "total", "note"}
    assert run_jobs()
    done = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert (done["state"], done["error"]) == ("done", None)
    assert done["progress"]["done"] == done["progress"]["total"] > 0
    assert done["created_at"] <= done["started_at"] <= done["finished_at"]


def test_a_failed_job_says_why(client, job_id, run_jobs, monkeypatch):
    from app.core.errors import Conflict
    from app.core.jobs import BackgroundJob, JobDefinition, registry

    def fail(**_ids):
        raise Conflict("The market is closed.")

    with client.application.app_context():
        from app.core.db import db

        name = db.session.get(BackgroundJob, job_id).name
    old = registry[name]
    made = JobDefinition(name, fail, old.queue, old.max_attempts, old.timeout_seconds, None)
    monkeypatch.setitem(registry, name, made)
    run_jobs()
    body = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert (body["state"], body["error"]) == ("failed", "The market is closed.")


@pytest.mark.parametrize("text", ["nothing", "0" * 32, "0d3b7f5e-0000-4000-8000-000000000000", "1", "x" * 500])
def test_what_is_no_job_is_not_found(client, text):
    answer = client.get(f"/api/v1/jobs/{text}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "NOT_FOUND")


def test_another_tenants_job_looks_like_no_job(client_for, other_member, job_id):
    answer = client_for(other_member).get(f"/api/v1/jobs/{job_id}")
    assert (answer.status_code, answer.get_json()["error"]) == (404, "There is no such job.")


def test_every_role_and_a_key_to_read_may_ask(client, client_for, make_member, member, job_id, anonymous):
    assert client_for(make_member("viewer", member.tenant_id)).get(f"/api/v1/jobs/{job_id}").status_code == 200
    keys = {
        scope: client.post("/api/v1/api-keys", json={"name": scope, "scopes": [scope]}).get_json()["key"]
        for scope in ("read", "events")
    }

    def ask(scope):
        return anonymous.get(f"/api/v1/jobs/{job_id}", headers={"Authorization": f"Bearer {keys[scope]}"}).status_code

    assert (ask("read"), ask("events")) == (200, 403)
    assert anonymous.get(f"/api/v1/jobs/{job_id}").status_code == 401
